"""One connection to a store: how it is opened, and what its errors are called.

SQLite never checkpoints on its own on any of them: `Database` does, with the lock held.
"""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import aiosqlite

from mimir_py.errors import DamagedStore, DiskFull, StorageError, StoreBusy
from mimir_py.storage.engine import Engine

T = TypeVar("T")

BUSY_TIMEOUT_MS: Final = 30_000
LONGEST_LOG_BYTES: Final = 16 * 1_048_576
_QUEUE_SIZE: Final = 64
# How the driver begins its message about a text column that holds other bytes.
_UNDECODABLE: Final = "Could not decode to UTF-8"

_SHARED_PRAGMAS: Final = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=0",
    "PRAGMA cell_size_check=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cache_size=-8000",
)
# SQLite has them where it was built with its mathematical functions.
_MATHS: Final[Mapping[str, Callable[[float], float]]] = {"exp": math.exp, "log2": math.log2}
_WRITER_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA wal_autocheckpoint=0",
    f"PRAGMA journal_size_limit={LONGEST_LOG_BYTES}",
    "PRAGMA secure_delete=ON",
)


class Connection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function on its thread: one hop, not one each."""

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run `work(connection, *arguments)` there; its result.

        Raises:
            RuntimeError: in place of what would end or hang an event loop.
        """
        result: T = await self._execute(_contained, work, self._conn, *arguments)  # type: ignore[no-untyped-call]  # aiosqlite leaves it untyped
        return result


def connect(path: Path, engine: Engine) -> Connection:
    """A connection that opens the file when it is awaited, on a thread of its own."""

    def opened() -> Any:
        return engine.dbapi.connect(
            os.fspath(path),
            isolation_level=None,
            timeout=BUSY_TIMEOUT_MS / 1000,
            check_same_thread=False,
        )

    return Connection(opened, _QUEUE_SIZE)


def connect_plainly(path: Path, engine: Engine) -> Any:
    """A connection for maintenance, used on the thread that calls."""
    connection = engine.dbapi.connect(
        os.fspath(path), isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000
    )
    # Asked before anything else, so that no checkpoint happens on its own.
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


def log_of(store: Path) -> Path:
    """The file SQLite keeps a store's log in."""
    return store.with_name(store.name + "-wal")


def prepare_writer(connection: Any, engine: Engine) -> None:
    """Set a fresh connection up for writing durably."""
    _prepare(connection, engine)
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    for pragma in _WRITER_PRAGMAS:
        connection.execute(pragma).fetchall()


def prepare_reader(connection: Any, engine: Engine) -> None:
    """Set a fresh connection up for reading alone."""
    _prepare(connection, engine)
    connection.execute("PRAGMA query_only=ON").fetchall()


def _prepare(connection: Any, engine: Engine) -> None:
    connection.row_factory = engine.dbapi.Row
    for pragma in _SHARED_PRAGMAS:
        connection.execute(pragma).fetchall()
    bring_missing(connection, engine, _MATHS)
    if engine.extensions:
        import sqlite_vec

        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        connection.enable_load_extension(False)


def bring_missing(
    connection: Any, engine: Engine, functions: Mapping[str, Callable[[float], float]]
) -> None:
    """Define functions of one number that this SQLite was built without."""
    for name, function in functions.items():
        try:
            connection.execute(f"SELECT {name}(1)").fetchall()
        except engine.dbapi.OperationalError:
            connection.create_function(name, 1, function, deterministic=True)


def translate(error: Exception) -> StorageError:
    """The error tree's word for an error of the driver."""
    name = getattr(error, "sqlite_errorname", "") or ""
    text = str(error)
    if name.startswith("SQLITE_FULL") or "disk is full" in text:
        return DiskFull("the disk is full; nothing was written. Free some space and try again")
    if name.startswith("SQLITE_IOERR"):
        # A quota and a largest size of files come out as this too; only ENOSPC is SQLITE_FULL.
        return StorageError(
            f"the disk refused ({text}); nothing was written. It may be full, over a quota, or "
            "failing: see to it and try again"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or "is locked" in text:
        return StoreBusy("another program holds the store; nothing was written. Try again")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "malformed" in text:
        return DamagedStore(f"the store is damaged ({text}). Run: mimir doctor")
    if "decode to UTF-8" in text:
        # The driver quotes what it could not read.
        return DamagedStore("the store is damaged (a text is not UTF-8). Run: mimir doctor")
    return StorageError(f"SQLite: {text}")


def legibly(connection: Any, attempt: Callable[[], T]) -> T:
    """Run `attempt`, once more if it met text that is not UTF-8: that then reads as U+FFFD.

    Only damage or another program puts such text into a store; it must not hide the rest.
    """
    try:
        return attempt()
    except Exception as error:
        if not str(error).startswith(_UNDECODABLE):
            raise
    connection.text_factory = _marked
    try:
        return attempt()
    finally:
        connection.text_factory = str


def _marked(text: bytes) -> str:
    return text.decode(errors="replace")


def _contained(work: Callable[..., T], *arguments: Any) -> T:
    try:
        return work(*arguments)
    except StopIteration as error:
        # A future cannot carry it; whoever awaits would wait for ever, with the lock held.
        raise RuntimeError("StopIteration inside a transaction") from error
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__} inside a transaction") from error
