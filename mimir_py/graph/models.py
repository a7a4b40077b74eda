"""What is asked of the graph, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from mimir_py.entities import Entity, Link


class Direction(StrEnum):
    """Which links of a memory a walk follows: from it, to it, or both."""

    OUT = "out"
    IN = "in"
    BOTH = "both"

    @property
    def reverse(self) -> "Direction":
        """The direction that walks the same links from their other ends."""
        return {Direction.OUT: Direction.IN, Direction.IN: Direction.OUT}.get(self, self)


@dataclass(frozen=True)
class View:
    """What a walk may see: live memories of some workspaces, links of some kinds. `None`: any."""

    workspaces: tuple[str, ...] | None = None
    relationships: tuple[str, ...] | None = None
    direction: Direction = Direction.OUT


class Edge(NamedTuple):
    """A link as a walk meets it, from the `near` row to the `far` one.

    `is_forward` tells that the link itself leads that way. Weight in 0..1.
    """

    link_id: int
    near: int
    far: int
    weight: float
    is_forward: bool


class Step(NamedTuple):
    """A memory a walk came to: after how many links, and over which last."""

    row_id: int
    depth: int
    edge: Edge


class Node(NamedTuple):
    """What a walk tells of a memory; nothing of a body that changed on the disk."""

    row_id: int
    id: str
    category: str
    key: str
    workspace_hash: str
    body_json: str
    is_sound: bool


class Telling(NamedTuple):
    """What a summary tells of a memory."""

    category: str
    key: str
    tags: tuple[str, ...]
    body_json: str


@dataclass(frozen=True)
class Walk:
    """Memories in the order they were come to; `is_whole` unless a limit kept some out."""

    steps: Sequence[Step]
    is_whole: bool


@dataclass(frozen=True)
class Linked:
    """What became of a wish to link; `is_new` if there was no such link before."""

    source: Entity
    target: Entity
    link: Link
    is_new: bool


@dataclass(frozen=True)
class Reached:
    """A memory of a traversal or a path; `via` is the id of the one before it."""

    entity: Node
    depth: int
    link: Link
    is_forward: bool
    via: str


@dataclass(frozen=True)
class Traversal:
    """A memory and those around it. `links` are the visible ones, by the row they lead from."""

    root: Node
    reached: Sequence[Reached]
    links: Mapping[int, Sequence[tuple[str, str]]]
    is_whole: bool


@dataclass(frozen=True)
class Path:
    """The memories from one to another, the first without a link; empty if there is no way.

    `is_whole` is false when the search ended at its limits: there may be a way all the same.
    """

    start: Node
    reached: Sequence[Reached]
    found: bool
    is_whole: bool


@dataclass(frozen=True)
class Related:
    """A memory and its share, 0..1, of the walks that begin at the seeds."""

    entity: Node
    score: float
