"""Recall: run the arms a mode asks for, fuse them, and hand back a page of memories."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mimir_py.embedding import Embedder
from mimir_py.entities import Entity
from mimir_py.entities.store import by_row_ids
from mimir_py.recall import fusion, keywords, store
from mimir_py.recall.dense import DenseArm
from mimir_py.recall.keywords import KeywordQuery
from mimir_py.recall.models import Candidate, Filter, Found, Hit, Mode, Passage, Query
from mimir_py.recall.ordering import reorder
from mimir_py.recall.passages import best_span, rank_substrings
from mimir_py.recall.usage import UsageLog
from mimir_py.storage.database import Database, Reader
from mimir_py.values import Clock

# A page within the head is ordered by the heads of the arms alone, however long the page; one
# beyond it follows from all that the arms find. So pages of any length are cuts of one order.
_HEAD: Final = 128
_DEEP_POOL: Final = 8_192
_BOOSTED: Final = 1_000
_SUBSTRING_POOL: Final = 1_000
_BELOW_HEAD: Final = 0.999
_CACHED_QUERIES: Final = 256


class Recall:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        dense: DenseArm,
        embedder: Embedder,
        usage: UsageLog,
        clock: Clock,
        excluded_categories: tuple[str, ...],
    ) -> None:
        self._database = database
        self._dense = dense
        self._embedder = embedder
        self._usage = usage
        self._clock = clock
        self._excluded_categories = excluded_categories
        self._query_vectors: OrderedDict[str, bytes] = OrderedDict()

    async def search(self, query: Query, *, note_use: bool = True) -> Found:
        """The memories that answer a query, best first; equal scores by age.

        Uses are noted beside the answer, never in it: a memory comes back as it was before.
        """
        query = replace(
            query, filter=replace(query.filter, excluded_categories=self._excluded_categories)
        )
        if not query.text.strip():
            found = Found(await self._browse(query))
        else:
            found = await self._ranked(query)
        if note_use:
            self._usage.note(hit.entity.row_id for hit in found.hits)
        return found

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
        prepared = keywords.prepare(" ".join(texts))
        pool = _pool(query.limit + query.offset)
        (named, by_words), by_meaning = await asyncio.gather(
            self._by_name_and_words(query, prepared, pool), self._by_meaning(query, pool)
        )
        ranking = _ranking(query.mode, named, by_words, by_meaning)
        if query.boosts.any:
            hits = await self._boosted(query, prepared, ranking)
        else:
            wanted = ranking[query.offset : query.offset + query.limit]
            hits = await self._database.read(lambda reader: _hits(reader, wanted, prepared))
        return Found(tuple(hits), texts if query.variants else ())

    async def _boosted(
        self, query: Query, prepared: KeywordQuery, ranking: Sequence[Candidate]
    ) -> list[Hit]:
        """The page when the head of the ranking is put in another order; the rest follows it."""
        head = await self._database.read(lambda reader: _hits(reader, ranking[:_HEAD], prepared))
        head = reorder(head, query.boosts, query.text, self._clock(), query.limit)
        page = head[query.offset : query.offset + query.limit]
        start = _HEAD + max(0, query.offset - len(head))
        rest = ranking[start : start + query.limit - len(page)]
        return page + await self._database.read(lambda reader: _hits(reader, rest, prepared))

    async def _by_name_and_words(
        self, query: Query, prepared: KeywordQuery, pool: int
    ) -> tuple[list[Candidate], list[Candidate]]:
        if query.mode is Mode.DENSE:
            return [], []
        name, most = query.text.strip(), query.limit + query.offset

        def search(reader: Reader) -> tuple[list[Candidate], list[Candidate]]:
            named = store.named(reader, name, query.filter, most)
            return named, _by_words(reader, prepared, query.filter, pool)

        return await self._database.read(search)

    async def _by_meaning(self, query: Query, pool: int) -> list[Candidate]:
        if query.mode is Mode.KEYWORD:
            return []
        vector = await self._query_vector(query.text)
        return await self._dense.nearest(vector, query.filter, pool)

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
    return _HEAD if wanted <= _HEAD else _DEEP_POOL


def _ranking(
    mode: Mode,
    named: Sequence[Candidate],
    by_words: Sequence[Candidate],
    by_meaning: Sequence[Candidate],
) -> list[Candidate]:
    """One candidate per memory, best first, with a score in 0..1."""
    name_arm = (fusion.NAME_WEIGHT, [c.row_id for c in named])
    if mode is Mode.HYBRID:
        words, meaning = [c.row_id for c in by_words], [c.row_id for c in by_meaning]
        scores = _fused(name_arm, words[:_HEAD], meaning[:_HEAD])
        lowest = min(scores.values(), default=1.0)
        for row_id, score in _fused(name_arm, words, meaning).items():
            scores.setdefault(row_id, min(score, lowest) * _BELOW_HEAD)
    else:
        scores = {c.row_id: _bounded(mode, c.score) for c in (*by_words, *by_meaning)}
        scores |= dict(fusion.fuse([name_arm]))
    known = {c.row_id: c for c in (*by_words, *by_meaning)}
    aliases = {c.row_id: c.alias for c in named}
    order = sorted(scores, key=lambda row_id: (-scores[row_id], row_id))
    return [
        Candidate(
            row_id,
            min(1.0, scores[row_id]),
            known[row_id].span if row_id in known else None,
            aliases.get(row_id),
        )
        for row_id in order
    ]


def _fused(
    named: tuple[float, list[int]], words: Sequence[int], meaning: Sequence[int]
) -> dict[int, float]:
    arms = [named, (fusion.KEYWORD_WEIGHT, words), (fusion.DENSE_WEIGHT, meaning)]
    return dict(fusion.fuse(arms))


def _bounded(mode: Mode, score: float) -> float:
    if mode is Mode.DENSE:
        return max(0.0, score)
    return score / (1.0 + score) if score > 0 else 0.0


def _by_words(reader: Reader, prepared: KeywordQuery, filter: Filter, pool: int) -> list[Candidate]:
    found: list[Candidate] = []
    if prepared.expression is not None:
        found = store.keyword(reader, prepared.expression, filter, pool)
    if prepared.substrings:
        found = _with_substrings(reader, prepared, filter, pool, found)
    if found and prepared.literals:
        return _literal_first(reader, prepared.literals, found)
    return found


def _literal_first(
    reader: Reader, literals: tuple[str, ...], found: list[Candidate]
) -> list[Candidate]:
    """Put texts that hold the query's odd words (`c++`, `a.b`) to the letter in front."""
    head, tail = found[:_HEAD], found[_HEAD:]
    texts = store.texts(reader, [c.row_id for c in head])
    held = {
        c.row_id: keywords.literal_matches(literals, "\n".join(texts.get(c.row_id, ())))
        for c in head
    }
    best = max(c.score for c in head)
    lifted = [replace(c, score=c.score + best * held[c.row_id]) for c in head]
    return sorted(lifted, key=lambda c: (-c.score, c.row_id)) + tail


def _with_substrings(
    reader: Reader,
    prepared: KeywordQuery,
    filter: Filter,
    pool: int,
    found: Sequence[Candidate],
) -> list[Candidate]:
    """Add what FTS5 has no words for: symbols, and scripts written without spaces."""
    texts = store.substring(reader, prepared.substrings, filter, _SUBSTRING_POOL)
    scores = {c.row_id: c.score for c in found}
    for row_id, score in rank_substrings(prepared.substrings, texts):
        scores[row_id] = scores.get(row_id, 0.0) + score
    order = sorted(scores, key=lambda row_id: (-scores[row_id], row_id))
    return [Candidate(row_id, scores[row_id]) for row_id in order[:pool]]


def _hits(reader: Reader, wanted: Sequence[Candidate], prepared: KeywordQuery) -> list[Hit]:
    row_ids = [c.row_id for c in wanted]
    entities = by_row_ids(reader, row_ids)
    spans = store.spans(reader, row_ids)
    long = [row_id for row_id in row_ids if len(spans.get(row_id, ())) > 1]
    texts = store.texts(reader, long) if long else {}
    hits = []
    for candidate in wanted:
        entity: Entity | None = entities.get(candidate.row_id)
        if entity is None:
            continue
        passage = None
        if candidate.row_id in texts:
            body = texts[candidate.row_id][1]
            span = candidate.span or best_span(prepared.words, body, spans[candidate.row_id])
            passage = Passage(body[span[0] : span[1]].strip(), span[0])
        hits.append(Hit(entity, round(candidate.score, 6), candidate.alias or entity.key, passage))
    return hits
