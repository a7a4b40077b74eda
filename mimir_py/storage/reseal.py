"""Copying a store into one that is sealed otherwise, or not at all, and putting that in its place.

The copy is made beside the store, read back and compared, and then takes its place in one step: at
any moment there is the old store or the new one, whole. A copy that was cut short is only a file to
be written anew.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mimir_py.errors import StorageError
from mimir_py.storage import fts, migrations
from mimir_py.storage.connection import connect_plainly, log_of, translate
from mimir_py.storage.database import prepare_store
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import create_private, sync
from mimir_py.storage.restore import alone_with, set_aside_by, swap
from mimir_py.storage.rows import Reader, Writer
from mimir_py.storage.sealing import Unlock, read_header

_COLUMNS: Final = "SELECT name FROM pragma_table_info(:table, 'main') WHERE name <> 'sealed'"
_SEQUENCES: Final = "SELECT name, seq FROM main.sqlite_sequence"
_SET_SEQUENCE: Final = "UPDATE main.sqlite_sequence SET seq = :seq WHERE name = :name"
_ADD_SEQUENCE: Final = "INSERT INTO main.sqlite_sequence (name, seq) VALUES (:name, :seq)"
_SET_HEADER: Final = "UPDATE main.meta SET value = :header WHERE name = 'seal'"
_COUNT: Final = "SELECT count(*) FROM main.{table}"
# What each store says of itself alone.
_OWN: Final = {
    "migrations": "1 = 0",
    "meta": "name NOT IN ('seal', 'chunk_vectors', 'fence_secret')",
}
_AT_ONCE: Final = 500
_BLOCK: Final = bytes(1_048_576)

# Names the old file until it is wiped.
_WHY: Final = "sealing"

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Resealed:
    """What was copied: rows in all, and memories among them."""

    rows: int
    memories: int


def reseal(
    store: Path,
    engine: Engine,
    busy_timeout_ms: int,
    old: Unlock | None,
    new: Unlock | None,
    *,
    finish: Callable[[Writer], None],
    report: Report,
) -> Resealed:
    """Seal a store's rows with another key, for the first time, or no more (`new` is `None`).

    `finish` is run on the copy before it is compared: it makes anew what depends on the key. The
    old file is overwritten and deleted.

    Raises:
        StoreInUse: other processes have the store open.
        KeyRefused, BrokenSeal: the old key does not open all of it.
        StorageError: nothing was changed.
    """
    with alone_with(store, busy_timeout_ms):
        part = store.with_name(f".{store.name}.sealing")
        try:
            _discard(part)
            create_private(part)
            try:
                with _opened(store, engine, old) as source, _opened(part, engine, new) as target:
                    done = _copied(source, target, finish, report)
            except engine.dbapi.Error as error:
                raise translate(error) from error
            kept = swap(part, store, _WHY, engine)
        except OSError as error:
            raise StorageError(f"cannot write beside {store}: {error.strerror}") from error
        finally:
            _discard(part)
        if kept is not None:
            _wipe(kept)
    return done


def clear_up(store: Path, busy_timeout_ms: int) -> bool:
    """Overwrite and delete the old file, if a `reseal` was killed before it did; whether it was.

    Raises:
        StoreInUse: other processes have the store open.
    """
    left = set_aside_by(store, _WHY)
    if not left.exists():
        return False
    with alone_with(store, busy_timeout_ms):
        _wipe(left)
    return True


def rewrap(store: Path, engine: Engine, busy_timeout_ms: int, change: Callable[[str], str]) -> None:
    """Replace the header of a sealed store by what `change` makes of it; rows stay as they are.

    Raises:
        StoreInUse: other processes have the store open.
        KeyRefused: `change` refused it.
    """
    with alone_with(store, busy_timeout_ms):
        connection = connect_plainly(store, engine)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                header = read_header(connection)
                if header is None:
                    raise StorageError(f"{store} is not sealed")
                connection.execute(_SET_HEADER, {"header": change(header)})
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except engine.dbapi.Error as error:
            raise translate(error) from error
        finally:
            connection.close()


@contextmanager
def _opened(path: Path, engine: Engine, unlock: Unlock | None) -> Iterator[Writer]:
    connection = connect_plainly(path, engine)
    seals = None
    try:
        sealing = prepare_store(connection, path, engine, unlock)
        seals = None if sealing is None else sealing.seals
        yield Writer(connection, seals)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except engine.dbapi.Error:
        broken = None if seals is None else seals.take_fault()
        if broken is not None:
            raise broken from None
        raise
    finally:
        connection.close()


def _copied(
    source: Writer, target: Writer, finish: Callable[[Writer], None], report: Report
) -> Resealed:
    total = sum(source.value(_COUNT.format(table=name)) for name in migrations.TABLES)
    done = 0
    # Durable before it counts: the file is synced when it takes the store's place.
    target.run("PRAGMA synchronous=OFF")
    for name in migrations.TABLES:
        was, now = hashlib.sha256(), hashlib.sha256()
        for columns, rows in _pages(source, name):
            with _transaction(target):
                target.insert_rows(name, columns, rows)
            was.update(repr(rows).encode())
            done += len(rows)
            report(done, total)
        for _, rows in _pages(target, name):
            now.update(repr(rows).encode())
        if was.digest() != now.digest():
            raise StorageError(f"the copy of {name} differs; nothing was changed. Try again")
    with _transaction(target):
        for sequence in source.tuples(_SEQUENCES):
            values = dict(zip(("name", "seq"), sequence, strict=True))
            if not target.run(_SET_SEQUENCE, values):
                target.run(_ADD_SEQUENCE, values)
        fts.rebuild(target)
        finish(target)
    return Resealed(done, source.value(_COUNT.format(table="entities")))


def _pages(reader: Reader, table: str) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """A table's rows, some at a time, by its key if it has one."""
    columns = tuple(name for (name,) in reader.tuples(_COLUMNS, {"table": table}))
    some = f"SELECT {', '.join(columns)} FROM {table} WHERE {_OWN.get(table, '1')}"  # noqa: S608  # our own names
    key = migrations.TABLES[table].key
    if key not in columns:
        yield columns, reader.tuples(some)
        return
    paged = f"{some} AND {key} > :after ORDER BY {key} LIMIT {_AT_ONCE}"
    place, after = columns.index(key), 0
    while rows := reader.tuples(paged, {"after": after}):
        yield columns, rows
        after = rows[-1][place]


@contextmanager
def _transaction(tx: Writer) -> Iterator[None]:
    tx.run("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        tx.run("ROLLBACK")
        raise
    tx.run("COMMIT")


def _discard(part: Path) -> None:
    for file in (part, log_of(part), part.with_name(part.name + "-shm")):
        file.unlink(missing_ok=True)


def _wipe(file: Path) -> None:
    """Overwrite a file before deleting it; a disk that copies on write may keep the old blocks."""
    with contextlib.suppress(FileNotFoundError):
        with file.open("r+b") as opened:
            left = os.fstat(opened.fileno()).st_size
            while left > 0:
                left -= opened.write(_BLOCK[:left] if left < len(_BLOCK) else _BLOCK)
        sync(file)
        file.unlink()
