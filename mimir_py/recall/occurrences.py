"""Where the terms of a query stand in the memories of a pool: one pass over their index terms."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mimir_py.storage.terms import EXTRA, word_terms

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

PASSAGE: Final = 40
_NO_COLUMN, _AT_TURN, _AT_END = -1, -2, -3
_TURN, _END = "\x00", "\x01"
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


class Occurrences(NamedTuple):
    """One row a memory; columns of `in_body` and `in_label`: the query's stems, then its extras."""

    lengths: Floats
    in_body: Floats
    in_label: Floats
    openings: list[str]
    times: Floats
    numbers: Floats
    passages: Floats
    pairs: Floats


class _Hits(NamedTuple):
    """Terms looked for, as they come: in which run, where in it, and which of them."""

    rows: Places
    at: Places
    columns: Places

    def table(self, rows: int, width: int) -> Floats:
        """How often each run has each of them."""
        cells = np.bincount(self.rows * width + self.columns, minlength=rows * width)
        return cells.reshape(rows, width).astype(np.float64)

    def where(self, holds: NDArray[np.bool_]) -> "_Hits":
        return _Hits(self.rows[holds], self.at[holds], self.columns[holds])


def count(
    stems: Sequence[str],
    extras: Sequence[str],
    labels: Sequence[str],
    bodies: Sequence[str],
    passage_weights: Floats,
    *,
    with_numbers: bool,
) -> Occurrences:
    """Count stems and extras, in that order; `passage_weights` weigh the stems for `passages`.

    `numbers` are counted only where asked for.
    """
    size, split = len(bodies), len(stems)
    place = _places(stems, extras)
    width = max(place.values(), default=0) + 1
    runs = _Runs([*bodies, *labels], place)
    hits, is_word = runs.found, runs.is_word
    words, others = (hits.where(which).table(2 * size, width) for which in (is_word, ~is_word))
    # A name in capitals in the middle, such as `GitHub`, may be written as a plain word.
    held = np.minimum(words + others, 1.0)[:, [place[term] for term in extras]]
    of_bodies = hits.where(is_word & (hits.rows < size))
    temporal = sorted({place[term] for term in TIME_TERMS})
    numbers = [_count_numbers(runs.words(run)) for run in range(size)] if with_numbers else []
    return Occurrences(
        (runs.lengths[:size] + runs.lengths[size:]).astype(np.float64),
        np.hstack([words[:size, :split], held[:size]]),
        np.hstack([words[size:, :split], held[size:]]),
        [runs.opening(run) for run in range(size)],
        words[:size, temporal].sum(axis=1),
        np.array(numbers or [0] * size, dtype=np.float64),
        _passages(of_bodies, words[:size, :split] > 0, passage_weights),
        _pairs(of_bodies, size, width, split),
    )


def _places(stems: Sequence[str], extras: Sequence[str]) -> dict[str, int]:
    """A column for every term: the stems, then extras that are none of them, then all of time."""
    place = {term: number for number, term in enumerate(stems)}
    for term in extras:
        place.setdefault(term, len(place))
    time = len(place)
    return place | {term: place.get(term, time) for term in TIME_TERMS}


class _Runs:
    """Texts of index terms, split as one: that is several times as fast as one by one.

    `lengths` are words each; what `found` of the terms in `place` are words, not extras, `is_word`
    tells.
    """

    def __init__(self, texts: Sequence[str], place: Mapping[str, int]) -> None:
        # Terms hold no control characters.
        parted = (f" {text}".partition(f" {EXTRA}") for text in texts)
        joined = "".join(f"{words} {_TURN} {mark}{rest} {_END} " for words, mark, rest in parted)
        self._tokens = joined.split()
        signs = {_TURN: _AT_TURN, _END: _AT_END}
        columns = np.fromiter(
            map({**place, **signs}.get, self._tokens, itertools.repeat(_NO_COLUMN)),
            np.intp,
            len(self._tokens),
        )
        ends = np.flatnonzero(columns == _AT_END)
        self._turns = np.flatnonzero(columns == _AT_TURN)
        self._starts = np.concatenate([[0], ends + 1])[: len(texts)]
        self.lengths = self._turns - self._starts
        found = np.flatnonzero(columns >= 0)
        rows = np.searchsorted(ends, found)
        self.found = _Hits(rows, found - self._starts[rows], columns[found])
        self.is_word = found < self._turns[rows]

    def words(self, run: int) -> list[str]:
        return self._tokens[self._starts[run] : self._turns[run]]

    def opening(self, run: int) -> str:
        """The first word, if there is one."""
        return self._tokens[self._starts[run]] if self.lengths[run] else ""


def _count_numbers(tokens: Sequence[str]) -> int:
    return sum(token.isdigit() or token in NUMBER_TERMS for token in tokens)


def _pairs(hits: _Hits, size: int, width: int, stems: int) -> Floats:
    """The share of neighbouring stems of the query that stand together."""
    rows, at, columns = hits
    together = (rows[1:] == rows[:-1]) & (at[1:] == at[:-1] + 1)
    together &= (columns[1:] == columns[:-1] + 1) & (columns[1:] < stems)
    found = _Hits(rows[1:][together], at[1:][together], columns[1:][together])
    shares: Floats = (found.table(size, width) > 0).sum(axis=1) / max(stems - 1, 1)
    return shares


def _passages(hits: _Hits, held: NDArray[np.bool_], weights: Floats) -> Floats:
    """The most weight of different terms within any passage, of each memory."""
    best: Floats = held @ weights
    weighed = hits.columns < len(weights)
    rows, at, columns = (values[weighed] for values in hits)
    starts = np.searchsorted(rows, np.arange(len(best) + 1))
    for row in range(len(best)):
        first, last = starts[row], starts[row + 1]
        # Where all of them stand within one passage that is what they weigh together.
        if last > first and at[last - 1] - at[first] >= PASSAGE:
            found = zip(at[first:last].tolist(), columns[first:last].tolist(), strict=True)
            best[row] = _best_passage(list(found), weights.tolist())
    return best


def _best_passage(found: Sequence[tuple[int, int]], weights: Sequence[float]) -> float:
    best = weight = 0.0
    start = 0
    held: Counter[int] = Counter()
    for at, column in found:
        if not held[column]:
            weight += weights[column]
        held[column] += 1
        while found[start][0] <= at - PASSAGE:
            left = found[start][1]
            held[left] -= 1
            if not held[left]:
                weight -= weights[left]
            start += 1
        best = max(best, weight)
    return best
