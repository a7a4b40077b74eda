"""Rows of a store of the Rust program, read in one snapshot. All of its SQL is here.

Which columns there are depends on the schema level, so what a table has is asked first. Values come
as bytes where they are text: one that is not UTF-8 must not hide the others.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mimir_py.errors import ForeignStore, NotFound
from mimir_py.storage.connection import translate
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import is_sqlite
from mimir_py.storage.verify import reading

Raw = dict[str, Any]

_SLICE: Final = 500
_COLUMNS: Final = "SELECT name FROM pragma_table_info(?)"
_INDEXED: Final = "SELECT c0 FROM entities_fts_content WHERE id = ?"
_LOST_ROWS: Final = """
    id NOT IN (SELECT e.id FROM entities e)
"""
_NO_JSON: Final = """
    substr(body_json, 1, 1) NOT IN ('{', '[', '"', '')
"""
_CONTENT: Final = ("entities", "entity_history", "journal", "state", "communities")
_VECTORS: Final = frozenset({"embedding", "emb_sig"})


class OldStore:
    """An open store of the Rust program. Use `open_old_store`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._tables = {
            table: self._columns_of(table)
            for table in (
                "entities",
                "entity_history",
                "journal",
                "state",
                "communities",
                "memories",
                "entities_fts_content",
            )
        }

    @property
    def has_entities(self) -> bool:
        return "key" in self._tables["entities"]

    @property
    def has_memories(self) -> bool:
        """Whether there is the table from before `entities`."""
        return {"id", "content"} <= set(self._tables["memories"])

    def count(self, table: str) -> int:
        if not self._tables[table]:
            return 0
        [(number,)] = self._connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608  # our own names
        return int(number)

    def slices(self, table: str, where: str = "1") -> Iterator[list[Raw]]:
        """A table's rows in the order they were stored; nothing where there is no such table."""
        columns = self._tables[table]
        after = -(2**63)
        while columns:
            rows = self._rows(
                f"SELECT rowid AS rowid_, {', '.join(columns)} FROM {table} "  # noqa: S608  # names of the file's own columns that we know
                f"WHERE rowid > ? AND {where} ORDER BY rowid LIMIT {_SLICE}",
                (after,),
            )
            if not rows:
                return
            yield rows
            after = rows[-1]["rowid_"]

    def no_json(self) -> Iterator[list[Raw]]:
        """The memories whose text does not begin as JSON does."""
        return self.slices("entities", _NO_JSON)

    def versions_of(self, ids: Sequence[str]) -> list[Raw]:
        """The versions that history keeps of some memories, oldest first."""
        columns = self._tables["entity_history"]
        if not columns:
            return []
        return self._rows(
            f"SELECT {', '.join(columns)} FROM entity_history "  # noqa: S608  # as above
            "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            (json.dumps(list(ids)),),
        )

    def lost_versions(self) -> Iterator[list[Raw]]:
        """Versions of memories that are there no longer."""
        return self.slices("entity_history", _LOST_ROWS)

    def indexed(self, rowid: int) -> str | None:
        """The text the search index has of a row."""
        if "c0" not in self._tables["entities_fts_content"]:
            return None
        rows = self._rows(_INDEXED, (rowid,))
        value = rows[0]["c0"] if rows else None
        return value.decode(errors="replace") if isinstance(value, bytes) else None

    def _columns_of(self, table: str) -> tuple[str, ...]:
        found = (name.decode() for (name,) in self._connection.execute(_COLUMNS, (table,)))
        # What we select by name must be a plain one; vectors are of another model and text.
        return tuple(name for name in found if name.isidentifier() and name not in _VECTORS)

    def _rows(self, statement: str, parameters: tuple[Any, ...]) -> list[Raw]:
        cursor = self._connection.execute(statement, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def open_old_store(path: Path, engine: Engine) -> Iterator[OldStore]:
    """Read a store of the Rust program, as it is now; nothing of it is changed.

    Raises:
        NotFound: there is no such file.
        ForeignStore: it is no database.
        StorageError: it is damaged.
    """
    if not os.path.isfile(path):  # noqa: PTH113  # a name too long for the system is just not there
        raise NotFound(f"there is no file {path}")
    if not is_sqlite(path):
        raise ForeignStore(f"{path} is not a SQLite database")
    try:
        with reading(path, engine) as connection:
            connection.text_factory = bytes
            connection.execute("PRAGMA trusted_schema=OFF").fetchall()
            connection.execute("PRAGMA cell_size_check=ON").fetchall()
            connection.execute("BEGIN")
            yield OldStore(connection)
    except engine.dbapi.Error as error:
        raise type(translate(error))(f"{path}: {error}") from error


def digest_of(connection: Any) -> str:
    """A digest of everything people's words are in; the same for a copy."""
    summed = hashlib.sha256()
    for table in _CONTENT:
        if connection.execute(_COLUMNS, (table,)).fetchone() is None:
            continue
        connection.text_factory = bytes
        for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid"):  # noqa: S608  # our own names
            summed.update(repr(tuple(row)).encode())
    return summed.hexdigest()
