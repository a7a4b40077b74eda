"""Counts over the whole store, and the texts that maintenance reads."""

import json
from collections.abc import Sequence
from typing import Any, Final

from mimir_py.storage.database import Reader

_TOTALS: Final = """
    SELECT count(*) AS total, coalesce(sum(archived), 0) AS archived,
        min(created_at_unix_ms) AS oldest, max(created_at_unix_ms) AS newest,
        max(recorded_at_unix_ms) AS last_write,
        max(CASE WHEN retrieval_count > 0 THEN last_accessed_unix_ms END) AS last_recall
    FROM entities
"""
_BY_CATEGORY: Final = "SELECT category, count(*) FROM entities GROUP BY category"
_BY_TYPE: Final = "SELECT type, count(*) FROM entities GROUP BY type"
_BY_LAYER: Final = "SELECT layer, count(*) FROM entities GROUP BY layer"
_HISTORY: Final = """
    SELECT count(*), coalesce(sum(length(CAST(body_json AS BLOB))), 0) FROM entity_history
"""
_TOP_HISTORY: Final = """
    SELECT category, key, count(*) AS versions, sum(length(CAST(body_json AS BLOB))) AS bytes
    FROM entity_history GROUP BY category, key ORDER BY versions DESC, category, key LIMIT 10
"""
_ALIASES: Final = "SELECT count(*) FROM aliases"
_CHUNKS: Final = "SELECT count(*) FROM chunks"
_SLICE: Final = """
    SELECT row_id, category, key, tags, topic_path, body_json FROM entities
    WHERE row_id > :after ORDER BY row_id LIMIT :limit
"""
_LIVE: Final = """
    SELECT row_id, id, body_json FROM entities
    WHERE row_id > :after AND archived = 0 ORDER BY row_id LIMIT :limit
"""
_COUNT: Final = "SELECT count(*) FROM entities"
_ORPHAN_LINKS: Final = """
    SELECT l.link_id, t.row_id IS NULL FROM main.links l
    LEFT JOIN main.entities t ON t.id = l.target_id
    WHERE l.link_id > :after ORDER BY l.link_id LIMIT :limit
"""
_ORPHAN_ENTRIES: Final = """
    SELECT j.seq, j.entity_id <> '' AND e.row_id IS NULL FROM journal j
    LEFT JOIN main.entities e ON e.id = j.entity_id
    WHERE j.seq > :after AND j.kind = 'event' ORDER BY j.seq LIMIT :limit
"""
_FREE_PAGES: Final = "PRAGMA freelist_count"
_PAGE_SIZE: Final = "PRAGMA page_size"
_TEXTS: Final = """
    SELECT t.row_id, t.label, t.body, e.id FROM json_each(:row_ids) wanted
    CROSS JOIN entity_text t ON t.row_id = wanted.value JOIN entities e ON e.row_id = t.row_id
"""
_PENDING_IN_CATEGORY: Final = """
    SELECT DISTINCT c.row_id FROM chunks c JOIN entities e ON e.row_id = c.row_id
    WHERE (c.model_id < :model_id OR c.model_id > :model_id)
      AND e.category = :category AND e.archived = 0
      AND (:workspaces IS NULL OR e.workspace_hash IN (SELECT value FROM json_each(:workspaces)))
    ORDER BY c.row_id LIMIT :limit
"""


def totals(reader: Reader) -> dict[str, Any]:
    row = reader.one(_TOTALS)
    assert row is not None
    return {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row iterates its values


def groups(reader: Reader) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Memories by category, by type and by layer."""
    return (
        dict(reader.tuples(_BY_CATEGORY)),
        dict(reader.tuples(_BY_TYPE)),
        dict(reader.tuples(_BY_LAYER)),
    )


def history_totals(reader: Reader) -> tuple[int, int]:
    """Versions kept, and the bytes of their bodies."""
    [(count, size)] = reader.tuples(_HISTORY)
    return count, size


def top_history(reader: Reader) -> tuple[dict[str, Any], ...]:
    """The ten names with most versions."""
    return tuple(
        {"category": category, "key": key, "versions": versions, "bytes": size}
        for category, key, versions, size in reader.tuples(_TOP_HISTORY)
    )


def index_counts(reader: Reader) -> tuple[int, int]:
    """Aliases and chunks."""
    return reader.value(_ALIASES), reader.value(_CHUNKS)


def count(reader: Reader) -> int:
    number: int = reader.value(_COUNT)
    return number


def slice_after(reader: Reader, after: int, limit: int) -> list[tuple[Any, ...]]:
    """Memories as (row_id, category, key, tags, topic_path, body_json), in row order."""
    return reader.tuples(_SLICE, {"after": after, "limit": limit})


def live_after(reader: Reader, after: int, limit: int) -> list[tuple[int, str, str]]:
    """Live memories as (row_id, id, body_json), in row order."""
    rows = reader.tuples(_LIVE, {"after": after, "limit": limit})
    return [(row_id, entity_id, body) for row_id, entity_id, body in rows]


def texts(reader: Reader, row_ids: Sequence[int]) -> dict[int, tuple[str, str, str]]:
    """Searchable texts as (label, body, entity id) by row."""
    rows = reader.tuples(_TEXTS, {"row_ids": json.dumps(list(row_ids))})
    return {row_id: (label, body, entity_id) for row_id, label, body, entity_id in rows}


def pending_in_category(
    reader: Reader, category: str, model_id: int, workspaces: Sequence[str] | None, limit: int
) -> list[int]:
    """Live memories of a category with a chunk still to be embedded, in some workspaces or all."""
    values = {
        "category": category,
        "model_id": model_id,
        "workspaces": None if workspaces is None else json.dumps(list(workspaces)),
        "limit": limit,
    }
    return [row_id for (row_id,) in reader.tuples(_PENDING_IN_CATEGORY, values)]


def orphan_links(reader: Reader, after: int, limit: int) -> tuple[int, int | None]:
    """How many of the links after one lead to no memory, and the last looked at, if any."""
    return _orphans(reader, _ORPHAN_LINKS, after, limit)


def orphan_entries(reader: Reader, after: int, limit: int) -> tuple[int, int | None]:
    """How many events after one are about no memory, and the last looked at, if any."""
    return _orphans(reader, _ORPHAN_ENTRIES, after, limit)


def _orphans(reader: Reader, statement: str, after: int, limit: int) -> tuple[int, int | None]:
    rows = reader.tuples(statement, {"after": after, "limit": limit})
    return sum(orphan for _, orphan in rows), rows[-1][0] if rows else None


def free_bytes(reader: Reader) -> int:
    """Bytes of the file's pages that hold nothing."""
    pages: int = reader.value(_FREE_PAGES)
    size: int = reader.value(_PAGE_SIZE)
    return pages * size
