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
_NO_COLUMN: Final = -1
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
    """Terms looked for, as they come: in which memory, where in it, and which of them."""

    rows: Places
    at: Places
    columns: Places

    def table(self, rows: int, width: int) -> Floats:
        """How often each memory has each of them."""
        cells = np.bincount(self.rows * width + self.columns, minlength=rows * width)
        return cells.reshape(rows, width).astype(np.float64)


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
    size, width = len(bodies), len(stems) + 1
    time = len(stems)
    place = {term: number for number, term in enumerate(stems)}
    for term in TIME_TERMS:
        place.setdefault(term, time)
    body_stems, body_extras = _parted(bodies)
    label_stems, label_extras = _parted(labels)
    hits = _find(place, body_stems)
    of_bodies = hits.table(size, width)
    of_labels = _find(place, label_stems).table(size, width)
    temporal = [time, *(number for number, term in enumerate(stems) if term in TIME_TERMS)]
    numbers = [_count_numbers(run) for run in body_stems] if with_numbers else [0] * size
    return Occurrences(
        np.array([len(b) + len(la) for b, la in zip(body_stems, label_stems, strict=True)], float),
        np.hstack([of_bodies[:, :time], _held(extras, body_stems, body_extras)]),
        np.hstack([of_labels[:, :time], _held(extras, label_stems, label_extras)]),
        [run[0] if run else "" for run in body_stems],
        of_bodies[:, temporal].sum(axis=1),
        np.array(numbers, dtype=np.float64),
        _passages(hits, of_bodies[:, :time] > 0, passage_weights),
        _pairs(hits, size, len(stems)),
    )


def _parted(texts: Sequence[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Of each run of terms the words, and the extras behind them."""
    stems, extras = [], []
    for text in texts:
        words, mark, rest = f" {text}".partition(f" {EXTRA}")
        stems.append(words.split())
        extras.append((mark + rest).split())
    return stems, extras


def _find(place: Mapping[str, int], runs: Sequence[Sequence[str]]) -> _Hits:
    lengths = np.array([len(run) for run in runs], dtype=np.intp)
    terms = itertools.chain.from_iterable(runs)
    columns = np.fromiter(
        map(place.get, terms, itertools.repeat(_NO_COLUMN)), np.intp, int(lengths.sum())
    )
    found = np.flatnonzero(columns != _NO_COLUMN)
    rows = np.repeat(np.arange(len(runs)), lengths)[found]
    starts = np.cumsum(lengths) - lengths
    return _Hits(rows, found - starts[rows], columns[found])


def _held(
    wanted: Sequence[str], stems: Sequence[Sequence[str]], extras: Sequence[Sequence[str]]
) -> Floats:
    """Which of the wanted extras each memory has, 0 or 1."""
    place = {term: number for number, term in enumerate(wanted)}
    held = _find(place, extras).table(len(extras), len(wanted))
    if not all(term.startswith(EXTRA) for term in wanted):
        # A name in capitals in the middle, such as `GitHub`, may be written as a plain word.
        held += _find(place, stems).table(len(stems), len(wanted))
    return np.minimum(held, 1.0)


def _count_numbers(tokens: Sequence[str]) -> int:
    return sum(token.isdigit() or token in NUMBER_TERMS for token in tokens)


def _pairs(hits: _Hits, size: int, stems: int) -> Floats:
    """The share of neighbouring stems of the query that stand together."""
    rows, at, columns = hits
    together = (rows[1:] == rows[:-1]) & (at[1:] == at[:-1] + 1)
    together &= (columns[1:] == columns[:-1] + 1) & (columns[1:] < stems)
    found = _Hits(rows[1:][together], at[1:][together], columns[1:][together])
    shares: Floats = (found.table(size, stems + 1) > 0).sum(axis=1) / max(stems - 1, 1)
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
