"""The dense arm: exact through sqlite-vec while the store is small, resident beyond that.

Everything here runs on the reading connection's thread, so a search never sees the resident index
while another brings it up to date.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mimir_py.recall import store
from mimir_py.recall.models import Candidate, Filter
from mimir_py.storage.database import Reader
from mimir_py.storage.vectors import EXACT_LIMIT, Vectors

if TYPE_CHECKING:
    from mimir_py.recall.resident import Resident

# Float vectors are four times what is kept of them; they should not all be there at once.
_LOADED_AT_ONCE: Final = 2_000
_MORE_CHUNKS: Final = 4
_MOST_DEAD: Final = 0.3
_MOST_CHANGED: Final = 20_000
_TIE_DIGITS: Final = 6


class DenseArm:
    """Finds the memories whose chunks lie nearest to a query vector."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._resident: Resident | None = None

    def prepare(self, reader: Reader) -> None:
        """Bring the index up to date: what can be done before the query's vector is there."""
        if not self._vectors.table_is_live(reader):
            self._resident = self._refreshed(reader)

    def nearest(
        self, reader: Reader, vector: bytes, filter: Filter, pool: int, *, exact: bool = False
    ) -> list[Candidate]:
        """Up to `pool` memories by the cosine of their best chunk, best first, ties by row.

        Without `exact`, cosines may be off by .003 in a large store.
        """
        chunks = 2 * pool
        while True:
            found = self._nearest_chunks(reader, vector, filter, chunks, exact)
            best = _best_chunk_each(found)
            # One long memory may hold all of the nearest chunks.
            if len(best) >= pool or len(found) < chunks:
                return best[:pool]
            chunks *= _MORE_CHUNKS

    def cosines(self, reader: Reader, vector: bytes, row_ids: Sequence[int]) -> dict[int, float]:
        """The cosine of the nearest chunk of each of some memories, of those that have one."""
        if not row_ids:
            return {}
        if self._resident is not None and self._is_large(reader, self._resident):
            return self._resident.cosines(vector, row_ids)
        model_id = self._vectors.model_id(reader)
        if model_id is None:
            return {}
        rows = store.vectors_of(reader, model_id, row_ids)
        best: dict[int, float] = {}
        for (row_id, _), value in zip(rows, _dots(vector, [v for _, v in rows]), strict=True):
            best[row_id] = max(value, best.get(row_id, -1.0))
        return best

    def drop_resident(self) -> None:
        """Forget what is in memory; the next search loads it anew."""
        self._resident = None

    def _nearest_chunks(
        self, reader: Reader, vector: bytes, filter: Filter, chunks: int, exact: bool
    ) -> list[Candidate]:
        if chunks <= store.MAX_K and self._vectors.table_is_live(reader):
            return store.dense(reader, vector, filter, chunks)
        resident = self._resident = self._refreshed(reader)
        if resident is None:
            return []
        faded = store.faded(reader, filter.min_decay) if filter.min_decay > 0 else ()
        near = resident.nearest(vector, filter, chunks, faded)
        cosines = [found.cosine for found in near]
        if exact or not self._is_large(reader, resident):
            held = store.exact_vectors(reader, resident.model_id, [n.chunk_id for n in near])
            cosines = _dots(vector, [held[n.chunk_id] for n in near])
        return [
            Candidate(found.row_id, cosine, found.span)
            for found, cosine in zip(near, cosines, strict=True)
        ]

    def _is_large(self, reader: Reader, resident: "Resident") -> bool:
        """Whether approximate cosines are in order: small stores answer alike on every engine."""
        return len(resident) > EXACT_LIMIT and not self._vectors.table_is_live(reader)

    def _refreshed(self, reader: Reader) -> "Resident | None":
        model_id = self._vectors.model_id(reader)
        if model_id is None:
            return None
        last = store.last_change(reader)
        held = self._resident
        if held is not None and held.model_id == model_id and held.seen == last:
            return held
        changed = None if held is None else store.changed_since(reader, held.seen)
        if (
            held is None
            or held.model_id != model_id
            or changed is None
            or len(changed) > _MOST_CHANGED
            or (held.dead_share > _MOST_DEAD)
        ):
            return self._loaded(reader, model_id, last)
        held.apply(
            changed,
            store.filter_columns(reader, changed),
            store.resident_chunks(reader, model_id, changed),
        )
        held.seen = last
        return held

    def _loaded(self, reader: Reader, model_id: int, last: int) -> "Resident":
        from mimir_py.recall.resident import Resident

        resident = Resident(self._vectors.dimension, model_id)
        resident.apply((), store.filter_columns(reader, None), ())
        resident.reserve(self._vectors.count_embedded(reader))
        after = 0
        while chunks := store.resident_slice(reader, model_id, after, _LOADED_AT_ONCE):
            resident.apply((), (), chunks)
            after = chunks[-1][0]
        resident.seen = last
        return resident


def _dots(vector: bytes, others: Sequence[bytes]) -> list[float]:
    import numpy as np

    if not others:
        return []
    query = np.frombuffer(vector, dtype="<f4")
    matrix = np.frombuffer(b"".join(others), dtype="<f4").reshape(len(others), len(query))
    products: list[float] = (matrix @ query).tolist()
    return products


def _best_chunk_each(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate per memory, by score, ties by row."""
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        held = best.get(candidate.row_id)
        if held is None or candidate.score > held.score:
            best[candidate.row_id] = candidate
    return sorted(best.values(), key=lambda c: (-round(c.score, _TIE_DIGITS), c.row_id))
