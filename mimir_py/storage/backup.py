"""Backups: copies of a store that were verified before they got their names.

A backup is one private file, made from a snapshot while others go on writing. It is written under
a name that no listing shows; only when it has been read back whole, and has reached the disk, it
is given its own. The copy is byte for byte that of the rows, so a sealed store's is sealed too.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mimir_py.errors import BrokenCopy, StorageError
from mimir_py.storage.connection import connect_plainly, translate
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import create_private, is_store, is_whole, sync, sync_folder
from mimir_py.storage.lock import WriteLock
from mimir_py.storage.presence import Presence, lives
from mimir_py.storage.verify import Verified, verify
from mimir_py.values import UnixMs

KEPT: Final = 10
_BEFORE_UPGRADE: Final = "-before-upgrade"
_PART: Final = ".part"


def backup_folder(store: Path) -> Path:
    """Where a store's backups are unless somebody says otherwise."""
    return store.parent / "backups"


def stamp(now: UnixMs) -> str:
    """A time as a part of file names: it sorts, and any file system takes it."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%S") + f"{now % 1000:03}Z"


def dated(store: Path, folder: Path, now: UnixMs, why: str = "") -> Path:
    """The file in `folder` for a backup made now."""
    return folder / f"{store.stem}-{stamp(now)}{why}.db"


def back_up(store: Path, target: Path, engine: Engine, busy_timeout_ms: int) -> Verified:
    """Copy a store to `target` while others use it; replaces an older backup of that name.

    What was acknowledged before the call is in the copy.

    Raises:
        BrokenCopy: what was copied is damaged, so there is no backup.
        StorageError: the store cannot be read, or the target cannot be written.
    """
    if not is_store(store):
        raise StorageError(f"there is no Mimir store at {store}")
    with _attached(store, engine, busy_timeout_ms) as connection:
        return keep_copy(connection, target, engine)


def before_upgrade(connection: Any, store: Path, engine: Engine, now: UnixMs) -> Verified:
    """Back an open store up into its usual folder, before its schema is changed.

    Raises:
        StorageError: there is no backup, so the store must stay as it is.
    """
    folder = backup_folder(store)
    try:
        made = keep_copy(connection, dated(store, folder, now, _BEFORE_UPGRADE), engine)
    except StorageError as error:
        raise type(error)(
            f"no backup could be made before the upgrade, and the store was left as it is: {error}"
        ) from error
    prune(store, folder, KEPT)
    return made


def keep_copy(connection: Any, target: Path, engine: Engine) -> Verified:
    """Copy the store behind `connection`; the copy gets its name once it is verified and durable.

    Raises:
        BrokenCopy, StorageError: there is no file at `target` that was not there before.
    """
    _clear_leavings(target.parent)
    part = target.with_name(f".{target.name}{_PART}{os.getpid()}")
    try:
        copy(connection, part, engine)
        verified = verify(part, engine)
        sync(part)
        part.replace(target)
        sync_folder(target.parent)
    except BrokenCopy as error:
        text = str(error).replace(str(part), "the copy")
        raise BrokenCopy(f"{text}. The store itself may be: mimir doctor") from error
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error.strerror}") from error
    finally:
        discard(part)
    return replace(verified, path=target)


def copy(connection: Any, target: Path, engine: Engine) -> None:
    """Copy a snapshot of the store behind `connection` to a new private file, without a log.

    Raises:
        StorageError: it could not be read or written.
    """
    create_private(target)
    try:
        with contextlib.closing(connect_plainly(target, engine)) as copied:
            # What matters is made durable afterwards, in one go.
            copied.execute("PRAGMA synchronous=OFF")
            connection.backup(copied)
            copied.execute("PRAGMA journal_mode=DELETE").fetchall()
    except engine.dbapi.Error as error:
        raise translate(error) from error


def backups(store: Path, folder: Path) -> list[Path]:
    """The store's whole backups in a folder, the latest first. Their content is not looked at."""
    name = re.compile(rf"{re.escape(store.stem)}-\d{{8}}T\d{{9}}Z[a-z-]*\.db")
    if not folder.is_dir():
        return []
    found = [file for file in folder.iterdir() if name.fullmatch(file.name)]
    return sorted((file for file in found if is_store(file) and is_whole(file)), reverse=True)


def prune(store: Path, folder: Path, keep: int) -> list[Path]:
    """Delete all but the latest `keep` backups of a folder; what was deleted."""
    old = backups(store, folder)[keep:]
    for file in old:
        file.unlink()
    return old


@contextmanager
def _attached(store: Path, engine: Engine, busy_timeout_ms: int) -> Iterator[Any]:
    """A connection of our own to a store that others use; nobody restores it meanwhile."""
    lock = WriteLock(store, busy_timeout_ms)
    try:
        lock.acquire_blocking()
        try:
            presence = Presence(store)
            connection = connect_plainly(store, engine)
        finally:
            lock.release()
        try:
            yield connection
        finally:
            # The last to close a store checkpoints it, so this needs the lock as well.
            lock.acquire_blocking()
            try:
                connection.close()
                presence.close()
            finally:
                lock.release()
    finally:
        lock.close()


def discard(part: Path) -> None:
    """Delete an unfinished file with what SQLite may have put beside it."""
    for end in ("-journal", "-wal", "-shm", ""):
        part.with_name(part.name + end).unlink(missing_ok=True)


def _clear_leavings(folder: Path) -> None:
    """Delete what backups that were killed left unfinished."""
    for file in folder.glob(f".*{_PART}*"):
        number = file.name.rpartition(_PART)[2].partition("-")[0]
        if number.isdigit() and not lives(int(number)):
            file.unlink(missing_ok=True)
