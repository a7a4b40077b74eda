"""Reciprocal rank fusion: one order out of several."""

from collections.abc import Mapping, Sequence
from typing import Final

# Cormack, Clarke and Büttcher 2009: k = 60 damps the first ranks' lead.
RRF_K: Final = 60
DENSE_WEIGHT: Final = 1.0
KEYWORD_WEIGHT: Final = 1.0
# A query that is a memory's very name leads, whatever the other arms say.
NAME_WEIGHT: Final = 3.0


def fuse(arms: Sequence[tuple[float, Sequence[int]]]) -> Mapping[int, float]:
    """Scores in 0..1 of everything the arms rank, each arm being (weight, ids best first).

    score(id) = Σ weight / (k + rank), rank from 1, divided by what first place in the two
    searching arms together would give.
    """
    scores: dict[int, float] = {}
    for weight, ranking in arms:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (RRF_K + rank)
    best = (DENSE_WEIGHT + KEYWORD_WEIGHT) / (RRF_K + 1)
    return {item: min(1.0, score / best) for item, score in scores.items()}
