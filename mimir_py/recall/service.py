"""Recall: run the arms a mode asks for, fuse them, and hand back a page of memories."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mimir_py.embedding import Embedder
from mimir_py.entities.echo import Echoes
from mimir_py.entities.sight import within_sight
from mimir_py.entities.store import by_row_ids
from mimir_py.entities.text import body_text, load_json
from mimir_py.recall import keywords, store
from mimir_py.recall.boosts import reorder
from mimir_py.recall.dates import periods
from mimir_py.recall.dense import DenseArm, with_others
from mimir_py.recall.keywords import KeywordQuery
from mimir_py.recall.models import (
    Found,
    Hit,
    IndexState,
    Mode,
    Passage,
    Query,
    Ranked,
)
from mimir_py.recall.order import HEAD, Order
from mimir_py.recall.passages import best_line, best_span
from mimir_py.recall.pool import Findings, Search
from mimir_py.recall.usage import UsageLog
from mimir_py.recall.words import KeywordArm
from mimir_py.storage.database import Database, Reader
from mimir_py.values import Clock

if TYPE_CHECKING:
    from mimir_py.recall.occurrences import Floats

# A page within the head is ordered by the heads of the arms alone, however long the page; one
# beyond it follows from all that the arms find. So pages of any length are cuts of one order.
_DEEP_POOL: Final = 8_192
_BOOSTED: Final = 1_000
_CACHED_QUERIES: Final = 256


class Recall:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        dense: DenseArm,
        embedder: Embedder,
        usage: UsageLog,
        echoes: Echoes,
        clock: Clock,
        excluded_categories: tuple[str, ...],
        ranking_file: Path,
    ) -> None:
        self._database = database
        self._dense = dense
        self._words = KeywordArm()
        self._order = Order(dense, ranking_file)
        self._embedder = embedder
        self._usage = usage
        self._echoes = echoes
        self._clock = clock
        self._excluded_categories = excluded_categories
        self._query_vectors: OrderedDict[str, bytes] = OrderedDict()

    async def search(self, query: Query, *, note_use: bool = True) -> Found:
        """The memories that answer a query, best first; equal scores by id.

        Uses are noted beside the answer, never in it: a memory comes back as it was before.
        """
        filter = replace(
            query.filter,
            excluded_categories=self._excluded_categories,
            in_force_at=None if query.filter.asks_for_the_past else self._clock(),
        )
        query = replace(query, filter=filter)
        if not query.text.strip():
            found = Found(await self._browse(query))
        else:
            found = await self._ranked(query)
        damaged = tuple(hit.entity.id for hit in found.hits if not hit.entity.is_sound)
        if damaged:
            hits = tuple(hit for hit in found.hits if hit.entity.is_sound)
            found = replace(found, hits=hits, damaged=damaged)
        found = replace(found, hits=await self._within_sight(found.hits, filter.workspaces))
        self._echoes.note(hit.entity for hit in found.hits)
        if note_use:
            self._usage.note(hit.entity.row_id for hit in found.hits)
        return found

    async def _within_sight(
        self, hits: tuple[Hit, ...], workspaces: tuple[str, ...] | None
    ) -> tuple[Hit, ...]:
        """The hits without links to what the asker may not see."""
        if not any(hit.entity.links or hit.entity.superseded_by for hit in hits):
            return hits
        entities = [hit.entity for hit in hits]
        seen = await self._database.read(
            partial(within_sight, memories=entities, workspaces=workspaces)
        )
        return tuple(replace(hit, entity=entity) for hit, entity in zip(hits, seen, strict=True))

    async def measure(self, query: Query) -> tuple[list[str], "Floats"]:
        """The keys of a query's candidates and their features: what the order is fitted on."""
        search = await self._begun(query, query.text, HEAD)

        def measured(reader: Reader) -> tuple[list[str], "Floats"]:
            row_ids, values = self._order.measure(reader, self._with_meaning(reader, search, HEAD))
            entities = by_row_ids(reader, row_ids)
            return [entities[row_id].key for row_id in row_ids], values

        return await self._database.read(measured)

    async def _browse(self, query: Query) -> tuple[Hit, ...]:
        boosted = query.boosts.any
        # A boost reorders the latest memories; which ones must not depend on the page.
        limit = max(_BOOSTED, query.offset + query.limit) if boosted else query.limit
        offset = 0 if boosted else query.offset

        def browse(reader: Reader) -> tuple[Hit, ...]:
            found = store.browse(reader, query.filter, limit, offset)
            entities = by_row_ids(reader, [c.row_id for c in found])
            return tuple(
                Hit(entities[c.row_id], 1.0, c.alias or entities[c.row_id].key) for c in found
            )

        hits = await self._database.read(browse)
        if not boosted:
            return hits
        ordered = reorder(hits, query.boosts, "", self._clock(), query.limit)
        return tuple(ordered[query.offset : query.offset + query.limit])

    async def _ranked(self, query: Query) -> Found:
        texts: tuple[str, ...] = (query.text,)
        if query.variants:
            texts = keywords.with_variants(query.text, query.variants)
        pool = _pool(query.limit + query.offset)
        search = await self._begun(query, " ".join(texts), pool)
        variants = texts if query.variants else ()
        hits, building = await self._database.read(partial(self._answer, search, pool))
        asked = query.offset == 0 and query.limit > 0
        return Found(tuple(hits), variants, asked=asked, building=building)

    async def _begun(self, query: Query, words: str, pool: int) -> Search:
        """What can be found by `words` while the query is being embedded."""
        vector, (prepared, findings) = await asyncio.gather(
            self._vector_for(query), self._found_by_words(query, words, pool)
        )
        return Search(query, prepared, vector, findings, periods(query.text, self._clock()))

    async def _found_by_words(
        self, query: Query, words: str, pool: int
    ) -> tuple[KeywordQuery, Findings]:
        prepared = keywords.prepare(words)
        if query.mode is not Mode.DENSE:
            await self._database.indexed()
        find = partial(self._by_name_and_words, query, prepared, pool)
        return prepared, await self._database.read(find)

    def _answer(
        self, search: Search, pool: int, reader: Reader
    ) -> tuple[list[Hit], IndexState | None]:
        building = None if search.vector is None else self._dense.building(reader)
        return self._page(search, pool, reader), building

    def _page(self, search: Search, pool: int, reader: Reader) -> list[Hit]:
        query, prepared = search.query, search.prepared
        wanted = query.offset + query.limit
        search = self._with_meaning(reader, search, pool)
        if query.boosts.any:
            ranking = self._order.rank(reader, search, HEAD + wanted)
            return self._boosted(reader, query, prepared, ranking)
        ranking = self._order.rank(reader, search, wanted)
        return _hits(reader, ranking[query.offset : wanted], prepared)

    def _with_meaning(self, reader: Reader, search: Search, pool: int) -> Search:
        if search.vector is None:
            return search
        exact = search.query.mode is Mode.DENSE
        near = self._dense.nearest(reader, search.vector, search.query.filter, pool, exact=exact)
        findings = replace(search.findings, by_meaning=near)
        if exact and findings.by_words:
            # The index is not whole yet: what has the words of the query is looked at beside it.
            rows = [c.row_id for c in findings.by_words]
            more = self._dense.cosines(reader, search.vector, rows)
            findings = replace(findings, by_words=(), by_meaning=with_others(near, more)[:pool])
        return replace(search, findings=findings)

    def _boosted(
        self, reader: Reader, query: Query, prepared: KeywordQuery, ranking: Sequence[Ranked]
    ) -> list[Hit]:
        """The page when the head of the ranking is put in another order; the rest follows it."""
        head = _hits(reader, ranking[:HEAD], prepared)
        head = reorder(head, query.boosts, query.text, self._clock(), query.limit)
        page = head[query.offset : query.offset + query.limit]
        start = HEAD + max(0, query.offset - len(head))
        rest = ranking[start : start + query.limit - len(page)]
        return page + _hits(reader, rest, prepared)

    def _by_name_and_words(
        self, query: Query, prepared: KeywordQuery, pool: int, reader: Reader
    ) -> Findings:
        vocabulary = self._words.vocabulary(reader, prepared.terms)
        if query.mode is not Mode.KEYWORD:
            self._dense.prepare(reader)
        # Meaning alone needs no words, unless it is still to be loaded.
        if query.mode is Mode.DENSE and self._dense.building(reader) is None:
            return Findings((), (), (), *vocabulary)
        by_words = self._words.find(reader, query, prepared, vocabulary, HEAD, pool)
        if query.mode is Mode.DENSE:
            return Findings((), by_words, (), *vocabulary)
        name, most = query.text.strip(), query.limit + query.offset
        named = store.named(reader, name, query.filter, most)
        return Findings(named, by_words, (), *vocabulary)

    async def _vector_for(self, query: Query) -> bytes | None:
        return None if query.mode is Mode.KEYWORD else await self._query_vector(query.text)

    async def _query_vector(self, text: str) -> bytes:
        vector = self._query_vectors.get(text)
        if vector is None:
            [vector] = await self._embedder.embed([text])
            self._query_vectors[text] = vector
            if len(self._query_vectors) > _CACHED_QUERIES:
                self._query_vectors.popitem(last=False)
        self._query_vectors.move_to_end(text)
        return vector


def _pool(wanted: int) -> int:
    return HEAD if wanted <= HEAD else _DEEP_POOL


def _hits(reader: Reader, wanted: Sequence[Ranked], prepared: KeywordQuery) -> list[Hit]:
    row_ids = [c.row_id for c in wanted]
    entities = by_row_ids(reader, row_ids)
    spans, waiting = store.spans(reader, row_ids)
    hits = []
    for candidate in wanted:
        entity = entities.get(candidate.row_id)
        if entity is None:
            continue
        passage = None
        if entity.is_sound and len(spans.get(candidate.row_id, ())) > 1:
            # Of the memory itself, not of the copy made for searching: that one has no checksum.
            body = body_text(load_json(entity.body_json))
            # Of the part that means what was asked, not all that might be is known yet.
            meant = () if candidate.row_id in waiting else candidate.span
            span = meant or best_span(prepared.words, body, spans[candidate.row_id], candidate.span)
            line = best_line(prepared.words, body, span)
            passage = Passage(body[span[0] : span[1]].strip(), span[0], line)
        hits.append(
            Hit(
                entity,
                candidate.score,
                candidate.alias or entity.key,
                candidate.relevance,
                passage,
                candidate.explanation,
            )
        )
    return hits
