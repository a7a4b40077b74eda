"""The dense arm: exact through sqlite-vec while the store is small, resident beyond that.

The resident index is brought further a portion at a time, and always holds just the chunks up to
some number: a search goes through what is there. What little is missing a search loads itself;
where much is, that is left to whoever calls `load_more` between the answers.

Everything here runs on the reading connection's thread, so no search sees a portion half done.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from mimir_py.recall import store
from mimir_py.recall.models import Candidate, Filter, IndexState
from mimir_py.storage.database import Reader
from mimir_py.storage.vectors import EXACT_LIMIT, Vectors

if TYPE_CHECKING:
    from mimir_py.recall.resident import Resident

# A portion: some milliseconds, which is what an answer may have to wait for it.
_CHUNKS_AT_ONCE: Final = 512
_CHANGES_AT_ONCE: Final = 256
# A search loads so many chunks and changes itself, in less than a tenth of a second.
_MOST_IN_A_SEARCH: Final = 12_000
_MORE_CHUNKS: Final = 4
_TIE_DIGITS: Final = 6


class DenseArm:
    """Finds the memories whose chunks lie nearest to a query vector.

    A `patient` one never answers from a part of them: its searches load all there is.
    """

    def __init__(self, vectors: Vectors, *, patient: bool = True) -> None:
        self._vectors = vectors
        self._patient = patient
        self._resident: Resident | None = None

    def prepare(self, reader: Reader) -> None:
        """Bring the index up to date: what can be done before the query's vector is there."""
        if not self._vectors.table_is_live(reader):
            self._caught_up(reader)

    def load_more(self, reader: Reader) -> bool:
        """Load a portion of a large store; False when nothing is left for it to do."""
        if self._vectors.table_is_live(reader):
            return False
        left = self._left(reader)
        if left == 0 or (self._resident is None and left <= _MOST_IN_A_SEARCH):
            return False
        self._step(reader)
        return True

    def building(self, reader: Reader) -> IndexState | None:
        """How far the index has got, unless searches answer from all there is."""
        is_whole = self._patient or self._vectors.table_is_live(reader)
        if is_whole or self._left(reader) <= _MOST_IN_A_SEARCH:
            return None
        return self.state(reader)

    def state(self, reader: Reader) -> IndexState:
        """How far the index has got."""
        total = store.last_chunk(reader)
        if self._vectors.table_is_live(reader):
            return IndexState(total, total)
        return IndexState(self._resident.after if self._resident is not None else 0, total)

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
        if self._is_large(reader) and self._left(reader) == 0:
            assert self._resident is not None
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
        """Forget what is in memory; it is loaded anew."""
        self._resident = None

    def _nearest_chunks(
        self, reader: Reader, vector: bytes, filter: Filter, chunks: int, exact: bool
    ) -> list[Candidate]:
        if chunks <= store.MAX_K and self._vectors.table_is_live(reader):
            return store.dense(reader, vector, filter, chunks)
        is_caught_up = self._caught_up(reader)
        resident = self._resident
        if resident is None:
            return []
        faded = store.faded(reader, filter.min_decay) if filter.min_decay > 0 else ()
        near = resident.nearest(vector, filter, chunks, faded)
        if not is_caught_up:
            # What it filters by may have changed since.
            allowed = store.allowed(reader, [found.row_id for found in near], filter)
            near = [found for found in near if found.row_id in allowed]
        if exact or not self._is_large(reader):
            held = store.exact_vectors(reader, resident.model_id, [n.chunk_id for n in near])
            near = [found for found in near if found.chunk_id in held]
            cosines = _dots(vector, [held[found.chunk_id] for found in near])
        else:
            cosines = [found.cosine for found in near]
        return [
            Candidate(found.row_id, cosine, found.span)
            for found, cosine in zip(near, cosines, strict=True)
        ]

    def _is_large(self, reader: Reader) -> bool:
        """Whether approximate cosines are in order: small stores answer alike on every engine."""
        held = 0 if self._resident is None else len(self._resident)
        return held > EXACT_LIMIT and not self._vectors.table_is_live(reader)

    def _caught_up(self, reader: Reader) -> bool:
        """Load what is missing, if that is not too much for a search; whether nothing is."""
        while left := self._left(reader):
            if left > _MOST_IN_A_SEARCH and not self._patient:
                return False
            self._step(reader)
        return True

    def _left(self, reader: Reader) -> int:
        """At most so many chunks and changes are still to be loaded."""
        model_id = self._vectors.model_id(reader)
        if model_id is None:
            self._resident = None
            return 0
        held, last = self._resident, store.last_chunk(reader)
        if held is None or not _is_of_use(reader, held, model_id):
            return last
        return max(0, last - held.after) + max(0, store.last_change(reader) - held.seen)

    def _step(self, reader: Reader) -> None:
        """Load a portion of the changes, then one of the chunks."""
        from mimir_py.recall.resident import Resident

        model_id = self._vectors.model_id(reader)
        if model_id is None:
            return
        held = self._resident
        if held is None or not _is_of_use(reader, held, model_id):
            held = Resident(self._vectors.dimension, model_id, store.last_change(reader))
            self._resident = held
        changes = store.changes_after(reader, held.seen, _CHANGES_AT_ONCE)
        if changes:
            changed = list({row_id for _, row_id in changes if row_id is not None})
            held.remove(changed)
            held.put_columns(store.filter_columns(reader, changed))
            held.add(store.resident_chunks(reader, model_id, changed, held.after))
            held.seen = changes[-1][0]
        following = store.resident_slice(reader, model_id, held.after, _CHUNKS_AT_ONCE)
        if following:
            chunks = [chunk for chunk in following if chunk[-1] is not None]
            held.put_columns(store.filter_columns(reader, held.unknown([c[1] for c in chunks])))
            held.add(chunks)
            held.after = following[-1][0]


def _is_of_use(reader: Reader, resident: "Resident", model_id: int) -> bool:
    """Whether the change feed still tells what has become of what it holds."""
    return resident.model_id == model_id and store.first_change(reader) <= resident.seen + 1


def _dots(vector: bytes, others: Sequence[bytes]) -> list[float]:
    import numpy as np

    if not others:
        return []
    query = np.frombuffer(vector, dtype="<f4")
    # One that a damaged disk cut short is near to nothing.
    nowhere = bytes(len(vector))
    whole = (other if len(other) == len(vector) else nowhere for other in others)
    matrix = np.frombuffer(b"".join(whole), dtype="<f4").reshape(len(others), len(query))
    products: list[float] = (matrix @ query).tolist()
    return products


def with_others(found: Sequence[Candidate], others: Mapping[int, float]) -> list[Candidate]:
    """What was found with other memories, of which the cosines are known, in one order."""
    known = {candidate.row_id for candidate in found}
    more = [Candidate(row_id, cosine) for row_id, cosine in others.items() if row_id not in known]
    return _best_chunk_each([*found, *more])


def _best_chunk_each(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate per memory, by score, ties by row."""
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        held = best.get(candidate.row_id)
        if held is None or candidate.score > held.score:
            best[candidate.row_id] = candidate
    return sorted(best.values(), key=lambda c: (-round(c.score, _TIE_DIGITS), c.row_id))
