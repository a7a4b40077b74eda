"""`--db` on a store of the Rust program: a backup of it, then a store of ours in its place.

At every moment the path names the old store or the whole new one. The new one is made beside it
from the backup, and takes its place only when everything that could be read is in it and nobody
has changed the old one meanwhile.
"""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from mimir_py.errors import BrokenCopy, ForeignStore, StorageError, StoreInUse
from mimir_py.importers.models import Migrated
from mimir_py.importers.rust.reading import Reading
from mimir_py.importers.rust.store import digest_of, open_old_store
from mimir_py.security import Trust
from mimir_py.storage.backup import backup_folder, copy, dated, discard
from mimir_py.storage.connection import connect_plainly
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import create_private, is_rust_store, sync, sync_folder
from mimir_py.storage.lock import WriteLock
from mimir_py.storage.verify import reading
from mimir_py.values import UnixMs

logger = logging.getLogger("mimir")

_WHY: Final = "-before-migration"
_HEAD: Final = ".head"
# Beside a store of ours: its lock, who has it open, its log.
_BESIDE: Final = (".lock", ".presence", "-wal", "-shm", _HEAD, "")

# Given an empty path and a source: makes a store there of what the source holds.
Fill = Callable[[Path, Path], Awaitable[Migrated]]


def check_old_store(path: Path, engine: Engine, key: bytes | None) -> None:
    """Refuse a store of the Rust program that could not be taken over, without changing anything.

    Raises:
        KeyRefused: its texts are encrypted, and the key does not open them.
        ForeignStore: it is not one, after all.
    """
    with open_old_store(path, engine) as old:
        if not old.has_entities:
            raise ForeignStore(
                f"{path} is a database of another program; it was left untouched. Give another "
                "file with --db or MIMIR_DB_PATH"
            )
        Reading(old, key, Trust.AGENT)


async def take_over(
    path: Path, engine: Engine, busy_timeout_ms: int, key: bytes | None, now: UnixMs, fill: Fill
) -> None:
    """Put a store of ours in the place of one of the Rust program; a no-op where there is none.

    Raises:
        StoreInUse: another program has it open, or changed it meanwhile; it was left as it is.
        StorageError: it could not be backed up or read whole; it was left as it is.
    """
    lock = WriteLock(path, busy_timeout_ms)
    try:
        await lock.acquire()
        try:
            # Of several processes that open it one does the work, and the others find it done.
            if is_rust_store(path):
                check_old_store(path, engine, key)
                await _take_over(path, engine, now, fill)
        finally:
            lock.release()
    finally:
        lock.close()


async def _take_over(path: Path, engine: Engine, now: UnixMs, fill: Fill) -> None:
    kept = dated(path, backup_folder(path), now, _WHY)
    digest = _back_up(path, kept, engine)
    part = path.with_name(f".{path.name}.migrating")
    try:
        _clear(part)
        done = await fill(part, kept)
        if done.missing:
            raise StorageError(
                f"{path} was left as it is: {done.missing} of its texts did not arrive in the new "
                f"store, first {done.errors[0]}"
            )
        _refuse_changes(path, engine, digest)
        sync(part)
        head = part.with_name(part.name + _HEAD)
        if head.exists():
            head.replace(path.with_name(path.name + _HEAD))
        part.replace(path)
        sync_folder(path.parent)
    finally:
        _clear(part)
    _tell(path, kept, done)


def _back_up(path: Path, kept: Path, engine: Engine) -> str:
    """Copy the old store, and look whether the copy says the same; the digest of what it says."""
    part = kept.with_name(f".{kept.name}.part")
    try:
        with reading(path, engine) as connection:
            digest = digest_of(connection)
            copy(connection, part, engine)
        with reading(part, engine) as connection:
            [verdict] = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise BrokenCopy(f"{path} is damaged ({verdict}); it was left as it is")
            if digest_of(connection) != digest:
                raise StoreInUse(_changed(path))
        sync(part)
        part.replace(kept)
        sync_folder(kept.parent)
    except engine.dbapi.Error as error:
        raise StorageError(f"{path} cannot be backed up, and was left as it is: {error}") from error
    finally:
        discard(part)
    return digest


def _refuse_changes(path: Path, engine: Engine, digest: str) -> None:
    """Bring the old store's log into it, which needs it alone, and see that it says the same."""
    connection = connect_plainly(path, engine)
    try:
        connection.execute("PRAGMA busy_timeout=1000").fetchall()
        connection.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        connection.execute("BEGIN EXCLUSIVE")
        now = digest_of(connection)
        connection.execute("ROLLBACK")
    except engine.dbapi.Error as error:
        raise StoreInUse(
            f"{path} is open in another program ({error}): end it and try again; the store was "
            "left as it is"
        ) from error
    finally:
        connection.close()
    if now != digest:
        raise StoreInUse(_changed(path))


def _changed(path: Path) -> str:
    return f"{path} is being changed by another program: end it and try again; it was left as it is"


def _clear(part: Path) -> None:
    for end in _BESIDE:
        part.with_name(part.name + end).unlink(missing_ok=True)


def _tell(path: Path, kept: Path, done: Migrated) -> None:
    """Say in one line what happened; what was lost is listed in a file beside the backup."""
    lost = ""
    if done.errors:
        listed = kept.with_suffix(".txt")
        create_private(listed)
        listed.write_text("\n".join(done.errors) + "\n", encoding="utf-8")
        lost = f"; {len(done.errors)} things are not as they were, see {listed}"
    logger.warning(
        "%s was a store of the Rust program: %d memories and %d versions are now in a store of "
        "Mimir's at the same place; the old file is %s%s",
        path,
        done.created,
        done.versions,
        kept,
        lost,
    )
