"""Which memories a clean-up takes: the least valuable first, never protected ones. Pure rules."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mimir_py.entities.retention import (
    FADED,
    LAYERS,
    WORKING_FROM,
    WORKING_USES,
    Standing,
    freshness,
    is_protected,
    settled_layer,
    worth,
)
from mimir_py.values import UnixMs

DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class Choice:
    """Memories to end: less fresh than `min_decay`, made more than some days ago; `None`: any."""

    min_decay: float | None = None
    older_than_days: int | None = None

    def takes(self, memory: Standing, now: UnixMs) -> bool:
        """Whether a memory is meant, protected or not."""
        days = self.older_than_days
        is_old = days is None or memory.created < now - days * DAY_MS
        return is_old and (self.min_decay is None or freshness(memory, now) < self.min_decay)


@dataclass(frozen=True)
class Chosen:
    """What a choice comes to: how many it means, and those that go, least valuable first."""

    matching: int
    protected: int
    going: Sequence[Standing]


def choose(memories: Iterable[Standing], choice: Choice, limit: int, now: UnixMs) -> Chosen:
    """Apply a choice; at most `limit` go, 0 being no limit."""
    matching = [memory for memory in memories if choice.takes(memory, now)]
    going = [memory for memory in matching if not is_protected(memory)]
    protected = len(matching) - len(going)
    going.sort(key=lambda memory: worth(memory, now))
    return Chosen(len(matching), protected, going[:limit] if limit else going)


@dataclass(frozen=True)
class Rule:
    """From how many uses on a memory leaves the first layer; below which freshness it ends."""

    promote_from: int = WORKING_USES
    archive_below: float = FADED

    def layer(self, memory: Standing, fresh: float) -> str:
        """The layer a memory belongs in when it is that fresh."""
        settled = settled_layer(memory, fresh)
        if self.promote_from == WORKING_USES or memory.layer != LAYERS[0]:
            return settled
        is_due = memory.uses >= self.promote_from and fresh >= WORKING_FROM
        return max(settled, LAYERS[1], key=LAYERS.index) if is_due else memory.layer


DEFAULT_RULE: Final = Rule()


def has_faded(memory: Standing, now: UnixMs, below: float = FADED) -> bool:
    """Whether so little freshness is left that a memory is archived."""
    return not is_protected(memory) and freshness(memory, now) < below


def prune_reason(category: str | None, choice: Choice) -> str:
    """The reason a prune leaves on what it archives, in the contract's words."""
    named = "None" if category is None else f"Some({json.dumps(category, ensure_ascii=False)})"
    decay = "None" if choice.min_decay is None else f"Some({choice.min_decay!r})"
    age = "None" if choice.older_than_days is None else f"Some({choice.older_than_days})"
    return f"prune: cat={named} decay<{decay} age>{age}d"
