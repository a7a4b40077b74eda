"""Queries of the search: reads tables that others write, under every filter."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from mimir_py.recall.models import Candidate, Filter, ValidOp
from mimir_py.storage.database import Reader
from mimir_py.values import UnixMs

# Each filter is a fixed clause; values only ever arrive as parameters.
_CLAUSES: Final = {
    "live": "e.archived = 0",
    "category": "e.category = :category",
    "excluded": "e.category NOT IN (SELECT value FROM json_each(:excluded))",
    "type": "e.type = :type",
    "topic_path": "substr(e.topic_path, 1, length(:topic_path)) = :topic_path",
    "workspaces": "e.workspace_hash IN (SELECT value FROM json_each(:workspaces))",
    "agent_id": "e.agent_id = :agent_id",
    "layer": "e.layer = :layer",
    "min_decay": "e.decay_score >= :min_decay",
    "always_on": "e.always_on = :always_on",
    "min_trust": "e.trust >= :min_trust",
    "in_force": "e.superseded_by = '' OR e.valid_to_unix_ms > :in_force_at",
    "valid_at": "coalesce(e.valid_from_unix_ms, e.recorded_at_unix_ms) <= :valid_at"
    " AND (e.valid_to_unix_ms IS NULL OR :valid_at < e.valid_to_unix_ms)",
    "overlaps": "(e.valid_to_unix_ms IS NULL OR :valid_from < e.valid_to_unix_ms)"
    " AND coalesce(e.valid_from_unix_ms, e.recorded_at_unix_ms) < :valid_to",
    "contains": "coalesce(e.valid_from_unix_ms, e.recorded_at_unix_ms) <= :valid_from"
    " AND (e.valid_to_unix_ms IS NULL OR (:closed AND :valid_to <= e.valid_to_unix_ms))",
}

_KEYWORD: Final = """
    SELECT f.rowid, -bm25(entities_fts) AS score FROM entities_fts f
    JOIN entities e ON e.row_id = f.rowid
    WHERE entities_fts MATCH :expression AND f.rowid > :after AND {filter}
    ORDER BY score DESC, f.rowid LIMIT :pool
"""
_BEST_MATCHES: Final = """
    SELECT rowid, -bm25(entities_fts) AS score FROM entities_fts
    WHERE entities_fts MATCH :expression AND rowid > :after
    ORDER BY score DESC, rowid LIMIT :most
"""
_SUBSTRING: Final = """
    SELECT e.row_id, t.label, t.body FROM entities e JOIN entity_text t ON t.row_id = e.row_id
    WHERE EXISTS (
        SELECT 1 FROM json_each(:needles) n
        WHERE instr(t.body, n.value) > 0 OR instr(t.label, n.value) > 0
    ) AND {filter}
    ORDER BY e.row_id DESC LIMIT :pool
"""
_NAMED: Final = """
    SELECT e.row_id, NULL AS alias FROM entities e WHERE e.key = :name AND {filter}
    UNION ALL
    SELECT e.row_id, a.key FROM aliases a JOIN entities e ON e.row_id = a.entity_row_id
    WHERE a.key = :name AND {filter}
    LIMIT :pool
"""
# Each side is cut to what the page can need before the two are merged.
_BROWSE: Final = """
    SELECT row_id, alias, at FROM (
        SELECT e.row_id, NULL AS alias, e.recorded_at_unix_ms AS at FROM entities e
        WHERE {filter} ORDER BY e.recorded_at_unix_ms DESC, e.row_id DESC LIMIT :offset + :limit
    )
    UNION ALL
    SELECT row_id, alias, at FROM (
        SELECT e.row_id, a.key AS alias, a.created_at_unix_ms AS at
        FROM aliases a JOIN entities e ON e.row_id = a.entity_row_id
        WHERE {filter} ORDER BY a.created_at_unix_ms DESC, a.key LIMIT :offset + :limit
    )
    ORDER BY at DESC, row_id DESC, alias LIMIT :limit OFFSET :offset
"""
# sqlite-vec filters by key only; the subquery keeps the filter inside the index.
_DENSE: Final = """
    WITH nearest AS (
        SELECT rowid AS chunk_id, distance FROM chunk_vectors
        WHERE embedding MATCH :vector AND k = :k
          AND rowid IN (
              SELECT c.chunk_id FROM entities e JOIN chunks c ON c.row_id = e.row_id WHERE {filter}
          )
    )
    SELECT c.row_id, 1 - n.distance, c.start, c.stop FROM nearest n
    JOIN chunks c ON c.chunk_id = n.chunk_id ORDER BY n.distance, c.chunk_id
"""
# CROSS JOIN, and + before a column, here and below: the wanted rows are few, and they must be what
# drives the plan, not the index on model_id, which nearly every chunk shares.
_FREQUENCIES: Final = """
    SELECT v.term, v.doc FROM json_each(:terms) wanted
    CROSS JOIN entities_vocabulary v ON v.term = wanted.value
"""
_MEMORIES: Final = "SELECT coalesce(max(row_id), 0) FROM entities"
_TERMS: Final = """
    SELECT t.row_id, t.label_terms, substr(t.body_terms, 1, :most)
    FROM json_each(:row_ids) wanted CROSS JOIN entity_text t ON t.row_id = wanted.value
"""
_CANDIDATES: Final = """
    SELECT e.row_id, e.id, {filter}, coalesce(e.valid_from_unix_ms, e.recorded_at_unix_ms)
    FROM json_each(:row_ids) wanted
    CROSS JOIN entities e ON e.row_id = wanted.value
"""
# Of a row, those just before and after it in its topic, which nobody reads: a sealed one's token
# serves as well, and has an index. Their texts only weigh on its rank.
_NEIGHBOURS: Final = """
    SELECT e.row_id, e.workspace_hash || char(10) || e.category || char(10) || e.topic_path,
        (SELECT max(n.row_id) FROM main.entities n WHERE n.workspace_hash = e.workspace_hash
            AND n.category = e.category AND n.topic_path = e.topic_path AND n.topic_path <> ''
            AND n.row_id < e.row_id),
        (SELECT min(n.row_id) FROM main.entities n WHERE n.workspace_hash = e.workspace_hash
            AND n.category = e.category AND n.topic_path = e.topic_path AND n.topic_path <> ''
            AND n.row_id > e.row_id)
    FROM json_each(:row_ids) wanted CROSS JOIN main.entities e ON e.row_id = wanted.value
    WHERE e.topic_path <> ''
"""
_LINKED: Final = """
    SELECT DISTINCT l.source_row_id, e.row_id FROM json_each(:row_ids) wanted
    CROSS JOIN main.links l ON l.source_row_id = wanted.value
    CROSS JOIN entities e ON e.id = l.target_id
    WHERE {filter}
"""
_VECTORS_OF: Final = """
    SELECT c.row_id, c.vector FROM json_each(:row_ids) wanted
    CROSS JOIN chunks c ON c.row_id = wanted.value WHERE +c.model_id = :model_id
"""
_SPANS: Final = """
    SELECT row_id, start, stop, model_id = 0 FROM json_each(:row_ids) wanted
    CROSS JOIN chunks c ON c.row_id = wanted.value
    ORDER BY c.row_id, c.ordinal
"""
_LAST_CHANGE: Final = "SELECT coalesce(max(seq), 0) FROM changes"
_FIRST_CHANGE: Final = "SELECT coalesce(min(seq), 0) FROM changes"
# A link changes nothing that is held in memory.
_CHANGES_AFTER: Final = """
    SELECT seq, CASE WHEN kind <> 'link' THEN entity_row_id END FROM changes
    WHERE seq > :seen ORDER BY seq LIMIT :limit
"""
_LAST_CHUNK: Final = "SELECT coalesce(max(chunk_id), 0) FROM main.chunks"
_ALLOWED: Final = """
    SELECT e.row_id FROM json_each(:row_ids) wanted
    CROSS JOIN entities e ON e.row_id = wanted.value WHERE {filter}
"""
_FADED: Final = "SELECT row_id FROM entities WHERE decay_score < :min_decay"
# Those without a vector come too, so that a slice never goes through more rows than it may.
_RESIDENT: Final = """
    SELECT c.chunk_id, c.row_id, c.start, c.stop, CASE WHEN c.model_id = :model_id THEN c.vector END
    FROM chunks c WHERE c.chunk_id > :after ORDER BY c.chunk_id LIMIT :limit
"""
_RESIDENT_OF: Final = """
    SELECT c.chunk_id, c.row_id, c.start, c.stop, c.vector FROM json_each(:row_ids) wanted
    CROSS JOIN chunks c ON c.row_id = wanted.value
    WHERE +c.model_id = :model_id AND c.chunk_id <= :upto ORDER BY c.chunk_id
"""
_COLUMNS: Final = """
    SELECT e.row_id, e.category, e.workspace_hash, e.agent_id, e.type, e.layer, e.topic_path,
        e.archived, e.always_on, e.superseded_by <> '', e.trust,
        coalesce(e.valid_from_unix_ms, e.recorded_at_unix_ms), e.valid_to_unix_ms
    FROM json_each(:row_ids) wanted CROSS JOIN entities e ON e.row_id = wanted.value
    ORDER BY e.row_id
"""
_VECTORS: Final = """
    SELECT c.chunk_id, c.vector FROM json_each(:chunk_ids) wanted
    CROSS JOIN chunks c ON c.chunk_id = wanted.value WHERE c.model_id = :model_id
"""

MAX_K: Final = 4_096
MOST_TERM_CHARS: Final = 20_000
_FAR_FUTURE: Final = 2**63 - 1


def where(filter: Filter) -> tuple[str, dict[str, Any]]:
    """A filter as SQL on the alias `e`, with its parameters."""
    names = [] if filter.include_archived else ["live"]
    values: dict[str, Any] = {}
    for name in ("category", "type", "topic_path", "agent_id", "layer"):
        value = getattr(filter, name)
        if value is not None:
            names.append(name)
            values[name] = value
    if filter.category is None and filter.excluded_categories:
        names.append("excluded")
        values["excluded"] = json_array(filter.excluded_categories)
    if filter.workspaces is not None:
        names.append("workspaces")
        values["workspaces"] = json_array(filter.workspaces)
    if filter.min_decay > 0:
        names.append("min_decay")
        values["min_decay"] = filter.min_decay
    if filter.always_on is not None:
        names.append("always_on")
        values["always_on"] = int(filter.always_on)
    if filter.min_trust is not None:
        names.append("min_trust")
        values["min_trust"] = int(filter.min_trust)
    if filter.in_force_at is not None:
        names.append("in_force")
        values["in_force_at"] = filter.in_force_at
    names.extend(_validity(filter, values))
    return " AND ".join(f"({_CLAUSES[name]})" for name in names) or "1", values


def _validity(filter: Filter, values: dict[str, Any]) -> list[str]:
    if filter.valid_at is not None:
        values["valid_at"] = filter.valid_at
        return ["valid_at"]
    if filter.valid_from is None and filter.valid_to is None:
        return []
    values["valid_from"] = -_FAR_FUTURE if filter.valid_from is None else filter.valid_from
    values["valid_to"] = _FAR_FUTURE if filter.valid_to is None else filter.valid_to
    if filter.valid_op is ValidOp.OVERLAPS:
        return ["overlaps"]
    values["closed"] = int(filter.valid_to is not None)
    return ["contains"]


def keyword(
    reader: Reader, expression: str, filter: Filter, pool: int, after: int
) -> list[Candidate]:
    """The best `pool` memories behind a row that match an expression and pass a filter, by BM25.

    Scores are not bounded. To look into every match for the filter costs more than to find and
    score it; so the best of all are looked into first, and mostly are enough.
    """
    most = pool + pool // 4
    values = {"expression": expression, "after": after}
    rows = reader.tuples(_BEST_MATCHES, {**values, "most": most})
    passing = allowed(reader, [row_id for row_id, _ in rows], filter)
    found = [(row_id, score) for row_id, score in rows if row_id in passing]
    if len(found) < pool and len(rows) == most:
        clause, wanted = where(filter)
        found = reader.tuples(_KEYWORD.format(filter=clause), {**wanted, **values, "pool": pool})
    return [Candidate(row_id, score) for row_id, score in found[:pool]]


def substring(
    reader: Reader, needles: Sequence[str], filter: Filter, pool: int
) -> dict[int, tuple[str, str]]:
    """The latest memories that hold any of the needles anywhere, as (label, body) by row id."""
    clause, values = where(filter)
    values |= {"needles": json_array(needles), "pool": pool}
    rows = reader.tuples(_SUBSTRING.format(filter=clause), values)
    return {row_id: (label, body) for row_id, label, body in rows}


def named(reader: Reader, name: str, filter: Filter, pool: int) -> list[Candidate]:
    """Memories whose key, or alias, is exactly `name`."""
    clause, values = where(filter)
    rows = reader.tuples(_NAMED.format(filter=clause), {**values, "name": name, "pool": pool})
    return [Candidate(row_id, 1.0, alias=alias) for row_id, alias in rows]


def browse(reader: Reader, filter: Filter, limit: int, offset: int) -> list[Candidate]:
    """Memories without a query, under each of their keys, latest change first."""
    clause, values = where(filter)
    values |= {"limit": limit, "offset": offset}
    rows = reader.tuples(_BROWSE.format(filter=clause), values)
    return [Candidate(row_id, 1.0, alias=alias) for row_id, alias, _ in rows]


def dense(reader: Reader, vector: bytes, filter: Filter, k: int) -> list[Candidate]:
    """The `k` nearest chunks (k <= 4,096) in the sqlite-vec table, as their memories."""
    clause, values = where(filter)
    rows = reader.tuples(_DENSE.format(filter=clause), {**values, "vector": vector, "k": k})
    return [
        Candidate(row_id, similarity, (start, stop)) for row_id, similarity, start, stop in rows
    ]


def frequencies(reader: Reader, terms: Sequence[str]) -> dict[str, int]:
    """In how many memories each term occurs; those that occur in none are left out."""
    return dict(reader.tuples(_FREQUENCIES, {"terms": json_array(terms)}))


def count_memories(reader: Reader) -> int:
    """About how many memories there are: counting them exactly would read them all."""
    count: int = reader.known(_MEMORIES)
    return count


def terms(reader: Reader, row_ids: Sequence[int]) -> list[tuple[int, str, str]]:
    """(row id, label, body) as index terms; of a very long body those at its beginning."""
    return reader.tuples(_TERMS, {"row_ids": json_array(row_ids), "most": MOST_TERM_CHARS})


class Standing(NamedTuple):
    """The id of a memory, whether it may answer, and since when it holds."""

    id: str
    may_answer: bool
    since: UnixMs


def candidates(reader: Reader, row_ids: Sequence[int], filter: Filter) -> dict[int, Standing]:
    """How memories stand that may be candidates, by row id."""
    clause, values = where(filter)
    values["row_ids"] = json_array(row_ids)
    rows = reader.tuples(_CANDIDATES.format(filter=clause), values)
    return {row_id: Standing(*rest) for row_id, *rest in rows}


class Around(NamedTuple):
    """A memory with a topic, and the rows before and after it there."""

    row_id: int
    topic: str
    before: int | None
    after: int | None

    @property
    def neighbours(self) -> tuple[int, ...]:
        return tuple(row_id for row_id in (self.before, self.after) if row_id is not None)


def neighbours(reader: Reader, row_ids: Sequence[int]) -> list[Around]:
    """Those of the memories that have a topic, with what is around them."""
    return [Around(*row) for row in reader.tuples(_NEIGHBOURS, {"row_ids": json_array(row_ids)})]


def linked(reader: Reader, row_ids: Sequence[int], filter: Filter) -> list[tuple[int, int]]:
    """(row id, row it links to) for every link of some memories to one that may answer."""
    clause, values = where(filter)
    return reader.tuples(_LINKED.format(filter=clause), {**values, "row_ids": json_array(row_ids)})


def vectors_of(reader: Reader, model_id: int, row_ids: Sequence[int]) -> list[tuple[int, bytes]]:
    """(row id, vector) of every embedded chunk of some memories."""
    return reader.tuples(_VECTORS_OF, {"row_ids": json_array(row_ids), "model_id": model_id})


def spans(
    reader: Reader, row_ids: Sequence[int]
) -> tuple[dict[int, list[tuple[int, int]]], set[int]]:
    """The chunk spans of each memory, in order; and the memories of which some wait for vectors."""
    found: dict[int, list[tuple[int, int]]] = {}
    waiting: set[int] = set()
    for row_id, start, stop, waits in reader.tuples(_SPANS, {"row_ids": json_array(row_ids)}):
        found.setdefault(row_id, []).append((start, stop))
        if waits:
            waiting.add(row_id)
    return found, waiting


def last_change(reader: Reader) -> int:
    number: int = reader.known(_LAST_CHANGE)
    return number


def first_change(reader: Reader) -> int:
    """The oldest entry of the feed that is kept; 0 when there are none."""
    number: int = reader.known(_FIRST_CHANGE)
    return number


def changes_after(reader: Reader, seen: int, limit: int) -> list[tuple[int, int | None]]:
    """The next entries of the feed, as (number, row id if what searches read of it may differ)."""
    return reader.tuples(_CHANGES_AFTER, {"seen": seen, "limit": limit})


def last_chunk(reader: Reader) -> int:
    """The highest number of a chunk."""
    number: int = reader.known(_LAST_CHUNK)
    return number


def allowed(reader: Reader, row_ids: Sequence[int], filter: Filter) -> set[int]:
    """Those of the memories that may answer."""
    clause, values = where(filter)
    values["row_ids"] = json_array(row_ids)
    return {row_id for (row_id,) in reader.tuples(_ALLOWED.format(filter=clause), values)}


def faded(reader: Reader, min_decay: float) -> list[int]:
    """Row ids below a freshness."""
    return [row_id for (row_id,) in reader.tuples(_FADED, {"min_decay": min_decay})]


def resident_slice(reader: Reader, model_id: int, after: int, limit: int) -> list[tuple[Any, ...]]:
    """Chunks as (chunk_id, row_id, start, stop, vector or `None`), in the order of their ids."""
    return reader.tuples(_RESIDENT, {"model_id": model_id, "after": after, "limit": limit})


def resident_chunks(
    reader: Reader, model_id: int, row_ids: Sequence[int], upto: int
) -> list[tuple[Any, ...]]:
    """The embedded chunks of some memories, as above, up to a number."""
    values = {"model_id": model_id, "row_ids": json_array(row_ids), "upto": upto}
    return reader.tuples(_RESIDENT_OF, values)


def filter_columns(reader: Reader, row_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """What filters read of some memories, in the order `masks.COLUMNS` gives."""
    return reader.tuples(_COLUMNS, {"row_ids": json_array(row_ids)})


def exact_vectors(reader: Reader, model_id: int, chunk_ids: Sequence[int]) -> dict[int, bytes]:
    values = {"chunk_ids": json_array(chunk_ids), "model_id": model_id}
    return dict(reader.tuples(_VECTORS, values))


def json_array(values: Sequence[Any]) -> str:
    """One parameter that carries many values: `IN (SELECT value FROM json_each(...))`."""
    return json.dumps(list(values))
