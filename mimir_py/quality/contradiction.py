"""Whether two memories about the same thing say different things: pure rules.

They do when one denies what the other says, or when both say something of the same subject, with
the same verb and under the same circumstances, and each says what the other does not. Saying more
is no contradiction, nor is saying the same of something else.
"""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mimir_py.entities.text import body_text
from mimir_py.quality.frames import ANY_VERB, Frame, frames, stems

# Words of the shorter sentence that both share, for one to be a denial of the other.
_SAME_WORDS: Final = 0.6
_PLAIN: Final = frozenset({ANY_VERB, "is", "are", "was", "were", "be", ":", "="})
_PLACING: Final = stems("store keep kept host hosted live write written send back put".split())
_OF_MANY: Final = stems("support accept allow contain handle require need".split()) | {
    *("has", "have")
}
_NAMES: Final = frozenset(
    """
    id key name title host hostname service user username email path file url field date time day
    timestamp session session_id task ticket issue step version_of environment env component module
    """.split()
)


@dataclass(frozen=True)
class Statement:
    """What a memory says, ready to be compared."""

    fields: Mapping[str, Any]
    frames: tuple[Frame, ...]
    key: frozenset[str]


def statement(body_json: str, key: str) -> Statement:
    """What a body says."""
    body = json.loads(body_json)
    fields = _scalars(body) if isinstance(body, dict) and len(body) > 1 else {}
    words = key.replace("-", " ").replace("_", " ").replace("/", " ").lower().split()
    return Statement(fields, tuple(frames(body_text(body))), stems(words))


def contradict(one: Statement, other: Statement) -> bool:
    """Whether the two cannot both hold."""
    if one.fields and other.fields and set(one.fields) & set(other.fields):
        return _fields_differ(one.fields, other.fields)
    pairs = itertools.product(one.frames, other.frames)
    return any(_deny(a, b) or (_differ(a, b) and _is_shared(a, b, one, other)) for a, b in pairs)


def _deny(a: Frame, b: Frame) -> bool:
    """Whether one says "not" to what the other says, and both speak of the same."""
    shared = a.words & b.words
    if len(shared) < 2 or len(shared) < _SAME_WORDS * min(len(a.words), len(b.words)):
        return False
    if _is_of_another(a, b):
        return False
    denied = (a.negated - b.negated) & b.words, (b.negated - a.negated) & a.words
    # "X, not Y" denies Y only; that the other says X as well is no contradiction.
    return any(denied) and not (a.negated and b.negated)


def _differ(a: Frame, b: Frame) -> bool:
    """Whether both say something of the same subject that the other does not say."""
    if a.negated or b.negated:
        return False
    if _is_of_another(a, b) or not _is_same_verb(a, b):
        return False
    if a.scope - b.words and b.scope - a.words:
        # "keeps its data in X": where something is, it is not elsewhere.
        return a.value == b.value and a.verb == b.verb and a.verb in _PLACING
    if a.verb in _OF_MANY and not a.value & b.value:
        # A thing may have this and support that.
        return False
    return bool(a.value - b.words and b.value - a.words)


def _is_of_another(a: Frame, b: Frame) -> bool:
    return bool(a.subject - b.words and b.subject - a.words)


def _is_same_verb(a: Frame, b: Frame) -> bool:
    return a.verb == b.verb or a.verb in _PLAIN or b.verb in _PLAIN


def _is_shared(a: Frame, b: Frame, one: Statement, other: Statement) -> bool:
    """Whether they share more than a word anybody uses."""
    named = one.key & other.key
    subjects = (a.subject & b.words) | (b.subject & a.words) | named
    if subjects:
        return True
    return a.verb == b.verb and a.verb != "use" and not (a.subject or b.subject)


def _scalars(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record; empty if it has prose."""
    plain = {k: v for k, v in body.items() if not isinstance(v, dict | list)}
    prose = any(isinstance(v, str) and len(v.split()) > 5 for v in plain.values())
    return {} if prose or len(plain) < 2 else plain


def _fields_differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records of one thing differ: all that names it is the same."""
    both = set(one) & set(other)
    differing = {name for name in both if one[name] != other[name]}
    same = both - differing
    return bool(differing and same) and not any(name.lower() in _NAMES for name in differing)
