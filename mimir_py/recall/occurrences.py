"""Where the terms of a query stand in the memories of a pool: one pass over their index terms."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mimir_py.storage.terms import EXTRA, word_terms

Floats = NDArray[np.float64]

PASSAGE: Final = 40
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
    place = {term: number for number, term in enumerate(stems)}
    place_of_extra = {term: number for number, term in enumerate(extras, start=len(stems))}
    time = len(stems) + len(extras)
    for term in TIME_TERMS:
        place.setdefault(term, time)
    width = time + 1
    weights = passage_weights.tolist()
    lengths, openings, numbers, passages = [], [], [], []
    in_bodies: list[int] = []
    in_labels: list[int] = []
    for row, (label, body) in enumerate(zip(labels, bodies, strict=True)):
        tokens, label_tokens = _stems(body), _stems(label)
        openings.append(tokens[0] if tokens else "")
        lengths.append(len(tokens) + len(label_tokens))
        found = [(at, place[token]) for at, token in enumerate(tokens) if token in place]
        first = row * width
        in_bodies += [first + column for _, column in found]
        in_labels += [first + place[token] for token in label_tokens if token in place]
        if extras:
            in_bodies += [first + place_of_extra[extra] for extra in _held(extras, body)]
            in_labels += [first + place_of_extra[extra] for extra in _held(extras, label)]
        passages.append(_best_passage(found, weights))
        numbers.append(_count_numbers(tokens) if with_numbers else 0)
    of_bodies = _table(in_bodies, len(lengths), width)
    of_labels = _table(in_labels, len(lengths), width)
    temporal = [time, *(number for number, term in enumerate(stems) if term in TIME_TERMS)]
    return Occurrences(
        np.array(lengths, dtype=np.float64),
        of_bodies[:, :time],
        of_labels[:, :time],
        openings,
        of_bodies[:, temporal].sum(axis=1),
        np.array(numbers, dtype=np.float64),
        np.array(passages),
    )


def _stems(terms: str) -> list[str]:
    """The words of a run of terms, without the extras behind them."""
    return f" {terms}".partition(f" {EXTRA}")[0].split()


def _held(extras: Sequence[str], terms: str) -> list[str]:
    padded = f" {terms} "
    return [extra for extra in extras if f" {extra} " in padded]


def _count_numbers(tokens: Sequence[str]) -> int:
    return sum(token.isdigit() or token in NUMBER_TERMS for token in tokens)


def _best_passage(found: Sequence[tuple[int, int]], weights: Sequence[float]) -> float:
    """The most weight of different terms within any passage."""
    if not found:
        return 0.0
    if found[-1][0] - found[0][0] < PASSAGE:
        return sum(weights[column] for column in {c for _, c in found} if column < len(weights))
    best = weight = 0.0
    start = 0
    held: Counter[int] = Counter()
    for at, column in found:
        if column >= len(weights):
            continue
        if not held[column]:
            weight += weights[column]
        held[column] += 1
        while found[start][0] <= at - PASSAGE:
            weight -= _let_go(found[start][1], held, weights)
            start += 1
        best = max(best, weight)
    return best


def _let_go(column: int, held: Counter[int], weights: Sequence[float]) -> float:
    if column >= len(weights):
        return 0.0
    held[column] -= 1
    return 0.0 if held[column] else weights[column]


def _table(cells: Sequence[int], rows: int, width: int) -> Floats:
    counts = np.bincount(np.array(cells, dtype=np.intp), minlength=rows * width)
    return counts.reshape(rows, width).astype(np.float64)
