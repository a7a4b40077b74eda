"""When a memory asks to be brought up: the rule for `recall_when`, without storage.

A trigger is a list of words. It fires in a text that holds at least half of its content words,
whole and in any form of theirs (their stems are compared): "postgres migration" fires on "migrate
the postgres cluster" and on "postgres", "test" on "tests" but not on "latest".
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mimir_py.recall.keywords import STOPWORDS
from mimir_py.storage.terms import stems

_LEAST_SHARE: Final = 0.5
MOST_TRIGGERS: Final = 64


@dataclass(frozen=True, order=True)
class Firing:
    """How well a trigger fits: share of its words, and whether they stand together."""

    share: float
    is_phrase: bool


def triggers_of(body_json: str) -> list[str]:
    """The triggers in a body, those that are text."""
    body: Any = json.loads(body_json)
    given = body.get("recall_when") if isinstance(body, dict) else None
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list):
        return []
    return [trigger for trigger in given[:MOST_TRIGGERS] if isinstance(trigger, str)]


def content_stems(text: str) -> tuple[str, ...]:
    """The stems of a text's words in order, without those that say nothing."""
    return tuple(stem for stem in stems(text) if stem not in STOPWORDS)


def best_firing(triggers: Sequence[str], context: Sequence[str]) -> Firing | None:
    """The best fit of any trigger to a text, given as its stems; `None` when none fires."""
    held = set(context)
    best = None
    for trigger in triggers:
        words = content_stems(trigger)
        if not words:
            continue
        share = sum(word in held for word in words) / len(words)
        if share >= _LEAST_SHARE:
            firing = Firing(share, share == 1 and _stand_together(words, context))
            best = firing if best is None else max(best, firing)
    return best


def _stand_together(words: Sequence[str], context: Sequence[str]) -> bool:
    size = len(words)
    return any(
        tuple(context[at : at + size]) == tuple(words) for at in range(len(context) - size + 1)
    )
