"""The index terms of memories as numbers, kept from one search to the next.

Taking terms apart costs more than anything that is counted in them, and the memories a person asks
about are much the same from one question to the next.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mimir_py.recall import store
from mimir_py.storage.database import Reader
from mimir_py.storage.terms import EXTRA, QUESTION, word_terms

Codes = NDArray[np.int64]

TIME_TERMS: Final = frozenset(
    word_terms(word)[0][0]
    for word in """
    yesterday today tomorrow tonight last next ago week month year weekend monday tuesday wednesday
    thursday friday saturday sunday january february march april june july august september october
    november december since recently summer winter spring autumn morning night day soon
    """.split()
) | frozenset(str(year) for year in range(1990, 2050))
NUMBER_TERMS: Final = frozenset(
    word_terms(word)[0][0]
    for word in """
    one two three four five six seven eight nine ten twelve twenty hundred thousand twice once
    couple several dozen
    """.split()
)
# Eight bytes each: what a thousand long memories have, or thirty thousand short ones.
_MOST_CODES: Final = 1_500_000
_MOST_CHANGES: Final = 256


class TermRun(NamedTuple):
    """One memory: `codes` of its terms in four parts, whose lengths are `parts`.

    The parts are the words of its body, its extras, and the same two of its label; a code is the
    hash of a term, which is another one in every process. `times` and `numbers` are how many words
    of its body tell a time or a number.
    """

    codes: Codes
    parts: tuple[int, int, int, int]
    opening: str
    asks: bool
    times: int
    numbers: int


def term_run(label: str, body: str) -> TermRun:
    """The index terms of a memory, taken apart."""
    words, extras = _parted(body)
    of_label = _parted(label)
    terms = [*words, *extras, *of_label[0], *of_label[1]]
    return TermRun(
        np.fromiter(map(hash, terms), np.int64, len(terms)),
        (len(words), len(extras), len(of_label[0]), len(of_label[1])),
        words[0] if words else "",
        body.endswith(QUESTION),
        sum(map(TIME_TERMS.__contains__, words)),
        sum(map(str.isdigit, words)) + sum(map(NUMBER_TERMS.__contains__, words)),
    )


def _parted(text: str) -> tuple[list[str], list[str]]:
    words, mark, rest = f" {text}".partition(f" {EXTRA}")
    return words.split(), f"{mark}{rest}".split()


class Runs:
    """The term runs of memories looked at lately, as they are in the store.

    Everything here runs on the reading connection's thread.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[int, TermRun] = OrderedDict()
        self._codes = 0
        self._seen = 0

    def of(self, reader: Reader, row_ids: Sequence[int]) -> Mapping[int, TermRun]:
        """The runs of those of the memories that have index terms."""
        self._follow(reader)
        missing = [row_id for row_id in row_ids if row_id not in self._held]
        for row_id, label, body in store.terms(reader, missing) if missing else ():
            run = term_run(label, body)
            self._held[row_id] = run
            self._codes += len(run.codes)
        found = {}
        for row_id in row_ids:
            if row_id in self._held:
                found[row_id] = self._held[row_id]
                self._held.move_to_end(row_id)
        while self._codes > _MOST_CODES:
            self._codes -= len(self._held.popitem(last=False)[1].codes)
        return found

    def _follow(self, reader: Reader) -> None:
        """Forget what has changed since it was read."""
        now = store.last_change(reader)
        if now == self._seen:
            return
        changes = store.changes_after(reader, self._seen, _MOST_CHANGES)
        is_told = self._seen < now and store.first_change(reader) <= self._seen + 1
        changed = {row_id for _, row_id in changes}
        # Row 0 stands for all of them.
        if not is_told or len(changes) == _MOST_CHANGES or 0 in changed:
            self._held.clear()
            self._codes = 0
        for row_id in changed:
            run = self._held.pop(row_id, None) if row_id is not None else None
            self._codes -= len(run.codes) if run is not None else 0
        self._seen = now
