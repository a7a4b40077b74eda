"""What is asked of a context block, and what it is."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """`on_demand` answers the task at hand; `always_inject` is the older habit of the latest."""

    ON_DEMAND = "on_demand"
    ALWAYS_INJECT = "always_inject"


@dataclass(frozen=True)
class Wanted:
    """A block to make. `workspaces` `None`: all; `budget` in characters, 0 means none."""

    query: str
    mode: Mode
    limit: int
    budget: int
    categories: tuple[str, ...] = ()
    workspaces: tuple[str, ...] | None = None
    excluded_ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Line:
    """One memory in a block."""

    category: str
    key: str
    text: str
    always_on: bool = False


@dataclass(frozen=True)
class Block:
    """Markdown for a prompt. `injected` counts memories before any cut to the budget."""

    markdown: str
    injected: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Extracted:
    """A sentence, and what kind of memory it would make."""

    kind: str
    text: str
