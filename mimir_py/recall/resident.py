"""The resident index: every chunk vector in memory, small enough for a laptop at a million.

A vector is kept as its sign bits (48 bytes) and as int8 (384 bytes). A search ranks by Hamming
distance of the signs and rescores the best of those with int8, which is within .003 of the exact
cosine; who needs the exact ones reads those few float vectors from the store. Filters are masks
over columns held beside the vectors, so they apply before anything is ranked.

Derived from `chunks` and `entities`; `apply` keeps it in step with the change feed.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mimir_py.recall.models import Filter, ValidOp

COLUMNS: Final = (
    "category",
    "workspace_hash",
    "agent_id",
    "type",
    "layer",
    "topic_path",
    "archived",
    "always_on",
    "valid_from",
    "valid_to",
)
_CODED: Final = COLUMNS[:6]
_OPEN_END: Final = np.iinfo(np.int64).max
_FIRST_CAPACITY: Final = 1_024
# Hamming distance on signs is coarse: a fortieth of all chunks, and never fewer than these, go on
# to the int8 vectors, which keeps recall@10 at .99 and more (tests/recall measures it).
_COARSE_SHARE: Final = 40
_COARSE_LEAST: Final = 1_024

ChunkRow = tuple[int, int, int, int, bytes]


class Near(NamedTuple):
    """A chunk found, the memory it is of, its cosine to the query, and its span there."""

    chunk_id: int
    row_id: int
    cosine: float
    span: tuple[int, int]


class _Grown:
    """An array that doubles when it is full."""

    def __init__(self, dtype: Any, width: int | None = None) -> None:
        shape = (_FIRST_CAPACITY,) if width is None else (_FIRST_CAPACITY, width)
        self._array = np.zeros(shape, dtype=dtype)
        self.length = 0

    def extend(self, values: NDArray[Any]) -> None:
        needed = self.length + len(values)
        if needed > len(self._array):
            self._grow_to(max(needed, 2 * len(self._array)))
        self._array[self.length : needed] = values
        self.length = needed

    def reserve(self, more: int) -> None:
        """Make room for so many more values."""
        self._grow_to(self.length + more)

    def _grow_to(self, capacity: int) -> None:
        if capacity > len(self._array):
            grown = np.zeros((capacity, *self._array.shape[1:]), dtype=self._array.dtype)
            grown[: self.length] = self._array[: self.length]
            self._array = grown

    @property
    def view(self) -> NDArray[Any]:
        return self._array[: self.length]


class _Entities:
    """The columns filters read, one place per memory."""

    def __init__(self) -> None:
        self.place_of: dict[int, int] = {}
        self.row_ids = _Grown(np.int64)
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _CODED}
        self._columns = {name: _Grown(np.int32) for name in _CODED}
        self._columns |= {name: _Grown(np.bool_) for name in ("archived", "always_on")}
        self._columns |= {name: _Grown(np.int64) for name in ("valid_from", "valid_to")}

    def put(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Set memories, each (row_id, *COLUMNS)."""
        fresh = []
        for row in rows:
            place = self.place_of.get(row[0])
            if place is None:
                self.place_of[row[0]] = len(self.place_of)
                fresh.append(row)
                continue
            for name, value in zip(COLUMNS, row[1:], strict=True):
                self._columns[name].view[place] = self._stored(name, value)
        if not fresh:
            return
        self.row_ids.extend(np.array([row[0] for row in fresh], dtype=np.int64))
        for number, name in enumerate(COLUMNS, start=1):
            values = [self._stored(name, row[number]) for row in fresh]
            self._columns[name].extend(np.array(values))

    def _stored(self, name: str, value: Any) -> Any:
        if name in self._codes:
            codes = self._codes[name]
            return codes.setdefault(value, len(codes))
        return _OPEN_END if value is None and name == "valid_to" else value

    def mask(self, filter: Filter) -> NDArray[np.bool_]:
        """Which memories may answer; `min_decay` is the caller's, it is not in the feed."""
        allowed = np.ones(self.row_ids.length, dtype=np.bool_)
        if not filter.include_archived:
            allowed &= ~self._columns["archived"].view
        for name in ("category", "type", "agent_id", "layer"):
            value = getattr(filter, name)
            if value is not None:
                allowed &= self._is_one_of(name, [value])
        if filter.category is None and filter.excluded_categories:
            allowed &= ~self._is_one_of("category", filter.excluded_categories)
        if filter.workspaces is not None:
            allowed &= self._is_one_of("workspace_hash", filter.workspaces)
        if filter.topic_path is not None:
            topics = [
                topic for topic in self._codes["topic_path"] if topic.startswith(filter.topic_path)
            ]
            allowed &= self._is_one_of("topic_path", topics)
        if filter.always_on is not None:
            allowed &= self._columns["always_on"].view == filter.always_on
        valid: NDArray[np.bool_] = allowed & self._valid(filter)
        return valid

    def _is_one_of(self, name: str, values: Sequence[str]) -> NDArray[np.bool_]:
        codes = self._codes[name]
        known = [codes[value] for value in values if value in codes]
        return np.isin(self._columns[name].view, known)

    def _valid(self, filter: Filter) -> Any:
        starts, ends = self._columns["valid_from"].view, self._columns["valid_to"].view
        if filter.valid_at is not None:
            return (starts <= filter.valid_at) & ((ends == _OPEN_END) | (filter.valid_at < ends))
        if filter.valid_from is None and filter.valid_to is None:
            return True
        start = -_OPEN_END if filter.valid_from is None else filter.valid_from
        end = _OPEN_END if filter.valid_to is None else filter.valid_to
        is_open = ends == _OPEN_END
        if filter.valid_op is ValidOp.OVERLAPS:
            return (is_open | (start < ends)) & (starts < end)
        closed = filter.valid_to is not None
        return (starts <= start) & (is_open | (closed & (end <= ends)))


class Resident:
    """Vectors and filter columns of one store, up to change `seen` of its feed."""

    def __init__(self, dimension: int, model_id: int) -> None:
        self.model_id = model_id
        self.seen = 0
        self._dimension = dimension
        self._entities = _Entities()
        self._places_of: dict[int, list[int]] = {}
        self._chunk_ids = _Grown(np.int64)
        self._spans = _Grown(np.int32, 2)
        self._owner = _Grown(np.int32)
        self._live = _Grown(np.bool_)
        # One array per word: a search goes through each of them from end to end.
        self._signs = [_Grown(np.uint64) for _ in range(dimension // 64)]
        self._bytes = _Grown(np.int8, dimension)
        # What an int8 vector must be multiplied by to be of length 1.
        self._scales = _Grown(np.float32)
        self._columns = (
            self._chunk_ids,
            self._spans,
            self._owner,
            self._live,
            *self._signs,
            self._bytes,
            self._scales,
        )

    def __len__(self) -> int:
        return self._chunk_ids.length

    @property
    def dead_share(self) -> float:
        """Share of places whose chunk was replaced since the load; a reason to load anew."""
        return 1.0 - float(self._live.view.mean()) if len(self) else 0.0

    def reserve(self, chunks: int) -> None:
        """Make room for so many more chunks."""
        for column in self._columns:
            column.reserve(chunks)

    def apply(
        self,
        changed: Sequence[int],
        columns: Iterable[tuple[Any, ...]],
        chunks: Sequence[ChunkRow],
    ) -> None:
        """Replace what is held of the changed memories by what the store has now."""
        for row_id in changed:
            for place in self._places_of.pop(row_id, ()):
                self._live.view[place] = False
        self._entities.put(columns)
        self._append([chunk for chunk in chunks if chunk[1] in self._entities.place_of])

    def _append(self, chunks: Sequence[ChunkRow]) -> None:
        if not chunks:
            return
        first = len(self)
        for place, chunk in enumerate(chunks, start=first):
            self._places_of.setdefault(chunk[1], []).append(place)
        vectors = np.frombuffer(b"".join(c[4] for c in chunks), dtype="<f4")
        vectors = vectors.reshape(len(chunks), self._dimension)
        self._chunk_ids.extend(np.array([c[0] for c in chunks], dtype=np.int64))
        self._owner.extend(np.array([self._entities.place_of[c[1]] for c in chunks]))
        self._spans.extend(np.array([c[2:4] for c in chunks], dtype=np.int32))
        self._live.extend(np.ones(len(chunks), dtype=np.bool_))
        for column, words in zip(self._signs, _sign_words(vectors).T, strict=True):
            column.extend(words)
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        rounded = np.rint(vectors * (127.0 / np.where(largest > 0, largest, 1.0)))
        self._bytes.extend(rounded.astype(np.int8))
        norms = np.sqrt(np.einsum("ij,ij->i", rounded, rounded))
        self._scales.extend(1.0 / np.where(norms > 0, norms, 1.0))

    def nearest(
        self, vector: bytes, filter: Filter, count: int, faded: Sequence[int]
    ) -> list[Near]:
        """The `count` nearest chunks, nearest first.

        `faded` are memories to leave out whatever the filter says.
        """
        if not len(self):
            return []
        allowed_entities = self._entities.mask(filter)
        for row_id in faded:
            place = self._entities.place_of.get(row_id)
            if place is not None:
                allowed_entities[place] = False
        allowed = self._live.view & allowed_entities[self._owner.view]
        query = np.frombuffer(vector, dtype="<f4")
        best, cosines = self._fine(self._coarse(allowed, query, count), query, count)
        return [
            Near(*found)
            for found in zip(
                self._chunk_ids.view[best].tolist(),
                self._entities.row_ids.view[self._owner.view[best]].tolist(),
                cosines.tolist(),
                map(tuple, self._spans.view[best].tolist()),
                strict=True,
            )
        ]

    def cosines(self, vector: bytes, row_ids: Sequence[int]) -> dict[int, float]:
        """The cosine of the nearest chunk of each of some memories, of those that have one."""
        places = [
            (row_id, place) for row_id in row_ids for place in self._places_of.get(row_id, ())
        ]
        if not places:
            return {}
        query = np.frombuffer(vector, dtype="<f4")
        values = self._similarities(np.array([place for _, place in places]), query)
        best: dict[int, float] = {}
        for (row_id, _), value in zip(places, values.tolist(), strict=True):
            best[row_id] = max(value, best.get(row_id, -1.0))
        return best

    def _coarse(
        self, allowed: NDArray[np.bool_], query: NDArray[np.float32], count: int
    ) -> NDArray[np.int64]:
        """The places of the least Hamming distances, and all that tie with the last of them."""
        wanted = max(_COARSE_LEAST, len(self) // _COARSE_SHARE) + count
        if len(self) <= wanted:
            return np.flatnonzero(allowed)
        [words] = _sign_words(query[np.newaxis])
        distances = np.zeros(len(self), dtype=np.uint16)
        for column, word in zip(self._signs, words, strict=True):
            distances += np.bitwise_count(column.view ^ word)
        distances[~allowed] = self._dimension + 1
        totals = np.cumsum(np.bincount(distances, minlength=self._dimension + 2))
        farthest = min(int(np.searchsorted(totals, wanted)), self._dimension)
        return np.flatnonzero(distances <= farthest)

    def _fine(
        self, places: NDArray[np.int64], query: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        similarities = self._similarities(places, query)
        if len(places) > count:
            kept = np.argpartition(-similarities, count)[:count]
            places, similarities = places[kept], similarities[kept]
        order = np.argsort(-similarities, kind="stable")
        return places[order], similarities[order]

    def _similarities(
        self, places: NDArray[np.int64], query: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        products: NDArray[np.float32] = self._bytes.view[places].astype(np.float32) @ query
        products *= self._scales.view[places]
        return products


def _sign_words(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Sign bits, 64 to a word; only ever compared with each other."""
    return np.packbits(vectors > 0, axis=1).view(np.uint64)
