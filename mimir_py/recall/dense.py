"""The dense arm: exact through sqlite-vec while the store is small, resident beyond that."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mimir_py.recall import store
from mimir_py.recall.models import Candidate, Filter
from mimir_py.storage.database import Database, Reader
from mimir_py.storage.vectors import Vectors

if TYPE_CHECKING:
    from mimir_py.recall.resident import Resident

# Beyond this a search takes long enough to hold up the event loop.
_INLINE_CHUNKS: Final = 20_000
# Float vectors are four times what is kept of them; they should not all be there at once.
_LOADED_AT_ONCE: Final = 2_000
_MORE_CHUNKS: Final = 4
_MOST_DEAD: Final = 0.3
_MOST_CHANGED: Final = 20_000


class DenseArm:
    """Finds the memories whose chunks lie nearest to a query vector."""

    def __init__(self, database: Database, vectors: Vectors) -> None:
        self._database = database
        self._vectors = vectors
        self._resident: Resident | None = None
        # A search must not see the index while another brings it up to date.
        self._turn = asyncio.Lock()

    async def nearest(self, vector: bytes, filter: Filter, pool: int) -> list[Candidate]:
        """Up to `pool` memories by the cosine of their best chunk, best first, ties by row."""
        chunks = 2 * pool
        async with self._turn:
            while True:
                found = await self._nearest_chunks(vector, filter, chunks)
                best = _best_chunk_each(found)
                # One long memory may hold all of the nearest chunks.
                if len(best) >= pool or len(found) < chunks:
                    return best[:pool]
                chunks *= _MORE_CHUNKS

    async def _nearest_chunks(self, vector: bytes, filter: Filter, chunks: int) -> list[Candidate]:
        def exact_or_caught_up(
            reader: Reader,
        ) -> "list[Candidate] | tuple[Resident | None, Sequence[int]]":
            if chunks <= store.MAX_K and self._vectors.table_is_live(reader):
                return store.dense(reader, vector, filter, chunks)
            self._resident = self._refreshed(reader)
            faded = store.faded(reader, filter.min_decay) if filter.min_decay > 0 else ()
            return self._resident, faded

        answer = await self._database.read(exact_or_caught_up)
        if isinstance(answer, list):
            return answer
        resident, faded = answer
        return await self._from_resident(resident, vector, filter, chunks, faded)

    def drop_resident(self) -> None:
        """Forget what is in memory; the next search loads it anew."""
        self._resident = None

    async def _from_resident(
        self,
        resident: "Resident | None",
        vector: bytes,
        filter: Filter,
        chunks: int,
        faded: Sequence[int],
    ) -> list[Candidate]:
        if resident is None:
            return []
        if len(resident) > _INLINE_CHUNKS:
            near = await asyncio.to_thread(resident.nearest, vector, filter, chunks, faded)
        else:
            near = resident.nearest(vector, filter, chunks, faded)
        chunk_ids = [found.chunk_id for found in near]
        exact = await self._database.read(
            lambda reader: store.exact_vectors(reader, resident.model_id, chunk_ids)
        )
        scores = _cosines(vector, exact)
        # A chunk that is gone was replaced meanwhile; its memory comes back with the next search.
        return [
            Candidate(found.row_id, scores[found.chunk_id], found.span)
            for found in near
            if found.chunk_id in scores
        ]

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


def _cosines(vector: bytes, others: dict[int, bytes]) -> dict[int, float]:
    import numpy as np

    if not others:
        return {}
    query = np.frombuffer(vector, dtype="<f4")
    matrix = np.frombuffer(b"".join(others.values()), dtype="<f4").reshape(len(others), len(query))
    return dict(zip(others, (matrix @ query).tolist(), strict=True))


def _best_chunk_each(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate per memory, by score, ties by row."""
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        held = best.get(candidate.row_id)
        if held is None or candidate.score > held.score:
            best[candidate.row_id] = candidate
    return sorted(best.values(), key=lambda c: (-round(c.score, 6), c.row_id))
