"""The nearest by meaning are those that comparing all with all finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.quality.neighbours import Chunk, Neighbours

_WIDTH = 4


def _chunks(generator, rows):
    """Memories of one to three chunks, in two places."""
    found = []
    for row in rows:
        for vector in generator.standard_normal((generator.integers(1, 4), _WIDTH)):
            unit = (vector / np.linalg.norm(vector)).astype("<f4")
            found.append(Chunk(row, "ab"[row % 2], unit.tobytes()))
    return found


def _by_hand(chunk, others, count):
    best = {}
    for other in others:
        if other.row_id != chunk.row_id and other.place == chunk.place:
            one, two = (np.frombuffer(c.vector, "<f4") for c in (chunk, other))
            best[other.row_id] = max(best.get(other.row_id, -2.0), float(one @ two))
    return sorted(best.items(), key=lambda entry: -entry[1])[:count]


@given(seed=st.integers(0, 10_000), size=st.integers(0, 30), block=st.integers(1, 40))
def test_the_nearest_are_found_in_blocks_of_any_size(seed, size, block):
    generator = np.random.default_rng(seed)
    others = _chunks(generator, range(size))
    wanted = [chunk for chunk in others if chunk.row_id % 3 == 0]
    wanted = list({chunk.row_id: chunk for chunk in wanted}.values())

    neighbours = Neighbours(wanted, 5)
    for start in range(0, size, block):
        rows = range(start, start + block)
        neighbours.add([chunk for chunk in others if chunk.row_id in rows])
    found = list(neighbours.pairs(-1.5))

    for chunk in wanted:
        near = {n.other: n.similarity for n in found if n.row_id == chunk.row_id}
        assert near == pytest.approx(dict(_by_hand(chunk, others, 5)), abs=1e-5)


def test_only_those_that_are_near_enough_are_told():
    along, across = (np.array(v, "<f4").tobytes() for v in ([1, 0], [0, 1]))
    neighbours = Neighbours([Chunk(1, "", along)], 3)

    neighbours.add([Chunk(1, "", along), Chunk(2, "", across), Chunk(3, "", along)])
    neighbours.add([Chunk(4, "", along[:4])])

    assert list(neighbours.pairs(0.5)) == [(1, 3, 1.0)]
