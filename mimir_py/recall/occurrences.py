"""Where the terms of a query stand in the memories of a pool."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mimir_py.recall.runs import Codes, TermRun

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

PASSAGE: Final = 40
# Parts of a term run.
_BODY_WORDS, _LABEL_WORDS, _PARTS = 0, 2, 4


class Occurrences(NamedTuple):
    """One row a memory; columns of `in_body` and `in_label`: the query's stems, then its extras."""

    lengths: Floats
    in_body: Floats
    in_label: Floats
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
    runs: Sequence[TermRun],
    passage_weights: Floats,
) -> Occurrences:
    """Count stems and extras, in that order; `passage_weights` weigh the stems for `passages`."""
    size, split = len(runs), len(stems)
    place = {term: number for number, term in enumerate(stems)}
    for term in extras:
        place.setdefault(term, len(place))
    width = max(1, len(place))
    parts = np.array([run.parts for run in runs], dtype=np.intp).reshape(size, _PARTS)
    hits = _found(
        place, np.concatenate([np.empty(0, np.int64), *(run.codes for run in runs)]), parts
    )
    part = hits.rows % _PARTS
    counted = hits.table(size * _PARTS, width).reshape(size, _PARTS, width)
    # A name in capitals in the middle, such as `GitHub`, may be written as a plain word.
    of_extras = [place[term] for term in extras]

    def held(words: int) -> Floats:
        either = np.minimum(counted[:, words] + counted[:, words + 1], 1.0)
        return np.hstack([counted[:, words, :split], either[:, of_extras]])

    of_bodies = hits.where(part == _BODY_WORDS)
    of_bodies = of_bodies._replace(rows=of_bodies.rows // _PARTS)
    return Occurrences(
        (parts[:, _BODY_WORDS] + parts[:, _LABEL_WORDS]).astype(np.float64),
        held(_BODY_WORDS),
        held(_LABEL_WORDS),
        _passages(of_bodies, counted[:, _BODY_WORDS, :split] > 0, passage_weights),
        _pairs(of_bodies, size, width, split),
    )


def _found(place: Mapping[str, int], codes: Codes, parts: Places) -> _Hits:
    """Where any of the terms in `place` stand among the codes of many runs, part after part."""
    wanted = np.array([hash(term) for term in place] or [0], dtype=np.int64)
    columns = np.array(list(place.values()) or [0], dtype=np.intp)
    order = np.argsort(wanted)
    nearest = order[np.searchsorted(wanted, codes, sorter=order).clip(max=len(order) - 1)]
    found = np.flatnonzero(wanted[nearest] == codes) if place else np.empty(0, np.intp)
    ends = np.cumsum(parts.ravel())
    rows = np.searchsorted(ends, found, side="right")
    return _Hits(rows, found - (ends - parts.ravel())[rows], columns[nearest[found]])


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
