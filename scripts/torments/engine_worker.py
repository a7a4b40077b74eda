"""One process of the engine stress: `engine_worker.py ENGINE-LOCK ROLE STORE NUMBER SECONDS`.

Uses the two safeguards under test, the engine and the lock file, and nothing else of Mimir: plain
statements leave no time between them, which is what the defect needs.
"""

import contextlib
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from mimir_py.storage.engine import load_engine
from mimir_py.storage.lock import WriteLock

_LOCK_MS = 30_000
_LONGEST_PAUSE_S = 0.0005
_TEXT = "x" * 300


def main() -> None:
    way, role, store, number, seconds = sys.argv[1:]
    engine, guard = way.split("-")
    module = load_engine(engine).dbapi
    connection = module.connect(store, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    lock = WriteLock(Path(store), _LOCK_MS) if guard == "locked" else None
    if role == "make":
        connection.execute(
            "CREATE TABLE written (id INTEGER PRIMARY KEY, writer INTEGER, number INTEGER,"
            " text TEXT, UNIQUE (writer, number))"
        )
    else:
        work = _write if role == "write" else _checkpoint
        print(json.dumps(work(module, connection, lock, int(number), float(seconds))))
    connection.close()


def _write(module: Any, connection: Any, lock: Any, writer: int, seconds: float) -> dict[str, int]:
    last, end = 0, time.monotonic() + seconds
    source = random.Random(writer)  # noqa: S311  # pauses, not secrets
    while time.monotonic() < end:
        with _held(lock):
            try:
                connection.execute("BEGIN IMMEDIATE")
            except module.OperationalError as error:
                if "locked" not in str(error):
                    raise
                continue
            connection.execute(
                "INSERT INTO written (writer, number, text) VALUES (?, ?, ?)",
                (writer, last + 1, _TEXT),
            )
            connection.execute("COMMIT")
        last += 1
        # Long enough for the whole log to be copied, so that the next commit begins a new one.
        time.sleep(source.random() * _LONGEST_PAUSE_S)
    return {"last": last}


def _checkpoint(
    module: Any, connection: Any, lock: Any, number: int, seconds: float
) -> dict[str, int]:
    done, end = 0, time.monotonic() + seconds
    connection.execute("PRAGMA busy_timeout=0")
    while time.monotonic() < end:
        with _held(lock), contextlib.suppress(module.OperationalError):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        done += 1
    return {"done": done}


@contextlib.contextmanager
def _held(lock: Any) -> Any:
    if lock is None:
        yield
        return
    lock.acquire_blocking()
    try:
        yield
    finally:
        lock.release()


main()
