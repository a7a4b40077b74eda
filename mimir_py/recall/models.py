"""What is asked of recall, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mimir_py.entities import Entity
from mimir_py.security import Trust
from mimir_py.values import UnixMs

# What is put into a prompt unasked is at least so likely to answer; scripts/eval reports how often
# that is wrong.
CONTEXT_MIN_RELEVANCE: Final = 0.3


class Mode(StrEnum):
    """Which arms answer: keywords, vectors, or both fused."""

    KEYWORD = "fts5"
    DENSE = "dense"
    HYBRID = "hybrid"


class Fusion(StrEnum):
    """How the arms' findings are put in one order."""

    RESCORED = "rescored"
    RRF = "rrf"


class ValidOp(StrEnum):
    """How a memory's period of validity must lie to the period asked for."""

    OVERLAPS = "overlaps"
    CONTAINS = "contains"


@dataclass(frozen=True)
class Filter:
    """Which memories may answer. `None` means any; every arm applies all of it.

    `workspaces` are exact names, "" being the global one. `valid_at` wins over the period.
    `in_force_at` leaves out what another memory took the place of by then.
    """

    category: str | None = None
    excluded_categories: tuple[str, ...] = ()
    type: str | None = None
    topic_path: str | None = None
    workspaces: tuple[str, ...] | None = None
    agent_id: str | None = None
    layer: str | None = None
    include_archived: bool = False
    min_decay: float = 0.0
    always_on: bool | None = None
    min_trust: Trust | None = None
    valid_at: UnixMs | None = None
    valid_from: UnixMs | None = None
    valid_to: UnixMs | None = None
    valid_op: ValidOp = ValidOp.OVERLAPS
    in_force_at: UnixMs | None = None

    @property
    def asks_for_the_past(self) -> bool:
        """Whether what is no longer in force is wanted too."""
        periods = (self.valid_at, self.valid_from, self.valid_to)
        return self.include_archived or any(bound is not None for bound in periods)


@dataclass(frozen=True)
class Boosts:
    """Adjustments of the order, all off by default. Weights are added to scores in 0..1."""

    content_weight: float = 0.0
    trust_weight: float = 0.0
    diversity_halving: float = 1.0
    recency_half_life_s: float | None = None

    @property
    def any(self) -> bool:
        return self != Boosts()


@dataclass(frozen=True)
class Query:
    """One recall. An empty text browses, newest first.

    Memories below `min_relevance` (0..1) are left out.
    """

    text: str
    mode: Mode = Mode.HYBRID
    fusion: Fusion = Fusion.RESCORED
    min_relevance: float = 0.0
    filter: Filter = field(default_factory=Filter)
    boosts: Boosts = field(default_factory=Boosts)
    limit: int = 10
    offset: int = 0
    variants: int = 0
    explain: bool = False

    @property
    def is_rescored(self) -> bool:
        """Whether the fitted order decides, not that of an arm or of plain fusion."""
        return self.mode is Mode.HYBRID and self.fusion is Fusion.RESCORED


@dataclass(frozen=True)
class Passage:
    """The part of a long body that answers, and the line in it that most looks like the answer.

    Offsets count characters of the body's searchable text.
    """

    text: str
    offset: int
    line_offset: int


@dataclass(frozen=True)
class Explanation:
    """What each arm found of a memory, and what each feature gave to its place.

    Ranks count from 1; `None`: that arm did not find it. `contributions` are (value of the feature,
    what it adds to the raw score), and add up to `raw_score`.
    """

    keyword_rank: int | None = None
    dense_rank: int | None = None
    is_named: bool = False
    is_linked: bool = False
    raw_score: float = 0.0
    contributions: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A memory one arm proposes, with the span of its best chunk where the arm knows it."""

    row_id: int
    score: float
    span: tuple[int, int] | None = None
    alias: str | None = None


@dataclass(frozen=True)
class Ranked:
    """A candidate in its place. `relevance` is the chance, 0..1, that it answers the query."""

    row_id: int
    score: float
    relevance: float
    span: tuple[int, int] | None = None
    alias: str | None = None
    explanation: Explanation = field(default_factory=Explanation)


@dataclass(frozen=True)
class Hit:
    """A memory found. `score` is in 0..1; `key` is the alias it was asked by, or its own.

    `relevance` is `None` where nothing was asked.
    """

    entity: Entity
    score: float
    key: str
    relevance: float | None = None
    passage: Passage | None = None
    explanation: Explanation = field(default_factory=Explanation)


@dataclass(frozen=True)
class IndexState:
    """How far the vectors of a store have been loaded: up to chunk `done` of `total`.

    Searches go through what is there, until it is all.
    """

    done: int
    total: int

    @property
    def share(self) -> float:
        """How much of it is done, 0..1."""
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True)
class Found:
    """The page of hits, best first, and the query texts that were searched.

    `asked` tells a first page that was searched for from one that was browsed or turned to.
    `building` is set while the vectors are still being loaded; `damaged` are the ids of memories
    left out because their text changed on the disk.
    """

    hits: tuple[Hit, ...]
    variants: tuple[str, ...] = ()
    asked: bool = False
    building: IndexState | None = None
    damaged: tuple[str, ...] = ()
