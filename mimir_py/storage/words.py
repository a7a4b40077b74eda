"""The keyword index of a sealed store: in memory, one per process, following the change feed."""

import json
from collections.abc import Sequence
from typing import Any, Final

from mimir_py.storage.migrations.m0001_memories import KEYWORD_INDEX_IN_MEMORY
from mimir_py.storage.sealing import Seals

# A change of the feed that says: build the index anew.
REBUILD: Final = "rebuild"

_ATTACH: Final = "ATTACH ':memory:' AS derived"
_LAST_CHANGE: Final = "SELECT coalesce(max(seq), 0) FROM main.changes"
_FIRST_CHANGE: Final = "SELECT coalesce(min(seq), 0) FROM main.changes"
_CHANGED: Final = (
    "SELECT DISTINCT entity_row_id, kind = :rebuild FROM main.changes WHERE seq > :seen"
)
_TEXTS: Final = "entity_text"
_INDEXED: Final = ("label_terms", "body_terms")
_SLICE: Final = """
    SELECT sealed, row_id FROM main.entity_text
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
    INSERT OR REPLACE INTO derived.entities_fts (rowid, label_terms, body_terms) VALUES
"""
_EMPTY: Final = "INSERT INTO derived.entities_fts (entities_fts) VALUES ('delete-all')"
_MERGE: Final = "INSERT INTO derived.entities_fts (entities_fts, rank) VALUES ('automerge', ?)"
# While it is built, merging as it goes would be a third of the work.
_NEVER: Final = 0
_USUAL: Final = 4
# About twenty milliseconds of the connection's thread.
_ROWS_AT_ONCE: Final = 1_500

SealedText = tuple[bytes | None, int]
Text = tuple[int, str, str]


class Words:
    """Builds the index a slice at a time, then keeps it in step; on the connection's thread.

    Only `opened` may run on another: that is half of the work, and the other half is SQLite's own.
    """

    def __init__(self, seals: Seals) -> None:
        self.is_built = False
        self._seals = seals
        self._after = 0
        self._seen = 0

    def install(self, connection: Any) -> None:
        """Make the empty index."""
        connection.execute(_ATTACH)
        for statement in KEYWORD_INDEX_IN_MEMORY:
            connection.execute(statement)

    def fetch(self, connection: Any, after: int | None = None) -> list[SealedText]:
        """The sealed texts of some memories behind `after`, or behind those already indexed."""
        if self._after == 0 and after is None:
            self._seen = _value(connection, _LAST_CHANGE)
            connection.execute(_MERGE, (_NEVER,))
        place = {"after": self._after if after is None else after, "limit": _ROWS_AT_ONCE}
        return _rows(connection, _SLICE, place)

    def opened(self, sealed: Sequence[SealedText]) -> list[Text]:
        """Texts to index.

        Raises:
            BrokenSeal: one of them could not be opened.
        """
        texts = self._seals.opened(_TEXTS, _INDEXED, sealed)
        return [(row[1], *text) for row, text in zip(sealed, texts, strict=True)]

    def put(self, connection: Any, texts: Sequence[Text]) -> None:
        """Index some texts; after the last, none, the index is built."""
        if texts:
            _put(connection, texts)
            self._after = texts[-1][0]
        else:
            connection.execute(_MERGE, (_USUAL,))
            self.is_built = True

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
        _put(connection, rows)
        self._seen = last

    def _rebuild(self, connection: Any) -> None:
        connection.execute(_EMPTY)
        self._after = 0
        self.is_built = False
        while not self.is_built:
            self.put(connection, self.opened(self.fetch(connection)))


def _put(connection: Any, texts: Sequence[Text]) -> None:
    """Index texts in few statements: in between each the thread would wait for others."""
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        some = texts[start : start + _ROWS_AT_ONCE]
        places = ", ".join(["(?, ?, ?)"] * len(some))
        connection.execute(_PUT + places, [value for text in some for value in text])


def _value(connection: Any, statement: str) -> int:
    value: int = connection.execute(statement).fetchone()[0]
    return value


def _rows(connection: Any, statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.row_factory = None
    rows: list[tuple[Any, ...]] = cursor.execute(statement, parameters).fetchall()
    return rows
