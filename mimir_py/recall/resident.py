"""The resident index: every chunk vector in memory, small enough for a laptop at a million.

A vector is kept as its sign bits (48 bytes) and as int8 (384 bytes). A search ranks by the signs in
which a vector differs from the query, each weighed by how large the query is there (0 to 3: two
bits, so that counting bits is all there is to do). It rescores the best of those with int8, which
is within .003 of the exact cosine; who needs the exact ones reads those few float vectors from the
store. Filters are masks over columns held beside the vectors, so they apply before anything is
ranked. With those columns, a memory of one chunk takes 530 bytes.

Derived from `chunks` and `entities`: it holds the chunks up to a number, as they were at an entry
of the change feed. Whoever reads both brings it further (`dense`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mimir_py.recall.grown import Grown
from mimir_py.recall.masks import NOWHERE, FilterColumns
from mimir_py.recall.models import Filter

# Distance by signs is coarse: a fortieth of all chunks, and never fewer than these, go on to the
# int8 vectors, which keeps recall@10 at .99 and more (scripts/bench measures it at every size).
# Signs without weights would need three times as many.
_COARSE_SHARE: Final = 40
_COARSE_LEAST: Final = 1_024
# What a search makes of so many chunks at a time stays in the processor's cache.
_BLOCK: Final = 32_768
_FINE_BLOCK: Final = 512
_FILTERS_HELD: Final = 4
_MOST_WEIGHT: Final = 3
# The share of a query's numbers that are not cut to the largest weight.
_UNCUT: Final = 0.97
_TINY: Final = 1e-12

ChunkRow = tuple[int, int, int, int, bytes]
Places = NDArray[np.integer[Any]]


class Near(NamedTuple):
    """A chunk found, the memory it is of, its cosine to the query, and its span there."""

    chunk_id: int
    row_id: int
    cosine: float
    span: tuple[int, int]


class Resident:
    """Vectors and filter columns of one store.

    `after` is the last chunk it has got to, `seen` the entry of the change feed it knows.
    """

    def __init__(self, dimension: int, model_id: int, seen: int) -> None:
        self.model_id = model_id
        self.seen = seen
        self.after = 0
        self._dimension = dimension
        self._memories = FilterColumns()
        # The chunks of a memory are a chain: its last one, and of each chunk the one before.
        # Counted from 1; 0 ends it.
        self._last_chunk = Grown(np.int32)
        self._previous = Grown(np.int32)
        self._chunk_ids = Grown(np.int64)
        self._spans = Grown(np.int32, 2)
        self._owner = Grown(np.int32)
        self._live = Grown(np.bool_)
        # One array per word: a search goes through each of them from end to end.
        self._signs = [Grown(np.uint64) for _ in range(dimension // 64)]
        self._bytes = Grown(np.int8, dimension)
        # What an int8 vector must be multiplied by to be of length 1.
        self._scales = Grown(np.float32)
        self._columns = (
            *(self._chunk_ids, self._previous, self._spans, self._owner, self._live),
            *(*self._signs, self._bytes, self._scales),
        )
        # Places of chunks that were taken out.
        self._free: list[int] = []
        # Which chunks the latest filters leave, until something changes.
        self._allowed: dict[Filter, NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return len(self._chunk_ids) - len(self._free)

    @property
    def nbytes(self) -> int:
        """Bytes all of its arrays take."""
        own = sum(column.nbytes for column in (*self._columns, self._last_chunk))
        return own + self._memories.nbytes

    def unknown(self, row_ids: Sequence[int]) -> list[int]:
        """Those of the memories whose columns were never put, each once."""
        distinct = list(dict.fromkeys(row_ids))
        places = self._memories.places(distinct).tolist()
        return [row for row, place in zip(distinct, places, strict=True) if place == NOWHERE]

    def put_columns(self, columns: Iterable[tuple[Any, ...]]) -> None:
        """Set what filters read of memories, each (row_id, *masks.COLUMNS)."""
        self._memories.put(columns)
        self._last_chunk.lengthen(len(self._memories))
        self._allowed.clear()

    def remove(self, row_ids: Sequence[int]) -> None:
        """Take the chunks of some memories out."""
        owners = self._memories.places(row_ids)
        owners = owners[owners != NOWHERE]
        places, _ = self._chunks_of(owners)
        self._live.view[places] = False
        self._allowed.clear()
        self._last_chunk.view[owners] = 0
        self._free.extend(places.tolist())

    def add(self, found: Sequence[ChunkRow]) -> None:
        """Add chunks of memories whose columns are here, in the order of their ids."""
        # A damaged disk may have cut vectors short.
        whole = 4 * self._dimension
        chunks = [chunk for chunk in found if len(chunk[4]) == whole]
        if not chunks:
            return
        chunk_ids, row_ids, starts, stops, blobs = zip(*chunks, strict=True)
        owners = self._memories.places(row_ids)
        places = self._taken_places(len(chunks))
        self._link(owners, places)
        self._owner.view[places] = owners
        self._chunk_ids.view[places] = chunk_ids
        self._spans.view[places] = np.array([starts, stops], dtype=np.int32).T
        self._live.view[places] = True
        self._allowed.clear()
        vectors = np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(chunks), -1)
        for column, words in zip(self._signs, _words(vectors > 0).T, strict=True):
            column.view[places] = words
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        rounded = np.rint(vectors * (127.0 / np.where(largest > 0, largest, 1.0)))
        self._bytes.view[places] = rounded.astype(np.int8)
        norms = np.sqrt(np.einsum("ij,ij->i", rounded, rounded))
        self._scales.view[places] = 1.0 / np.where(norms > 0, norms, 1.0)

    def nearest(
        self, vector: bytes, filter: Filter, count: int, faded: Sequence[int]
    ) -> list[Near]:
        """The `count` nearest chunks, nearest first.

        `faded` are memories to leave out whatever the filter says.
        """
        allowed = self._passing(replace(filter, in_force_at=None))
        hidden = self._memories.places(faded)
        if filter.in_force_at is not None:
            hidden = np.concatenate([hidden, self._memories.replaced(filter.in_force_at)])
        if len(hidden):
            allowed = allowed.copy()
            allowed[self._chunks_of(hidden)[0]] = False
        query = np.frombuffer(vector, dtype="<f4")
        best, cosines = self._fine(self._coarse(allowed, query, count), query, count)
        return [
            Near(*found)
            for found in zip(
                self._chunk_ids.view[best].tolist(),
                self._memories.row_ids[self._owner.view[best]].tolist(),
                cosines.tolist(),
                map(tuple, self._spans.view[best].tolist()),
                strict=True,
            )
        ]

    def cosines(self, vector: bytes, row_ids: Sequence[int]) -> dict[int, float]:
        """The cosine of the nearest chunk of each of some memories, of those that have one."""
        owners = self._memories.places(row_ids)
        places, which = self._chunks_of(owners)
        values = self._similarities(places, np.frombuffer(vector, dtype="<f4"))
        best = np.full(len(row_ids), -np.inf, dtype=np.float32)
        np.maximum.at(best, which, values)
        return {
            row_id: value
            for row_id, value in zip(row_ids, best.tolist(), strict=True)
            if value != -np.inf
        }

    def _passing(self, filter: Filter) -> NDArray[np.bool_]:
        """Which chunks are of memories that may answer. Not to be written to."""
        allowed = self._allowed.get(filter)
        if allowed is None:
            allowed = self._live.view & self._memories.mask(filter).take(self._owner.view)
            if len(self._allowed) >= _FILTERS_HELD:
                self._allowed.clear()
            self._allowed[filter] = allowed
        return allowed

    def _taken_places(self, count: int) -> Places:
        """Places for so many chunks: those that have become free, then new ones."""
        again = [self._free.pop() for _ in range(min(count, len(self._free)))]
        first = len(self._chunk_ids)
        last = first + count - len(again)
        for column in self._columns:
            column.lengthen(last)
        return np.array([*again, *range(first, last)], dtype=np.int32)

    def _link(self, owners: Places, places: Places) -> None:
        """Put new chunks, one an owner, at the ends of their memories' chains."""
        order = np.argsort(owners, kind="stable")
        owners, chunks = owners[order], places[order] + 1
        previous = self._last_chunk.view[owners]
        follows = np.flatnonzero(owners[1:] == owners[:-1]) + 1
        previous[follows] = chunks[follows - 1]
        self._previous.view[chunks - 1] = previous
        # In order: of several chunks of one memory the last one stays.
        self._last_chunk.view[owners] = chunks

    def _chunks_of(self, owners: Places) -> tuple[Places, Places]:
        """Places of all chunks of memories, and for each which of `owners` it is of."""
        which = np.flatnonzero(owners != NOWHERE)
        chunks = self._last_chunk.view[owners[which]]
        places, whose = [], []
        while len(which):
            there = chunks > 0
            which, chunks = which[there], chunks[there]
            places.append(chunks - 1)
            whose.append(which)
            chunks = self._previous.view[chunks - 1]
        if not places:
            return np.zeros(0, dtype=np.int32), which
        return np.concatenate(places), np.concatenate(whose)

    def _coarse(self, allowed: NDArray[np.bool_], query: NDArray[np.float32], count: int) -> Places:
        """The places of the least distances by sign, and all that tie with the last of them."""
        wanted = max(_COARSE_LEAST, len(self) // _COARSE_SHARE) + count
        if np.count_nonzero(allowed) <= wanted:
            return np.flatnonzero(allowed)
        distances = self._distances(query)
        most = _MOST_WEIGHT * self._dimension
        distances[~allowed] = most + 1
        totals = np.cumsum(np.bincount(distances, minlength=most + 2))
        farthest = min(int(np.searchsorted(totals, wanted)), most)
        return np.flatnonzero(distances <= farthest)

    def _distances(self, query: NDArray[np.float32]) -> NDArray[np.uint16]:
        """The weights of the signs in which each chunk differs from the query, added up."""
        [signs] = _words(query[np.newaxis] > 0)
        ones, twos = _weights(query)
        columns = [column.view for column in self._signs]
        distances = np.zeros(len(columns[0]), dtype=np.uint16)
        both = np.empty((2, min(_BLOCK, len(distances))), dtype=np.uint64)
        for start in range(0, len(distances), _BLOCK):
            block = distances[start : start + _BLOCK]
            differing, weighed = both[:, : len(block)]
            for column, sign, one, two in zip(columns, signs, ones, twos, strict=True):
                np.bitwise_xor(column[start : start + _BLOCK], sign, out=differing)
                block += np.bitwise_count(np.bitwise_and(differing, one, out=weighed))
                block += 2 * np.bitwise_count(np.bitwise_and(differing, two, out=weighed))
        return distances

    def _fine(
        self, places: Places, query: NDArray[np.float32], count: int
    ) -> tuple[Places, NDArray[np.float32]]:
        similarities = self._similarities(places, query)
        if len(places) > count:
            kept = np.argpartition(-similarities, count)[:count]
            places, similarities = places[kept], similarities[kept]
        order = np.argsort(-similarities, kind="stable")
        return places[order], similarities[order]

    def _similarities(self, places: Places, query: NDArray[np.float32]) -> NDArray[np.float32]:
        products = np.empty(len(places), dtype=np.float32)
        for start in range(0, len(places), _FINE_BLOCK):
            block = self._bytes.view[places[start : start + _FINE_BLOCK]]
            # Not a BLAS product: that waits for threads of its own when others keep a core busy.
            np.einsum("ij,j->i", block, query, out=products[start : start + _FINE_BLOCK])
        products *= self._scales.view[places]
        return products


def _weights(query: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Bit words of the weights of a query's numbers: their ones, and their twos."""
    sizes = np.abs(query)
    weights = np.rint(sizes * (_MOST_WEIGHT / max(float(np.quantile(sizes, _UNCUT)), _TINY)))
    weights = np.minimum(weights, _MOST_WEIGHT).astype(np.uint8)
    return _words(np.stack([weights & 1, weights & 2]) > 0)


def _words(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Bits of each row, 64 to a word; only ever compared with each other."""
    return np.packbits(bits, axis=1).view(np.uint64)
