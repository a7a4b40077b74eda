"""The keyword index of a sealed store: in memory, one per process, following the change feed."""

import json
from typing import Any, Final

from mimir_py.storage.migrations.m0001_memories import KEYWORD_INDEX_IN_MEMORY

# A change of the feed that says: build the index anew.
REBUILD: Final = "rebuild"

_ATTACH: Final = "ATTACH ':memory:' AS derived"
_LAST_CHANGE: Final = "SELECT coalesce(max(seq), 0) FROM main.changes"
_FIRST_CHANGE: Final = "SELECT coalesce(min(seq), 0) FROM main.changes"
_CHANGED: Final = (
    "SELECT DISTINCT entity_row_id, kind = :rebuild FROM main.changes WHERE seq > :seen"
)
_SLICE: Final = """
    SELECT row_id, label_terms, body_terms FROM entity_text
    WHERE row_id > :after ORDER BY row_id LIMIT :limit
"""
_SOME: Final = """
    SELECT t.row_id, t.label_terms, t.body_terms FROM json_each(:row_ids) wanted
    CROSS JOIN entity_text t ON t.row_id = wanted.value
"""
_DELETE: Final = """
    DELETE FROM derived.entities_fts
    WHERE rowid IN (SELECT value FROM json_each(:row_ids))
"""
_PUT: Final = """
    INSERT OR REPLACE INTO derived.entities_fts (rowid, label_terms, body_terms) VALUES (?, ?, ?)
"""
_EMPTY: Final = "INSERT INTO derived.entities_fts (entities_fts) VALUES ('delete-all')"
# About twenty milliseconds of the connection's thread.
_ROWS_AT_ONCE: Final = 500


class Words:
    """Builds the index a slice at a time, then keeps it in step; on the connection's thread."""

    def __init__(self) -> None:
        self.is_built = False
        self._after = 0
        self._seen = 0

    def install(self, connection: Any) -> None:
        """Make the empty index."""
        connection.execute(_ATTACH)
        for statement in KEYWORD_INDEX_IN_MEMORY:
            connection.execute(statement)

    def build_slice(self, connection: Any) -> bool:
        """Index some more memories; whether that was all."""
        if self._after == 0:
            self._seen = _value(connection, _LAST_CHANGE)
        rows = _rows(connection, _SLICE, {"after": self._after, "limit": _ROWS_AT_ONCE})
        connection.executemany(_PUT, rows)
        if rows:
            self._after = rows[-1][0]
        self.is_built = len(rows) < _ROWS_AT_ONCE
        return self.is_built

    def catch_up(self, connection: Any) -> None:
        """Index what any process changed since the last look. A no-op until it is built."""
        if not self.is_built:
            return
        last = _value(connection, _LAST_CHANGE)
        if last == self._seen:
            return
        changed = _rows(connection, _CHANGED, {"seen": self._seen, "rebuild": REBUILD})
        if _value(connection, _FIRST_CHANGE) > self._seen + 1 or any(row[1] for row in changed):
            self._rebuild(connection)
            return
        row_ids = json.dumps([row[0] for row in changed])
        rows = _rows(connection, _SOME, {"row_ids": row_ids})
        connection.execute(_DELETE, {"row_ids": row_ids})
        connection.executemany(_PUT, rows)
        self._seen = last

    def _rebuild(self, connection: Any) -> None:
        connection.execute(_EMPTY)
        self._after = 0
        while not self.build_slice(connection):
            pass


def _value(connection: Any, statement: str) -> int:
    value: int = connection.execute(statement).fetchone()[0]
    return value


def _rows(connection: Any, statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.row_factory = None
    rows: list[tuple[Any, ...]] = cursor.execute(statement, parameters).fetchall()
    return rows
