"""What is to be ended, merged or erased, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimir_py.values import UnixMs


@dataclass(frozen=True)
class Wanted:
    """What to erase: one id, one name, or without either everything that is archived.

    `workspaces` narrows names and archived memories down; `None` is all.
    """

    id: str | None = None
    category: str | None = None
    key: str | None = None
    workspaces: Sequence[str] | None = None

    @property
    def is_chosen(self) -> bool:
        """Whether it says which memory, and not only that it is archived."""
        return self.id is not None or self.key is not None


@dataclass(frozen=True)
class Erased:
    """How many rows went, or would go. Of journal entries only what they say goes."""

    memories: int = 0
    versions: int = 0
    aliases: int = 0
    entries: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(
            self.memories + other.memories,
            self.versions + other.versions,
            self.aliases + other.aliases,
            self.entries + other.entries,
        )


@dataclass(frozen=True)
class Marks:
    """What tells in another file that it holds an erased memory: ids, and names as stored."""

    ids: Sequence[str]
    names: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Purged:
    """A receipt. `quoted_in` are ids of memories that hold the whole text of an erased one,
    `linked_with` of those that had a link with it.

    Unless `finished`, the log still has erased text, because somebody is reading it: the next
    quiet moment of any server empties it.
    """

    erased: Erased
    bytes_freed: int
    completed_at_unix_ms: UnixMs
    backups_holding: Sequence[str]
    quoted_in: Sequence[str]
    linked_with: Sequence[str]
    finished: bool


@dataclass(frozen=True)
class Within:
    """Which live memories to look at; `None` is all."""

    workspaces: Sequence[str] | None = None
    category: str | None = None


@dataclass(frozen=True)
class Decayed:
    """A pass of fading: memories looked at, scores written, layers changed, ids archived."""

    checked: int
    updated: int
    moved: int
    archived: Sequence[str]
    completed_at_unix_ms: UnixMs


@dataclass(frozen=True)
class Pruned:
    """A clean-up: memories looked at, those it meant, and the ids archived, in their order.

    `protected` of the meant ones stayed because they are verified, always on or important.
    """

    examined: int
    matching: int
    protected: int
    archived: Sequence[str]
    completed_at_unix_ms: UnixMs
