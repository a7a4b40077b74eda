"""Keeping a store in shape: counts, the embedding queue, and building its indexes anew."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from mimir_py.embedding import Embedder, split
from mimir_py.entities import Memories
from mimir_py.entities.store import append_change
from mimir_py.entities.text import body_text, chunk_text, label, load_json
from mimir_py.errors import InvalidInput, NotFound
from mimir_py.graph.store import count_communities
from mimir_py.journal.store import count_events
from mimir_py.recall import DenseArm
from mimir_py.state import store as state_store
from mimir_py.storage import fts
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.storage.vectors import Chunk, PendingChunk, Vectors
from mimir_py.upkeep import store
from mimir_py.upkeep.digest import memory_digest, store_digest
from mimir_py.upkeep.models import Embedded, Index, Statistics
from mimir_py.values import Clock

Report = Callable[[int, int | None, str], Awaitable[None]]

# A slice of this many short texts keeps the write lock for a few milliseconds.
_EMBED_SLICE: Final = 32
_REINDEX_SLICE: Final = 250
_DIGEST_SLICE: Final = 500


class Upkeep:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        vectors: Vectors,
        embedder: Embedder,
        memories: Memories,
        dense: DenseArm,
        clock: Clock,
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._embedder = embedder
        self._memories = memories
        self._dense = dense
        self._clock = clock

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self._embedder.dimension

    async def health(self) -> Index:
        """How far the vector index is: a store that answers that is in health."""
        return await self._database.read(self._index)

    def _index(self, reader: Reader) -> Index:
        state = self._dense.state(reader)
        is_building = self._dense.building(reader) is not None
        return Index("building" if is_building else "ready", state.done, state.total)

    async def statistics(self) -> Statistics:
        """Counts of the whole store."""
        return await self._database.read(self._statistics)

    def _statistics(self, reader: Reader) -> Statistics:
        totals = store.totals(reader)
        by_category, by_type, by_layer = store.groups(reader)
        versions, history_bytes = store.history_totals(reader)
        aliases, chunks = store.index_counts(reader)
        communities, modularity = count_communities(reader)
        return Statistics(
            total_entities=totals["total"],
            live_entities=totals["total"] - totals["archived"],
            archived_entities=totals["archived"],
            by_category=by_category,
            by_type=by_type,
            by_layer=by_layer,
            db_file_size_bytes=self._database.disk_bytes(),
            oldest_unix_ms=totals["oldest"],
            newest_unix_ms=totals["newest"],
            total_history_rows=versions,
            history_bytes=history_bytes,
            top_history_keys=store.top_history(reader),
            total_journal_events=count_events(reader),
            total_state_entries=state_store.count(reader, self._clock()),
            total_communities=communities,
            graph_modularity=modularity,
            total_aliases=aliases,
            chunks=chunks,
            pending_chunks=self._vectors.count_pending(reader),
            index=self._index(reader),
            last_write_unix_ms=totals["last_write"],
            last_recall_unix_ms=totals["last_recall"],
        )

    async def digest(self, report: Report) -> tuple[str, int]:
        """A digest of the live memories as 16 hex digits, and how many they are."""
        total, digest, count, after = await self._database.read(store.count), 0, 0, 0
        while rows := await self._database.read(
            partial(store.live_after, after=after, limit=_DIGEST_SLICE)
        ):
            for _, entity_id, body_json in rows:
                digest ^= memory_digest(entity_id, body_json)
            after, count = rows[-1][0], count + len(rows)
            await report(count, total, "memories read")
        return store_digest(digest, count), count

    async def count_pending(self) -> int:
        """Chunks that still have no vector of the present model."""
        return await self._database.read(self._vectors.count_pending)

    async def embed_pending(self, most: int = _EMBED_SLICE) -> int:
        """Embed up to `most` queued chunks; how many were done. 0 means the queue is empty."""
        pending = await self._database.read(lambda reader: self._vectors.pending(reader, most))
        return await self._embed(pending)

    async def embed_category(
        self, category: str, limit: int, workspaces: Sequence[str] | None, report: Report
    ) -> Embedded:
        """Embed up to `limit` memories of a category that have chunks without a vector."""
        row_ids = await self._database.read(
            lambda reader: store.pending_in_category(
                reader, category, self._vectors.model_id(reader) or -1, workspaces, limit
            )
        )
        for done, row_id in enumerate(row_ids, start=1):
            await self._embed_memory(row_id)
            await report(done, len(row_ids), "memories embedded")
        return Embedded(len(row_ids))

    async def embed_named(
        self, category: str, key: str, text: str | None, workspaces: Sequence[str] | None
    ) -> str:
        """Embed a memory anew, from `text` if given, until its content changes. Its id.

        Raises:
            InvalidInput: the name is incomplete.
            NotFound: no live memory has that name.
        """
        for field, value in (("category", category), ("key", key)):
            if not value:
                raise InvalidInput(field, "is required, unless batch_category is given")
        found = await self._memories.named(category, key, workspaces)
        if not found:
            raise NotFound(f"entity not found: {category}/{key}")
        entity = found[0]
        if text is None:
            await self._embed_memory(entity.row_id)
            return entity.id
        [vector] = await self._embedder.embed([text])

        def replace(tx: Writer) -> None:
            self._vectors.replace(tx, entity.row_id, [Chunk(0, 0, vector)])
            append_change(tx, entity.row_id, entity.id, "embed")

        await self._database.write(replace)
        return entity.id

    async def reindex(self, report: Report) -> int:
        """Derive texts, chunks and indexes anew from the memories; how many there are.

        Vectors of unchanged chunks are kept; others are queued for embedding.
        """
        count = await self._database.read(store.count)
        done, after = 0, 0
        # Half of the way is reading, half embedding, so that the total is known from the start.
        total = 2 * count
        while rows := await self._database.read(
            partial(store.slice_after, after=after, limit=_REINDEX_SLICE)
        ):
            await self._database.write(partial(self._derive, rows=rows))
            done, after = done + len(rows), rows[-1][0]
            await report(min(done, count), total, "reading memories")
        await self._database.write(self._rebuild)
        self._dense.drop_resident()
        waiting, embedded, reported = await self.count_pending(), 0, count
        while chunks := await self.embed_pending():
            embedded += chunks
            progress = count + count * min(embedded, waiting) // max(waiting, 1)
            if progress > reported:
                reported = progress
                await report(progress, total, "embedding")
        return done

    def _derive(self, tx: Writer, rows: list[tuple[Any, ...]]) -> None:
        texts = []
        for row_id, category, key, tags, topic_path, body_json in rows:
            body = body_text(load_json(body_json))
            texts.append((row_id, label(category, key, load_json(tags), topic_path), body))
            spans = split(body)
            held = self._vectors.chunks_of(tx, row_id)
            if [(chunk.start, chunk.stop) for chunk in held] != spans:
                self._vectors.replace(tx, row_id, [Chunk(*span) for span in spans])
        fts.refresh_texts(tx, texts)

    def _rebuild(self, tx: Writer) -> None:
        fts.rebuild(tx)
        self._vectors.rebuild(tx)

    async def _embed_memory(self, row_id: int) -> None:
        chunks = await self._database.read(
            lambda reader: self._vectors.chunks_to_embed(reader, row_id)
        )
        await self._embed(chunks)

    async def _embed(self, chunks: list[PendingChunk]) -> int:
        row_ids = {chunk.row_id for chunk in chunks}
        texts = await self._database.read(lambda reader: store.texts(reader, list(row_ids)))
        known = [chunk for chunk in chunks if chunk.row_id in texts]
        vectors = await self._embedder.embed(
            [
                chunk_text(texts[chunk.row_id][0], texts[chunk.row_id][1], chunk.start, chunk.stop)
                for chunk in known
            ]
        )

        def keep(tx: Writer) -> None:
            for chunk, vector in zip(known, vectors, strict=True):
                self._vectors.embed_pending(tx, chunk.chunk_id, vector)
            for row_id in {chunk.row_id for chunk in known}:
                append_change(tx, row_id, texts[row_id][2], "embed")

        if known:
            await self._database.write(keep)
        return len(known)


def as_answer(statistics: Statistics) -> dict[str, Any]:
    """Statistics as the contract words them."""
    answer = asdict(statistics)
    answer["top_history_keys"] = list(statistics.top_history_keys)
    return answer
