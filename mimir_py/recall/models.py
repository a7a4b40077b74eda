"""What is asked of recall, and what it finds."""

from dataclasses import dataclass, field
from enum import StrEnum

from mimir_py.entities import Entity
from mimir_py.values import UnixMs


class Mode(StrEnum):
    """Which arms answer: keywords, vectors, or both fused."""

    KEYWORD = "fts5"
    DENSE = "dense"
    HYBRID = "hybrid"


class ValidOp(StrEnum):
    """How a memory's period of validity must lie to the period asked for."""

    OVERLAPS = "overlaps"
    CONTAINS = "contains"


@dataclass(frozen=True)
class Filter:
    """Which memories may answer. `None` means any; every arm applies all of it.

    `workspaces` are exact names, "" being the global one. `valid_at` wins over the period.
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
    valid_at: UnixMs | None = None
    valid_from: UnixMs | None = None
    valid_to: UnixMs | None = None
    valid_op: ValidOp = ValidOp.OVERLAPS


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
    """One recall. An empty text browses, newest first."""

    text: str
    mode: Mode = Mode.HYBRID
    filter: Filter = field(default_factory=Filter)
    boosts: Boosts = field(default_factory=Boosts)
    limit: int = 10
    offset: int = 0
    variants: int = 0


@dataclass(frozen=True)
class Passage:
    """The part of a long body that answers; `offset` counts characters of its searchable text."""

    text: str
    offset: int


@dataclass(frozen=True)
class Hit:
    """A memory found. `score` is in 0..1; `key` is the alias it was asked by, or its own."""

    entity: Entity
    score: float
    key: str
    passage: Passage | None = None


@dataclass(frozen=True)
class Found:
    """The page of hits, best first, and the query texts that were searched."""

    hits: tuple[Hit, ...]
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A memory one arm proposes, with the span of its best chunk where the arm knows it."""

    row_id: int
    score: float
    span: tuple[int, int] | None = None
    alias: str | None = None
