"""What the figures are: pure functions of ranks and values, every share between 0 and 1."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# 0.29 * 100 is a little under 29.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Hits:
    """Where a question's evidence came, counted from 1, and how much there is of it."""

    ranks: tuple[int, ...]
    evidence: int


@dataclass(frozen=True)
class Bin:
    """Values from `low` up to `high`: how many, their mean, and the share that was right."""

    low: float
    high: float
    count: int
    mean: float | None
    right: float | None


def recall_at(questions: Sequence[Hits], k: int) -> float:
    """The share of questions with any of their evidence among the first `k`."""
    return sum(any(rank <= k for rank in hits.ranks) for hits in questions) / len(questions)


def all_at(questions: Sequence[Hits], k: int) -> float:
    """The share of a question's evidence among the first `k`, averaged."""
    shares = (sum(rank <= k for rank in hits.ranks) / hits.evidence for hits in questions)
    return math.fsum(shares) / len(questions)


def mrr(questions: Sequence[Hits]) -> float:
    """One over the rank of the first evidence, averaged; what was not found counts 0."""
    return math.fsum(1 / min(hits.ranks) for hits in questions if hits.ranks) / len(questions)


def auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """How often a positive is over a negative, of all pairs; a tie counts half."""
    ordered = sorted(negatives)
    twice = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in positives)
    return twice / (2 * len(positives) * len(negatives))


def bound_at(negatives: Sequence[float], false_rate: float) -> float:
    """The lowest bound that at most `false_rate` of the negatives are over."""
    allowed = math.floor(false_rate * len(negatives) + _ROUNDING)
    return -math.inf if allowed >= len(negatives) else sorted(negatives, reverse=True)[allowed]


def kept_at(positives: Sequence[float], negatives: Sequence[float], false_rate: float) -> float:
    """The share of positives over the bound that keeps false ones to `false_rate`."""
    bound = bound_at(negatives, false_rate)
    return sum(value > bound for value in positives) / len(positives)


def share_from(values: Sequence[float], threshold: float) -> float:
    """The share of values that reach a threshold."""
    return sum(value >= threshold for value in values) / len(values)


def reliability(answers: Sequence[tuple[float, bool]], bins: int = 10) -> list[Bin]:
    """Answers (a value in 0..1, and whether it was right) by value, in bins of equal width."""
    binned: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for value, right in answers:
        binned[min(bins - 1, max(0, math.floor(value * bins)))].append((value, right))
    return [_bin(members, place / bins, (place + 1) / bins) for place, members in enumerate(binned)]


def _bin(members: Sequence[tuple[float, bool]], low: float, high: float) -> Bin:
    if not members:
        return Bin(low, high, 0, None, None)
    mean = math.fsum(value for value, _ in members) / len(members)
    return Bin(low, high, len(members), mean, sum(right for _, right in members) / len(members))
