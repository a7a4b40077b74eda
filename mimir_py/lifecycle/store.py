"""Windows of memories; what is left of erased ones, here and in other files; the note to finish."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from mimir_py.entities import Entity
from mimir_py.lifecycle.models import Marks, Within
from mimir_py.storage.database import Reader, Writer

_IDS: Final = """
    SELECT e.id FROM json_each(:rows) wanted CROSS JOIN main.entities e ON e.row_id = wanted.value
    ORDER BY wanted.key
"""
# A window of a category, by last use: the latest first, or the longest unused.
_WINDOW: Final = """
    SELECT row_id FROM main.entities
    WHERE archived = 0 AND (:category IS NULL OR category = :category)
      AND (:workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces)))
      AND row_id NOT IN (SELECT value FROM json_each(:without))
    ORDER BY CASE WHEN :cold THEN last_accessed_unix_ms ELSE -last_accessed_unix_ms END, id
    LIMIT :limit OFFSET :offset
"""
# One memory of each category in each workspace that has more than one.
_PLACES: Final = """
    SELECT second FROM (
        SELECT (
            SELECT row_id FROM main.entities e
            WHERE e.category = held.category AND e.workspace_hash = held.workspace_hash
              AND e.archived = 0 LIMIT 1 OFFSET 1
        ) AS second
        FROM (SELECT DISTINCT category, workspace_hash FROM main.entities) held
        WHERE :workspaces IS NULL
           OR held.workspace_hash IN (SELECT value FROM json_each(:workspaces))
    ) WHERE second IS NOT NULL
"""
_PLACE: Final = """
    SELECT e.workspace_hash, e.category FROM json_each(:rows) wanted
    CROSS JOIN entities e ON e.row_id = wanted.value ORDER BY e.workspace_hash, e.category
"""
_NEXT_LIVE: Final = """
    SELECT row_id FROM main.entities
    WHERE row_id > :after AND archived = 0
      AND (:workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces)))
      AND row_id NOT IN (SELECT value FROM json_each(:without))
    ORDER BY row_id LIMIT :limit
"""
_LINKED_ROWS: Final = """
    SELECT l.source_row_id, t.row_id FROM json_each(:rows) wanted
    CROSS JOIN main.links l ON l.source_row_id = wanted.value
    CROSS JOIN main.entities t ON t.id = l.target_id
"""
_MARK: Final = "SELECT CAST(value AS INTEGER) FROM meta WHERE name = :name"
_SET_MARK: Final = """
    INSERT INTO meta (name, value) VALUES (:name, :value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_SET_FRESHNESS: Final = "UPDATE main.entities SET decay_score = :fresh WHERE id = :id"
_ARCHIVED: Final = """
    SELECT row_id FROM entities WHERE archived = 1
      AND (:workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces)))
    ORDER BY row_id
"""
_NAMED: Final = """
    SELECT row_id FROM entities WHERE row_id IN (
        SELECT row_id FROM main.entities WHERE key = :key AND category = :category
    ) AND (:workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces)))
    ORDER BY row_id
"""
# A version of the same name whose memory is gone is one of an earlier life of that name.
_OWN_VERSIONS: Final = """
    SELECT seq FROM main.entity_history WHERE id = :id
    UNION SELECT seq FROM main.entity_history
    WHERE category = :category AND key = :key AND workspace_hash = :workspace_hash
      AND id NOT IN (SELECT id FROM main.entities)
"""
_LEFT_VERSIONS: Final = """
    SELECT seq FROM entity_history WHERE seq IN (
        SELECT seq FROM main.entity_history
        WHERE (:key IS NULL OR (category = :category AND key = :key))
          AND id NOT IN (SELECT id FROM main.entities)
    ) AND (:workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces)))
"""
_VERSIONS_OF_ID: Final = "SELECT seq FROM main.entity_history WHERE id = :id"
_COUNT_ALIASES: Final = "SELECT count(*) FROM main.aliases WHERE entity_row_id = :row_id"
_QUOTING: Final = """
    SELECT e.id FROM entity_text t JOIN main.entities e ON e.row_id = t.row_id
    WHERE t.row_id <> :row_id AND instr(t.body, :text) > 0 ORDER BY t.row_id LIMIT :limit
"""
_TEXT: Final = "SELECT body FROM entity_text WHERE row_id = :row_id"
_LINKED: Final = """
    SELECT e.id FROM main.links l JOIN main.entities e ON e.row_id = l.source_row_id
    WHERE l.target_id = :id
    UNION SELECT e.id FROM main.links l JOIN main.entities e ON e.id = l.target_id
    WHERE l.source_row_id = :row_id
"""
_BEGUN: Final = "SELECT 1 FROM meta WHERE name = 'erasure'"
_BEGIN: Final = """
    INSERT INTO meta (name, value) VALUES ('erasure', 'begun') ON CONFLICT (name) DO NOTHING
"""
_FINISH: Final = "DELETE FROM main.meta WHERE name = 'erasure'"
_FREE_PAGES: Final = "PRAGMA freelist_count"
_PAGES: Final = "PRAGMA page_count"
# For a backup: opened without its key, so that names are compared as they are stored.
_HOLDS: Final = """
    SELECT EXISTS (SELECT 1 FROM json_each(:ids) wanted JOIN entities e ON e.id = wanted.value)
        OR EXISTS (
            SELECT 1 FROM json_each(:ids) wanted JOIN entity_history h ON h.id = wanted.value
        )
"""
_HOLDS_NAME: Final = """
    SELECT EXISTS (
        SELECT 1 FROM entities WHERE key = :key AND category = :category
          AND (:workspace_hash IS NULL OR workspace_hash = :workspace_hash)
    ) OR EXISTS (
        SELECT 1 FROM entity_history WHERE category = :category AND key = :key
          AND (:workspace_hash IS NULL OR workspace_hash = :workspace_hash)
    )
"""


def window(
    reader: Reader, within: Within, limit: int, offset: int, *, cold: bool, without: Collection[int]
) -> list[int]:
    """Rows of live memories by last use, the latest first or (`cold`) the longest unused."""
    values = {
        **in_place(reader, within),
        "limit": limit,
        "offset": offset,
        "cold": cold,
        "without": json.dumps(list(without)),
    }
    return _numbers(reader, _WINDOW, values)


def places(reader: Reader, within: Within) -> list[tuple[str, str]]:
    """Workspaces and categories with more than one live memory."""
    rows = _numbers(reader, _PLACES, {"workspaces": in_place(reader, within)["workspaces"]})
    return [(workspace, name) for workspace, name in reader.tuples(_PLACE, {"rows": str(rows)})]


def next_live(
    reader: Reader, within: Within, after: int, limit: int, without: Collection[int]
) -> list[int]:
    """Rows of live memories after a row, in order."""
    values = {
        "workspaces": in_place(reader, within)["workspaces"],
        "after": after,
        "limit": limit,
        "without": json.dumps(list(without)),
    }
    return _numbers(reader, _NEXT_LIVE, values)


def linked_rows(reader: Reader, rows: Sequence[int]) -> set[tuple[int, int]]:
    """Which links there are from some memories, as (source row, target row)."""
    return {(one, other) for one, other in reader.tuples(_LINKED_ROWS, {"rows": str(list(rows))})}


def mark(reader: Reader, name: str) -> int:
    """A number kept under a name; 0 if there is none."""
    return reader.value(_MARK, {"name": name}) or 0


def set_mark(tx: Writer, name: str, value: int) -> None:
    tx.run(_SET_MARK, {"name": name, "value": str(value)})


def set_freshness(tx: Writer, entity_id: str, fresh: float) -> None:
    """Set how fresh a memory is, in 0..1."""
    tx.run(_SET_FRESHNESS, {"id": entity_id, "fresh": fresh})


def ids(reader: Reader, rows: Sequence[int]) -> list[str]:
    """The ids of memories, in the order of their rows."""
    return [found for (found,) in reader.tuples(_IDS, {"rows": json.dumps(list(rows))})]


def stored_word(reader: Reader, column: str, word: str) -> Any:
    """A word of a name column of memories, as their table holds it."""
    return reader.stored_names("entities", {column: word})[column]


def in_place(reader: Reader, within: Within) -> dict[str, Any]:
    """Values that narrow a statement down to some memories."""
    workspaces = within.workspaces
    category = within.category
    if workspaces is not None:
        workspaces = [stored_word(reader, "workspace_hash", word) for word in workspaces]
    if category is not None:
        category = stored_word(reader, "category", category)
    return {"workspaces": _listed(workspaces), "category": category}


def archived(reader: Reader, workspaces: Sequence[str] | None) -> list[int]:
    """Rows of archived memories, in some workspaces or in all (`None`)."""
    return _numbers(reader, _ARCHIVED, {"workspaces": _listed(workspaces)})


def named(reader: Reader, category: str, key: str, workspaces: Sequence[str] | None) -> list[int]:
    """Rows of memories of that name, archived or not, in some workspaces or in all (`None`)."""
    names = reader.stored_names("entities", {"category": category, "key": key})
    return _numbers(reader, _NAMED, {**names, "workspaces": _listed(workspaces)})


def own_versions(reader: Reader, entity: Entity) -> list[int]:
    """Versions of a memory, and those that earlier memories of its name have left."""
    name = {
        "category": entity.category,
        "key": entity.key,
        "workspace_hash": entity.workspace_hash,
    }
    names = reader.stored_names("entity_history", name)
    return _numbers(reader, _OWN_VERSIONS, {**names, "id": entity.id})


def left_versions(
    reader: Reader, name: tuple[str, str] | None, workspaces: Sequence[str] | None
) -> list[int]:
    """Versions whose memory is gone: of a (category, key) or any, in some workspaces or in all."""
    names: Mapping[str, Any] = {"category": None, "key": None}
    if name is not None:
        names = reader.stored_names("entity_history", {"category": name[0], "key": name[1]})
    return _numbers(reader, _LEFT_VERSIONS, {**names, "workspaces": _listed(workspaces)})


def versions_of_id(reader: Reader, entity_id: str) -> list[int]:
    return _numbers(reader, _VERSIONS_OF_ID, {"id": entity_id})


def count_aliases(reader: Reader, row_id: int) -> int:
    count: int = reader.value(_COUNT_ALIASES, {"row_id": row_id})
    return count


def text_of(reader: Reader, row_id: int) -> str:
    return reader.value(_TEXT, {"row_id": row_id}) or ""


def quoting(reader: Reader, row_id: int, text: str, limit: int) -> list[str]:
    """Ids of other memories whose text has all of `text` in it."""
    values = {"row_id": row_id, "text": text, "limit": limit}
    return [entity_id for (entity_id,) in reader.tuples(_QUOTING, values)]


def linked_with(reader: Reader, row_id: int, entity_id: str) -> list[str]:
    """Ids of the memories at the other end of a memory's links."""
    return [other for (other,) in reader.tuples(_LINKED, {"row_id": row_id, "id": entity_id})]


def begin(tx: Writer) -> None:
    """Note that erased words may still be in the index and the log."""
    tx.run(_BEGIN)


def is_begun(reader: Reader) -> bool:
    return reader.value(_BEGUN) is not None


def finish(tx: Writer) -> None:
    tx.run(_FINISH)


def pages(reader: Reader) -> tuple[int, int]:
    """Free pages of the file, and all of them."""
    return reader.value(_FREE_PAGES), reader.value(_PAGES)


def stored_name(
    reader: Reader, category: str, key: str, workspace_hash: str | None
) -> Mapping[str, Any]:
    """A name as the tables of this store have it; `None` stands for any workspace."""
    values = {"category": category, "key": key}
    if workspace_hash is not None:
        values["workspace_hash"] = workspace_hash
    return {"workspace_hash": None, **reader.stored_names("entities", values)}


def holds(connection: Any, marks: Marks) -> bool:
    """Whether the store behind a bare connection has a memory or version of one of the marks."""

    def found(statement: str, values: Mapping[str, Any]) -> bool:
        return bool(connection.execute(statement, values).fetchone()[0])

    return found(_HOLDS, {"ids": json.dumps(list(marks.ids))}) or any(
        found(_HOLDS_NAME, name) for name in marks.names
    )


def _numbers(reader: Reader, statement: str, values: Mapping[str, Any]) -> list[int]:
    return [number for (number,) in reader.tuples(statement, values)]


def _listed(workspaces: Sequence[str] | None) -> str | None:
    return None if workspaces is None else json.dumps(list(workspaces))
