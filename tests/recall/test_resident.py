"""The resident index against brute force, on vectors that lie as densely as a model's."""

import numpy as np
import pytest

from mimir_py.recall import Filter, resident
from mimir_py.recall.masks import COLUMNS
from mimir_py.recall.resident import Resident

_DIMENSION = 384
_MEMORIES = 30_000
_QUERIES = 40
_POOL = 128


@pytest.fixture(scope="module")
def vectors():
    """Mixtures of four hundred topics and noise around a common mean, larger in some numbers."""
    dice = np.random.default_rng(5)
    sizes = np.exp(0.5 * dice.standard_normal(_DIMENSION))
    topics = dice.standard_normal((400, _DIMENSION)) * sizes
    topics /= np.linalg.norm(topics, axis=1, keepdims=True)
    mean = dice.standard_normal(_DIMENSION) * sizes
    mean *= 0.5 / np.linalg.norm(mean)
    count = _MEMORIES + _QUERIES
    one, other = dice.integers(len(topics), size=(2, count))
    share = dice.random((count, 1))
    noise = dice.standard_normal((count, _DIMENSION)) * (1.6 / _DIMENSION**0.5)
    mixed = mean + topics[one] * share + topics[other] * (1 - share) + noise
    return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype("<f4")


def _row(number):
    return (number, *(f"c{number % 100}" if name == "category" else 0 for name in COLUMNS))


@pytest.fixture(scope="module")
def filled(vectors):
    index = Resident(_DIMENSION, 1, 0)
    for first in range(1, _MEMORIES + 1, 1_000):
        rows = range(first, first + 1_000)
        index.put_columns([_row(row) for row in rows])
        index.add([(row, row, 0, 1, vectors[row - 1].tobytes()) for row in rows])
    return index


def _recall_at_10(index, vectors, filter, rows):
    held, queries = vectors[rows - 1], vectors[_MEMORIES:]
    hits = 0
    for query in queries:
        best = set(rows[np.argsort(-(held @ query))[:10]].tolist())
        found = {near.row_id for near in index.nearest(query.tobytes(), filter, _POOL, ())}
        hits += len(best & found)
    return hits / (10 * len(queries))


def test_the_ten_nearest_are_among_what_is_found(filled, vectors):
    rows = np.arange(1, _MEMORIES + 1)

    assert _recall_at_10(filled, vectors, Filter(), rows) >= 0.99


def test_so_they_are_among_the_few_that_a_filter_leaves(filled, vectors):
    rows = np.arange(7, _MEMORIES + 1, 100)

    assert _recall_at_10(filled, vectors, Filter(category="c7"), rows) == 1.0


def test_signs_alone_would_miss_too_many(filled, vectors, monkeypatch):
    all_alike = np.stack([np.ones(_DIMENSION), np.zeros(_DIMENSION)]) > 0
    monkeypatch.setattr(resident, "_weights", lambda query: resident._words(all_alike))

    assert _recall_at_10(filled, vectors, Filter(), np.arange(1, _MEMORIES + 1)) < 0.95
