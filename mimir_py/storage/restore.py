"""Putting another file in a store's place: as a whole or not at all, the old one kept aside."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mimir_py.errors import ForeignStore, InvalidInput, StorageError, StoreInUse
from mimir_py.storage.backup import copy, discard, stamp
from mimir_py.storage.connection import connect_plainly, log_of
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import is_other_program, is_store, sync, sync_folder
from mimir_py.storage.lock import WriteLock, lock_file
from mimir_py.storage.presence import attached_processes, is_attached
from mimir_py.storage.verify import Verified, reading, verify
from mimir_py.values import UnixMs

_ASIDE: Final = ".before-"


@dataclass(frozen=True)
class Restored:
    """A store that was put in place. `kept` is the one that was there before."""

    verified: Verified
    kept: Path | None


def restore(file: Path, store: Path, engine: Engine, busy_timeout_ms: int, now: UnixMs) -> Restored:
    """Make `store` what `file` is. At any moment, there is either the old store or the new one.

    Raises:
        StoreInUse: other processes have the store open; nothing was changed.
        BrokenCopy, ForeignStore, StoreTooNew: the file cannot be restored; nothing was changed.
        StorageError: a file could not be written; nothing was changed.
    """
    verify(file, engine)
    if store.exists() and file.samefile(store):
        raise InvalidInput("file", "is the store itself")
    with alone_with(store, busy_timeout_ms):
        part = store.with_name(f".{store.name}.restoring")
        try:
            discard(part)
            with reading(file, engine) as connection:
                copy(connection, part, engine)
            verified = verify(part, engine)
            kept = swap(part, store, f"restore-{stamp(now)}", engine)
        except OSError as error:
            raise StorageError(f"cannot restore {store}: {error.strerror}") from error
        finally:
            discard(part)
    return Restored(replace(verified, path=store), kept)


@contextmanager
def alone_with(store: Path, busy_timeout_ms: int) -> Iterator[None]:
    """Keep everybody else from a store; who wants to open it waits.

    Raises:
        StoreInUse: others have it open.
        ForeignStore: it is another program's file.
        StoreBusy: the lock was not had in time.
    """
    if _is_not_ours(store):
        raise ForeignStore(f"{store} is not a Mimir store; it was left untouched")
    lock = WriteLock(store, busy_timeout_ms)
    try:
        lock.acquire_blocking()
        try:
            if is_attached(store):
                numbers = ", ".join(map(str, attached_processes(store)))
                raise StoreInUse(
                    f"{store} is open in other processes ({numbers}): end them and try again; "
                    "nothing was changed"
                )
            yield
        finally:
            lock.release()
    finally:
        lock.close()


def swap(part: Path, store: Path, why: str, engine: Engine | None) -> Path | None:
    """Put `part` in the store's place, in one step; where the old one is now, if there was one.

    The caller is alone with the store. With an `engine` the old one's log is brought into it;
    without, both are kept as they are.
    """
    sync(part)
    kept = None
    if store.exists() and store.stat().st_size:
        kept = set_aside_by(store, why)
        _empty_log(store, kept, engine)
        _double(store, kept)
    log_of(store).unlink(missing_ok=True)
    store.with_name(store.name + "-shm").unlink(missing_ok=True)
    sync_folder(store.parent)
    part.replace(store)
    sync_folder(store.parent)
    return kept


def set_aside_by(store: Path, why: str) -> Path:
    """Where `swap` puts the store that was there."""
    return store.with_name(f"{store.name}{_ASIDE}{why}")


def set_aside(store: Path) -> list[Path]:
    """Stores that were in this one's place before, the latest first."""
    return sorted(store.parent.glob(f"{store.name}{_ASIDE}*[0-9]Z"), reverse=True)


def _is_not_ours(path: Path) -> bool:
    """Whether a file is another program's, and not a store of ours that was overwritten."""
    if not path.exists() or not path.stat().st_size or is_store(path):
        return False
    return is_other_program(path) or not lock_file(path).exists()


def _empty_log(store: Path, kept: Path, engine: Engine | None) -> None:
    """Bring the log into the main file: left alone, it would be taken for the new store's."""
    log = log_of(store)
    if not log.exists():
        return
    if engine is None:
        _double(log, log_of(kept))
        return
    try:
        with contextlib.closing(connect_plainly(store, engine)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except engine.dbapi.Error:
        # Too damaged for that, so they are kept side by side as they are.
        _double(log, log_of(kept))


def _double(file: Path, name: Path) -> None:
    """Give a file a second name, or where that cannot be had, make a second file."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copy2(file, name)
        sync(name)
