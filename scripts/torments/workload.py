"""Writes one client makes, and what a store must hold after any number of them.

The calls of one connection take effect in order, so whatever a store went through, it must be as it
was after some number of operations: no fewer than were acknowledged, no more than were sent.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.corpus import Corpus

CATEGORY: Final = "torture"
_SHARE_FORGOTTEN: Final = 0.12
_SHARE_CHANGED: Final = 0.4
_SHARE_LONG: Final = 0.01
_SHORT_WORDS: Final = (4, 24)
_LONG_WORDS: Final = (800, 3_000)
# A word no text of the corpus has, and no stemmer shortens.
_LETTERS: Final = "bcdfghjklm"


@dataclass(frozen=True)
class Kept:
    """What is stored under a key: the operations that wrote and forgot it, and older versions."""

    written_by: int
    forgotten_by: int
    versions: int


State = Mapping[str, Kept]


@dataclass(frozen=True)
class Operation:
    """One call; `number` counts from 1."""

    number: int
    tool: str
    key: str

    @property
    def token(self) -> str:
        return token(self.number)


class Workload:
    """An endless mix of remembers of new, of changed and of forgotten memories, and forgets."""

    def __init__(self, source: random.Random, corpus_seed: int) -> None:
        self._random = source
        self._corpus = Corpus(corpus_seed)
        self._states: dict[int, State] = {0: {}}
        self._last = 0
        self.operations: dict[int, Operation] = {}

    def next(self) -> tuple[Operation, Mapping[str, Any]]:
        """The next operation, with the arguments of its tool."""
        state = self._states[self._last]
        number = self._last + 1
        live = [key for key, kept in state.items() if not kept.forgotten_by]
        chance = self._random.random()
        if live and chance < _SHARE_FORGOTTEN:
            key = self._random.choice(live)
            kept = state[key]
            after = Kept(kept.written_by, number, kept.versions)
            return self._noted(Operation(number, "mimir_forget", key), after), {
                "category": CATEGORY,
                "key": key,
                "reason": f"operation {number}",
            }
        if state and chance < _SHARE_FORGOTTEN + _SHARE_CHANGED:
            key = self._random.choice(list(state))
            after = Kept(number, 0, state[key].versions + 1)
        else:
            key, after = f"key-{number}", Kept(number, 0, 0)
        return self._noted(Operation(number, "mimir_remember", key), after), {
            "category": CATEGORY,
            "key": key,
            "body_json": json.dumps({"number": number, "text": self._text(number)}),
        }

    @property
    def settled(self) -> int:
        """How many operations are behind us for good."""
        return min(self._states)

    def after(self, count: int) -> State:
        """What a store holds after that many operations."""
        return self._states[count]

    @property
    def last(self) -> int:
        """The number of the last operation."""
        return self._last

    def undo(self) -> None:
        """Take the last operation back: it was refused."""
        del self._states[self._last], self.operations[self._last]
        self._last -= 1

    def settle(self, count: int) -> None:
        """Go on from the state after `count` operations; the others are forgotten."""
        self._states = {count: self._states[count]}
        self.operations.clear()
        self._last = count

    def _noted(self, operation: Operation, after: Kept) -> Operation:
        self._states[operation.number] = {**self._states[self._last], operation.key: after}
        self._last = operation.number
        self.operations[operation.number] = operation
        return operation

    def _text(self, number: int) -> str:
        low, high = _LONG_WORDS if self._random.random() < _SHARE_LONG else _SHORT_WORDS
        return f"{token(number)} {self._corpus.text(self._random.randint(low, high))}"


def token(number: int) -> str:
    """A word that only the text of that operation has."""
    return "zq" + "".join(_LETTERS[int(digit)] for digit in str(number)) + "zu"
