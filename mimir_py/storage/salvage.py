"""Taking what can still be read out of a damaged store into a new one.

The damaged file is only read, and kept. Rows that cannot be read, or that are not what they were,
go into a file of their own beside it, one JSON object a line. Indexes are made anew.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from mimir_py.errors import DamagedStore, StorageError
from mimir_py.storage.backup import discard, stamp
from mimir_py.storage.connection import connect_plainly
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import create_private
from mimir_py.storage.restore import alone_with, swap
from mimir_py.storage.verify import Verified, reading, verify
from mimir_py.values import UnixMs

# Given a table and one of its rows: what is wrong with it, if anything.
Check = Callable[[str, Mapping[str, Any]], str | None]

_VECTORS: Final = "chunk_vectors"
_TABLES: Final = """
    SELECT s.name, s.sql, t.wr FROM sqlite_schema s JOIN pragma_table_list t ON t.name = s.name
    WHERE s.type = 'table' AND t.schema = 'main' AND t.type = 'table'
    ORDER BY s.rowid
"""
_OTHERS: Final = """
    SELECT s.sql FROM sqlite_schema s LEFT JOIN pragma_table_list t ON t.name = s.name
    WHERE s.sql IS NOT NULL AND (s.type = 'index' OR t.type = 'virtual') ORDER BY s.rowid
"""
_INDEXES: Final = "SELECT name FROM pragma_index_list(:table) WHERE partial = 0"
# Numbers of rows that are lost must not come back for others.
_SEQUENCES: Final = "SELECT seq, name FROM sqlite_sequence"
_SET_SEQUENCE: Final = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
_MEMORIES: Final = "SELECT * FROM entities"
_HAS_WORDS: Final = "SELECT 1 FROM sqlite_schema WHERE name = 'entities_fts'"
_REBUILD: Final = "INSERT INTO entities_fts (entities_fts) VALUES ('rebuild')"
_STALE_VECTORS: Final = "UPDATE meta SET value = 'stale' WHERE name = 'chunk_vectors'"
# The feed must tell the others that these are gone.
_TELL_LOST: Final = """
    INSERT INTO changes (entity_row_id, entity_id, kind)
    SELECT entity_row_id, entity_id, 'delete' FROM (
        SELECT entity_row_id, entity_id, kind, max(seq) FROM changes
        WHERE entity_row_id > 0 GROUP BY entity_row_id
    ) WHERE kind <> 'delete' AND entity_row_id NOT IN (SELECT row_id FROM entities)
"""


@dataclass(frozen=True)
class Salvaged:
    """A store made of what could be read. `quarantine` holds the rows that are not in it."""

    verified: Verified
    kept: Path | None
    rows: int
    quarantined: int
    quarantine: Path | None


def salvage(
    store: Path, engine: Engine, busy_timeout_ms: int, now: UnixMs, check: Check
) -> Salvaged:
    """Put a sound store in a damaged one's place, which is kept beside it.

    Raises:
        StoreInUse: other processes have the store open; nothing was changed.
        DamagedStore: not even the list of tables can be read; nothing was changed.
        StorageError: a file could not be written; nothing was changed.
    """
    side = store.with_name(f"{store.name}.quarantine-{stamp(now)}.jsonl")
    part = store.with_name(f".{store.name}.repairing")
    with alone_with(store, busy_timeout_ms):
        discard(part)
        create_private(part)
        try:
            with _quarantine(side) as quarantine:
                rows = _copy(store, part, engine, quarantine, check)
            verified = verify(part, engine)
            kept = swap(part, store, f"repair-{stamp(now)}", None)
        except engine.dbapi.Error as error:
            raise DamagedStore(
                f"{store} cannot be read any more ({error}): restore a backup (mimir backup "
                "--list, mimir restore); nothing was changed"
            ) from error
        except OSError as error:
            raise StorageError(f"cannot repair {store}: {error.strerror}") from error
        finally:
            discard(part)
    return Salvaged(verified, kept, rows, quarantine.count, side if quarantine.count else None)


def first_fault(store: Path, engine: Engine, check: Check) -> str | None:
    """What is wrong with the first memory that is not what was stored, in a file that is sound."""
    with reading(store, engine) as connection:
        connection.row_factory = engine.dbapi.Row
        for row in connection.execute(_MEMORIES):
            why = check("entities", row)
            if why is not None:
                return f"{row['id']}: {why}"
    return None


class _Quarantine:
    """Where rows go that are not taken over."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.count = 0

    def add(self, table: str, row: int | None, why: str, values: Mapping[str, Any]) -> None:
        self.count += 1
        plain = {k: v.hex() if isinstance(v, bytes) else v for k, v in values.items()}
        entry = {"table": table, "row": row, "why": why, "values": plain}
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")


@contextmanager
def _quarantine(path: Path) -> Iterator[_Quarantine]:
    create_private(path)
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            quarantine = _Quarantine(file)
            yield quarantine
    finally:
        if not path.stat().st_size:
            path.unlink()


def _copy(store: Path, part: Path, engine: Engine, quarantine: _Quarantine, check: Check) -> int:
    """Fill a new file from a damaged one; how many rows it has."""
    with (
        reading(store, engine) as damaged,
        closing(connect_plainly(part, engine)) as sound,
    ):
        damaged.row_factory = engine.dbapi.Row
        sound.execute("PRAGMA synchronous=OFF")
        sound.execute("BEGIN")
        tables = [
            row
            for row in damaged.execute(_TABLES)
            if not row["name"].startswith(("sqlite_", _VECTORS))
        ]
        count = 0
        for name, sql, without_rowid in tables:
            sound.execute(sql)
            for number, row in _rows(damaged, engine, name, not without_rowid, quarantine):
                why = check(name, row) or _put(sound, engine, name, row)
                if why is None:
                    count += 1
                else:
                    quarantine.add(name, number, why, row)
        for (sql,) in damaged.execute(_OTHERS).fetchall():
            if _VECTORS not in sql:
                sound.execute(sql)
        count -= _drop_orphans(sound, quarantine)
        sequences: list[Any] = []
        _gather(damaged, engine, _SEQUENCES, sequences)
        sound.executemany(_SET_SEQUENCE, map(tuple, sequences))
        sound.execute(_STALE_VECTORS)
        sound.execute(_TELL_LOST)
        if sound.execute(_HAS_WORDS).fetchone() is not None:
            sound.execute(_REBUILD)
        for pragma in ("application_id", "user_version"):
            [value] = damaged.execute(f"PRAGMA {pragma}").fetchone()
            sound.execute(f"PRAGMA {pragma}={value}")
        sound.execute("COMMIT")
    return count


def _rows(
    connection: Any, engine: Engine, table: str, has_rowid: bool, quarantine: _Quarantine
) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """The rows of a table that can be read, found from both ends and by its indexes."""
    if not has_rowid:
        found: list[Any] = []
        _gather(connection, engine, f"SELECT * FROM {table}", found)  # noqa: S608  # from the schema
        yield from ((None, dict(row)) for row in found)
        return
    keys: list[Any] = []
    key = f"SELECT rowid FROM {table} NOT INDEXED ORDER BY rowid"  # noqa: S608  # from the schema
    if not _gather(connection, engine, key, keys):
        _gather(connection, engine, f"{key} DESC", keys)
        for (index,) in connection.execute(_INDEXES, {"table": table}).fetchall():
            by_index = f"SELECT rowid FROM {table} INDEXED BY {index}"  # noqa: S608  # from the schema
            _gather(connection, engine, by_index, keys)
    for number in sorted({row[0] for row in keys}):
        statement = f"SELECT * FROM {table} WHERE rowid = ?"  # noqa: S608  # from the schema
        try:
            row = connection.execute(statement, (number,)).fetchone()
        except engine.dbapi.Error as error:
            quarantine.add(table, number, str(error), {})
        else:
            if row is not None:
                yield number, dict(row)


def _gather(connection: Any, engine: Engine, statement: str, found: list[Any]) -> bool:
    """Add what a query yields before it fails; whether it came to its end."""
    try:
        for row in connection.execute(statement):
            found.append(row)  # noqa: PERF402  # what came before an error is kept
    except engine.dbapi.Error:
        return False
    return True


def _put(connection: Any, engine: Engine, table: str, row: Mapping[str, Any]) -> str | None:
    """Insert a row; why it does not fit, if it does not."""
    places = ", ".join(f":{name}" for name in row)
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})"  # noqa: S608  # from the schema
    try:
        connection.execute(statement, row)
    except engine.dbapi.IntegrityError as error:
        return str(error)
    return None


def _drop_orphans(connection: Any, quarantine: _Quarantine) -> int:
    """Take rows out whose memory is lost; how many."""
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    for table, number, *_ in orphans:
        if number is not None:
            row = connection.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,))  # noqa: S608  # from the schema
            names = [column[0] for column in row.description]
            values = dict(zip(names, row.fetchone(), strict=True))
            quarantine.add(table, number, "its memory is lost", values)
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))  # noqa: S608  # from the schema
    return len(orphans)
