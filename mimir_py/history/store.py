"""Reads the versions of a name as the rules want them, and takes out what is not to be kept."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from mimir_py.entities import Entity
from mimir_py.entities.models import from_row, sound
from mimir_py.entities.store import by_row_ids
from mimir_py.history.models import Place, Version
from mimir_py.history.retention import SOURCE, TOMBSTONE, Stored
from mimir_py.storage.database import Reader, Writer

# Names are looked up in the tables themselves, as they hold them. A memory that does not say when
# it was forgotten was so at its last use.
_PRESENT: Final = """
    SELECT e.workspace_hash, e.row_id, e.recorded_at_unix_ms,
        CASE WHEN e.archived THEN max(
            coalesce(e.invalidated_at_unix_ms, e.last_accessed_unix_ms), e.recorded_at_unix_ms + 1
        ) END,
        coalesce(e.valid_from_unix_ms, e.recorded_at_unix_ms), e.valid_to_unix_ms, e.archived
    FROM main.entities held CROSS JOIN entities e ON e.row_id = held.row_id
    WHERE held.key = :key AND held.category = :category
      AND (:workspace_hash IS NULL OR held.workspace_hash = :workspace_hash)
"""
_EARLIER: Final = """
    SELECT h.workspace_hash, h.seq, h.recorded_at_unix_ms,
        coalesce(h.invalidated_at_unix_ms, h.recorded_at_unix_ms + 1),
        coalesce(h.valid_from_unix_ms, h.recorded_at_unix_ms), h.valid_to_unix_ms, h.archived
    FROM main.entity_history held CROSS JOIN entity_history h ON h.seq = held.seq
    WHERE held.category = :category AND held.key = :key
      AND (:workspace_hash IS NULL OR held.workspace_hash = :workspace_hash)
    ORDER BY h.invalidated_at_unix_ms DESC, h.recorded_at_unix_ms DESC, h.seq DESC
"""
# What the memory of a name said under the names it had before.
_UNDER_OTHER_NAMES: Final = """
    WITH RECURSIVE before (history_id) AS (
        SELECT supersedes FROM main.entities WHERE row_id = :row_id
        UNION
        SELECT h.supersedes FROM before JOIN main.entity_history h USING (history_id)
    )
    SELECT h.seq, h.recorded_at_unix_ms,
        coalesce(h.invalidated_at_unix_ms, h.recorded_at_unix_ms + 1),
        coalesce(h.valid_from_unix_ms, h.recorded_at_unix_ms), h.valid_to_unix_ms, h.archived
    FROM before JOIN main.entity_history held USING (history_id)
    CROSS JOIN entity_history h ON h.seq = held.seq
    WHERE held.key <> :key OR held.category <> :category
"""
_ALIAS: Final = """
    SELECT e.workspace_hash, e.row_id, a.created_at_unix_ms, NULL,
        coalesce(e.valid_from_unix_ms, e.recorded_at_unix_ms), e.valid_to_unix_ms, 0
    FROM main.aliases a CROSS JOIN entities e ON e.row_id = a.entity_row_id
    WHERE a.key = :key AND a.category = :category
      AND (:workspace_hash IS NULL OR a.workspace_hash = :workspace_hash)
"""
_EARLIER_ROWS: Final = """
    SELECT h.* FROM json_each(:rows) wanted CROSS JOIN entity_history h ON h.seq = wanted.value
    ORDER BY wanted.key
"""
_ALL_EARLIER: Final = """
    SELECT category, key, workspace_hash, seq, recorded_at_unix_ms,
        coalesce(invalidated_at_unix_ms, recorded_at_unix_ms + 1),
        length(CAST(body_json AS BLOB)), source = :source AND type = :tombstone, archived
    FROM entity_history
    WHERE :workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces))
"""
_DELETE_EARLIER: Final = """
    DELETE FROM main.entity_history WHERE seq IN (SELECT value FROM json_each(:rows))
"""

_SOURCES: Final = (
    (Place.PRESENT, "entities", _PRESENT),
    (Place.ALIAS, "aliases", _ALIAS),
    (Place.EARLIER, "entity_history", _EARLIER),
)


def versions(
    reader: Reader, category: str, key: str, workspaces: Sequence[str] | None
) -> dict[str, list[Version]]:
    """Everything ever said under a name, by workspace: in those given, or in all (`None`).

    The earlier versions of a workspace come last, newest first. Workspaces come in the order
    given, else the global one first; those that never knew the name are left out.
    """
    found: dict[str, list[Version]] = {}
    for workspace in (None,) if workspaces is None else workspaces:
        for place, table, statement in _SOURCES:
            wanted = {"category": category, "key": key}
            if workspace is not None:
                wanted["workspace_hash"] = workspace
            names: dict[str, Any] = {"workspace_hash": None, **reader.stored_names(table, wanted)}
            for named, row, recorded, ended, start, end, forgotten in reader.tuples(
                statement, names
            ):
                version = Version(place, row, recorded, ended, start, end, bool(forgotten))
                found.setdefault(named, []).append(version)
    return found if workspaces is not None else dict(sorted(found.items()))


def under_other_names(reader: Reader, row_id: int, category: str, key: str) -> list[Version]:
    """Versions that the memory in a row left under names it had before its present one."""
    names = reader.stored_names("entity_history", {"category": category, "key": key})
    rows = reader.tuples(_UNDER_OTHER_NAMES, {"row_id": row_id, **names})
    return [
        Version(Place.EARLIER, seq, recorded, ended, start, end, bool(forgotten))
        for seq, recorded, ended, start, end, forgotten in rows
    ]


def whole(reader: Reader, version: Version) -> Entity:
    """A version with its words.

    Raises:
        DamagedStore: they changed on the disk.
    """
    if version.place is Place.EARLIER:
        return earlier(reader, version.row)[1]
    memory = sound(by_row_ids(reader, [version.row])[version.row])
    return replace(memory, recorded_at_unix_ms=version.recorded_at)


def earlier(reader: Reader, row: int) -> tuple[str, Entity]:
    """An earlier version with its history id.

    Raises:
        DamagedStore: its words changed on the disk.
    """
    [(history_id, version)] = earlier_many(reader, [row])
    return history_id, sound(version)


def earlier_many(reader: Reader, rows: Sequence[int]) -> list[tuple[str, Entity]]:
    """Earlier versions with their history ids, in order; those that are gone are left out."""
    found = reader.all(_EARLIER_ROWS, {"rows": json.dumps(list(rows))})
    return [(row["history_id"], from_row(row)) for row in found]


def all_earlier(reader: Reader, workspaces: Sequence[str] | None) -> list[Stored]:
    """Every earlier version, in some workspaces or in all (`None`)."""
    wanted = None if workspaces is None else json.dumps(list(workspaces))
    return [
        Stored((category, key, workspace), row, recorded, ended, size, bool(rolled), bool(gone))
        for category, key, workspace, row, recorded, ended, size, rolled, gone in reader.tuples(
            _ALL_EARLIER, {"source": SOURCE, "tombstone": TOMBSTONE, "workspaces": wanted}
        )
    ]


def delete_earlier(tx: Writer, rows: Sequence[int]) -> None:
    tx.run(_DELETE_EARLIER, {"rows": json.dumps(list(rows))})
