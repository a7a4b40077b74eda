"""What is to be ended, merged or erased, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimir_py.history.retention import Retained
from mimir_py.lifecycle.merging import Observation
from mimir_py.values import UnixMs


@dataclass(frozen=True)
class Wanted:
    """What to erase: one id, one name, or without either everything that is archived.

    `workspaces` narrows names and archived memories down, `seen` the memories that the receipt may
    name; `None` is all.
    """

    id: str | None = None
    category: str | None = None
    key: str | None = None
    workspaces: Sequence[str] | None = None
    seen: Sequence[str] | None = None

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


@dataclass(frozen=True)
class Merging:
    """How alike memories of a category must be to be merged, and which of them to look at.

    At most `limit` clusters are merged, of a window that begins `offset` memories from the latest
    used, or from the longest unused with `cold_first`. With `careful`, a source that says more
    than what speaks for it is not archived.
    """

    threshold: float = 0.6
    limit: int = 50
    offset: int = 0
    cold_first: bool = False
    archive_sources: bool = False
    careful: bool = False


@dataclass(frozen=True)
class Consolidated:
    """What merging came to, or would: how many memories were looked at, and what was made."""

    examined: int
    observations: Sequence[Observation]
    archived: Sequence[str]


@dataclass(frozen=True)
class LinkMade:
    """A link between two memories that are alike; similarity in 0..1."""

    source: str
    target: str
    similarity: float


@dataclass(frozen=True)
class Cohered:
    """A pass over the memories: counts, and the links made, or that would be."""

    examined: int
    promoted: int
    faded: int
    updated: int
    links: Sequence[LinkMade]
    archived: Sequence[str]
    completed_at_unix_ms: UnixMs


@dataclass(frozen=True)
class Groomed:
    """A whole pass: coherence, merging by category, and what happened to earlier versions."""

    cohered: Cohered
    consolidated: Sequence[Consolidated]
    retained: Retained
    size_delta_bytes: int
