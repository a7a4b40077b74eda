"""Chunk vectors: durable in `chunks`, and searched exactly in a sqlite-vec table while few.

A chunk without a vector of the store's present model is pending: the queue of what is still to be
embedded is the table itself, so it survives anything the text survives.

The sqlite-vec table `chunk_vectors` is derived. Its state is in `meta`, because not every process
that writes the store can load the extension:
    live:M    it holds every chunk embedded with model M
    stale     a process without sqlite-vec wrote; the table is not to be used
    outgrown  there are more than `EXACT_LIMIT` chunks; the table was dropped
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mimir_py.storage.database import Reader, Writer

EXACT_LIMIT: Final = 4_000
NOT_EMBEDDED: Final = 0

_STATE: Final = "SELECT value FROM meta WHERE name = 'chunk_vectors'"
_SET_STATE: Final = """
    INSERT INTO meta (name, value) VALUES ('chunk_vectors', :state)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_UNEMBEDDED: Final = ("row_id", "ordinal", "start", "stop", "model_id")
_CHUNK_IDS: Final = "SELECT chunk_id FROM chunks WHERE row_id = :row_id"
_CHUNKS_OF: Final = """
    SELECT start, stop, CASE WHEN model_id = :model_id THEN vector END FROM chunks
    WHERE row_id = :row_id ORDER BY ordinal
"""
_DELETE_CHUNKS: Final = "DELETE FROM main.chunks WHERE row_id = :row_id"
# Two ranges, not <>: both seek in idx_chunks_model.
_COUNT_PENDING: Final = """
    SELECT count(*) FROM main.chunks WHERE model_id < :model_id OR model_id > :model_id
"""
_COUNT_EMBEDDED: Final = "SELECT count(*) FROM main.chunks WHERE model_id = :model_id"
# In the order of idx_chunks_model: a long queue is never sorted. A memory's chunks are neighbours.
_PENDING: Final = """
    SELECT * FROM (
        SELECT chunk_id, row_id, start, stop FROM main.chunks WHERE model_id < :model_id
        ORDER BY model_id, chunk_id LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT chunk_id, row_id, start, stop FROM main.chunks WHERE model_id > :model_id
        ORDER BY model_id, chunk_id LIMIT :limit
    )
    LIMIT :limit
"""
_ALL_OF: Final = """
    SELECT chunk_id, row_id, start, stop FROM chunks WHERE row_id = :row_id ORDER BY ordinal
"""
_MODEL_ID: Final = "SELECT model_id FROM embedding_models WHERE name = :name"
_DROP: Final = "DROP TABLE IF EXISTS chunk_vectors"
_INSERT_VECTOR: Final = "INSERT INTO chunk_vectors (rowid, embedding) VALUES (?, ?)"
_DELETE_VECTOR: Final = "DELETE FROM chunk_vectors WHERE rowid = ?"
_EMBEDDED: Final = "SELECT chunk_id, vector FROM chunks WHERE model_id = :model_id"


@dataclass(frozen=True)
class Chunk:
    """A span of a memory's searchable body, in characters, with its vector if embedded."""

    start: int
    stop: int
    vector: bytes | None = None


@dataclass(frozen=True)
class PendingChunk:
    chunk_id: int
    row_id: int
    start: int
    stop: int


class Vectors:
    """Keeps `chunks` and the table derived from it in step, for one embedding model."""

    def __init__(self, model: str, dimension: int, *, has_vec: bool) -> None:
        self.model = model
        self.dimension = dimension
        self._has_vec = has_vec
        self._live = f"live:{model}"

    def model_id(self, reader: Reader) -> int | None:
        """The number of our model in this store; `None` when it has embedded nothing here."""
        number: int | None = reader.known(_MODEL_ID, {"name": self.model})
        return number

    def replace(self, tx: Writer, row_id: int, chunks: Sequence[Chunk]) -> None:
        """Set the chunks of a memory."""
        self.remove(tx, row_id)
        self.add(tx, ((row_id, ordinal, chunk) for ordinal, chunk in enumerate(chunks)))

    def add(self, tx: Writer, chunks: Iterable[tuple[int, int, Chunk]]) -> None:
        """Add chunks, each (row_id, ordinal, chunk), of rows that have none yet."""
        unembedded = []
        for row_id, ordinal, chunk in chunks:
            if chunk.vector is None:
                unembedded.append((row_id, ordinal, chunk.start, chunk.stop, NOT_EMBEDDED))
                continue
            values = {
                "row_id": row_id,
                "ordinal": ordinal,
                "start": chunk.start,
                "stop": chunk.stop,
                "model_id": self._own_model_id(tx),
                "vector": chunk.vector,
            }
            # Asked before the chunk is there: it may build the table of all that are.
            is_writable = self._writable(tx)
            chunk_id = tx.insert_row("chunks", values)
            if is_writable:
                self._index(tx, chunk_id, chunk.vector)
        tx.insert_rows("chunks", _UNEMBEDDED, unembedded)

    def remove(self, tx: Writer, row_id: int) -> None:
        """Delete a memory's chunks."""
        chunk_ids = tx.tuples(_CHUNK_IDS, {"row_id": row_id})
        if chunk_ids and self._writable(tx):
            tx.run_many(_DELETE_VECTOR, chunk_ids)
        tx.run(_DELETE_CHUNKS, {"row_id": row_id})

    def chunks_of(self, reader: Reader, row_id: int) -> tuple[Chunk, ...]:
        """A memory's chunks, with the vectors that are of our model."""
        values = {"row_id": row_id, "model_id": self._id_or_none(reader)}
        return tuple(Chunk(*row) for row in reader.tuples(_CHUNKS_OF, values))

    def embed_pending(self, tx: Writer, chunk_id: int, vector: bytes) -> bool:
        """Store the vector of a pending chunk. False when the chunk is gone meanwhile."""
        values = {"vector": vector, "model_id": self._own_model_id(tx)}
        is_writable = self._writable(tx)
        if not tx.update_row("chunks", chunk_id, values):
            return False
        if is_writable:
            tx.run(_DELETE_VECTOR, (chunk_id,))
            self._index(tx, chunk_id, vector)
        return True

    def pending(self, reader: Reader, limit: int) -> list[PendingChunk]:
        """Chunks still to be embedded with our model, oldest first."""
        rows = reader.tuples(_PENDING, {"model_id": self._id_or_none(reader), "limit": limit})
        return [PendingChunk(*row) for row in rows]

    def chunks_to_embed(self, reader: Reader, row_id: int) -> list[PendingChunk]:
        """All chunks of one memory, embedded or not."""
        return [PendingChunk(*row) for row in reader.tuples(_ALL_OF, {"row_id": row_id})]

    def count_pending(self, reader: Reader) -> int:
        count: int = reader.value(_COUNT_PENDING, {"model_id": self._id_or_none(reader)})
        return count

    def count_embedded(self, reader: Reader) -> int:
        count: int = reader.value(_COUNT_EMBEDDED, {"model_id": self._id_or_none(reader)})
        return count

    def table_is_live(self, reader: Reader) -> bool:
        """Whether `chunk_vectors` may answer a search in this process."""
        return self._has_vec and reader.known(_STATE) == self._live

    def rebuild(self, tx: Writer) -> None:
        """Make `chunk_vectors` anew from `chunks`, or drop it where there are too many."""
        if not self._has_vec:
            tx.run(_SET_STATE, {"state": "stale"})
            return
        tx.run(_DROP)
        if self.count_embedded(tx) > EXACT_LIMIT:
            tx.run(_SET_STATE, {"state": "outgrown"})
            return
        self._create(tx)
        tx.run_many(_INSERT_VECTOR, tx.tuples(_EMBEDDED, {"model_id": self._id_or_none(tx)}))

    def _index(self, tx: Writer, chunk_id: int, vector: bytes) -> None:
        tx.run(_INSERT_VECTOR, (chunk_id, vector))
        if self.count_embedded(tx) > EXACT_LIMIT:
            tx.run(_DROP)
            tx.run(_SET_STATE, {"state": "outgrown"})

    def _writable(self, tx: Writer) -> bool:
        state: str | None = tx.value(_STATE)
        if not self._has_vec:
            if state is not None and state.startswith("live:"):
                tx.run(_SET_STATE, {"state": "stale"})
            return False
        if state is None:
            self._create(tx)
            return True
        if state.startswith("live:") and state != self._live:
            # Vectors of two models must never be compared.
            self.rebuild(tx)
            return bool(tx.value(_STATE) == self._live)
        return state == self._live

    def _create(self, tx: Writer) -> None:
        tx.run(
            "CREATE VIRTUAL TABLE chunk_vectors USING vec0("
            f"embedding float[{self.dimension}] distance_metric=cosine, chunk_size=512)"
        )
        tx.run(_SET_STATE, {"state": self._live})

    def _own_model_id(self, tx: Writer) -> int:
        number = self.model_id(tx)
        if number is None:
            number = tx.insert_row(
                "embedding_models", {"name": self.model, "dimension": self.dimension}
            )
        return number

    def _id_or_none(self, reader: Reader) -> int:
        # -1 is nobody's number: every chunk is pending, none embedded.
        number = self.model_id(reader)
        return -1 if number is None else number
