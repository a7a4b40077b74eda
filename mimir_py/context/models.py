"""What is asked of a context block, and what it is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mimir_py.entities import Entity

_LEAST_CHARS: Final = 200
_MOST_CHARS: Final = 200_000
_USUAL_CHARS: Final = 1_500
_LARGE_MODEL_CHARS: Final = 6_000
_LARGE_MODEL: Final = "opus"


class Mode(StrEnum):
    """`on_demand` answers the task at hand; `always_inject` is the older habit of the latest."""

    ON_DEMAND = "on_demand"
    ALWAYS_INJECT = "always_inject"


def budget_of(mode: Mode, model: str | None, given: int | None) -> int:
    """The most characters of a block: as given, or by the model's size; 0 is no limit."""
    if given is not None:
        return min(max(given, _LEAST_CHARS), _MOST_CHARS)
    if mode is Mode.ALWAYS_INJECT:
        return 0
    return _LARGE_MODEL_CHARS if _LARGE_MODEL in (model or "").lower() else _USUAL_CHARS


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
class Preparation:
    """What to tell an agent before a task: memories that ask for it, and a block for the task.

    `markdown` is both in one.
    """

    brought_up: tuple[Entity, ...]
    block: Block
    markdown: str


@dataclass(frozen=True)
class Extracted:
    """A sentence, and what kind of memory it would make."""

    kind: str
    text: str
