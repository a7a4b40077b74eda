"""The store's two connections, and the one way to change it.

Invariants:
- A change is one function, run whole on the writing connection's thread inside `BEGIN IMMEDIATE`
  ... `COMMIT`, with the lock file held. It is never cancelled half-way and it can await nothing.
- `write` returns after the commit has reached the disk (`synchronous=FULL`).
- Reads run on their own connection, each in one snapshot, and cannot write (`query_only`).
- SQLite never checkpoints on its own: we do, with the lock held (see `engine`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from mimir_py.errors import ForeignStore, StorageError, StoreBusy
from mimir_py.storage import migrations
from mimir_py.storage.backup import before_upgrade
from mimir_py.storage.companions import with_companion
from mimir_py.storage.connection import (
    BUSY_TIMEOUT_MS,
    LONGEST_LOG_BYTES,
    Connection,
    connect,
    legibly,
    log_of,
    prepare_reader,
    prepare_writer,
    translate,
)
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import create_private, refuse_foreign
from mimir_py.storage.lock import WriteLock
from mimir_py.storage.presence import Presence
from mimir_py.storage.rows import Reader, Row, Writer
from mimir_py.storage.sealing import Seals, Unlock, read_header
from mimir_py.storage.words import Words
from mimir_py.values import system_clock

__all__ = ["Database", "Reader", "Row", "Writer", "open_database"]

T = TypeVar("T")

_CHECKPOINT_BYTES: Final = 1_000 * 4_096
# The lock does not queue: who waits for it needs a moment to find it free.
_LOCK_FREE_S: Final = 0.001
_SLICES_A_CHECKPOINT: Final = 3
_WRITES_A_CHECKPOINT: Final = 50


class Database:
    """An open store. Use `open_database`."""

    def __init__(
        self,
        path: Path,
        engine: Engine,
        connections: tuple[Connection, Connection],
        lock: WriteLock,
        presence: Presence,
        sealing: "_Sealing | None",
    ) -> None:
        self.path = path
        self.engine = engine
        self._writer, self._reader = connections
        self._lock = lock
        self._presence = presence
        self._seals = None if sealing is None else sealing.seals
        self._words = None if sealing is None else sealing.words
        self._indexing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._checkpointing: asyncio.Task[None] | None = None
        self._slices = 0
        self._writes = 0
        self._copied_bytes = 0
        self._wal = log_of(path)

    @property
    def has_vec(self) -> bool:
        """Whether there may be a sqlite-vec table: it would hold a sealed store's vectors bare."""
        return self.engine.extensions and self._seals is None

    @property
    def is_sealed(self) -> bool:
        """Whether the rows of this store are encrypted."""
        return self._seals is not None

    @property
    def is_indexing(self) -> bool:
        """Whether the words of a sealed store are still being indexed."""
        return self._words is not None and not self._words.is_built

    async def indexed(self) -> None:
        """Wait until the keyword index can answer: in a plain store it always can.

        Raises:
            BrokenSeal: a text could not be opened.
        """
        if self._words is not None and not self._words.is_built:
            self.start_indexing()
            assert self._indexing is not None
            await asyncio.shield(self._indexing)

    def start_indexing(self) -> None:
        """Begin to index a sealed store's words beside other work; a no-op once begun."""
        if self.is_indexing and (self._indexing is None or self._indexing.done()):
            self._indexing = asyncio.create_task(self._index_words(), name="mimir-index")

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Run `work` in one snapshot of the store. It must not keep the reader."""
        return await self._reader.run(self._in_snapshot, work)

    async def write(self, work: Callable[[Writer], T]) -> T:
        """Run `work` in one transaction and return its result once it is durable.

        A caller cancelled while it waits its turn changes nothing; one cancelled later gets its
        cancellation after the transaction has ended, either way.

        Raises:
            StoreBusy, DiskFull, DamagedStore, StorageError: nothing was changed.
        """
        result: T = await self._locked(self._in_transaction, with_companion(work))
        self._keep_log_short()
        return result

    async def write_slice(self, work: Callable[[Writer], T]) -> T:
        """As `write`, for one of many in a row: other processes get the lock before the next."""
        result: T = await self._locked(self._in_transaction, with_companion(work))
        self._slices += 1
        if self._slices % _SLICES_A_CHECKPOINT == 0:
            self._keep_log_short()
            if self._checkpointing is not None:
                await asyncio.wait((self._checkpointing,))
        await asyncio.sleep(_LOCK_FREE_S)
        return result

    async def checkpoint(self) -> bool:
        """Move the log into the main file and empty it; whether nobody was reading it."""
        await self._locked(self._truncate_log)
        return not self._wal.exists() or self._wal.stat().st_size == 0

    async def vacuum(self) -> None:
        """Write the file anew without its free pages. Takes its time, with the lock held.

        Raises:
            DiskFull, StoreBusy, StorageError: the file is as it was.
        """
        await self._locked(self._rewrite)

    def disk_bytes(self) -> int:
        """Size of the store with its log."""
        return sum(file.stat().st_size for file in (self.path, self._wal) if file.exists())

    async def _index_words(self) -> None:
        """Index slice after slice; while one is put into the index, the next one is opened."""
        words = self._words
        assert words is not None
        sealed = await self._writer.run(self._in_index, words.fetch)
        texts = await asyncio.to_thread(words.opened, sealed)
        while not words.is_built:
            if texts:
                following = partial(words.fetch, after=texts[-1][0])
                sealed = await self._writer.run(self._in_index, following)
            putting = self._writer.run(self._in_index, partial(words.put, texts=texts))
            texts, _ = await asyncio.gather(asyncio.to_thread(words.opened, sealed), putting)

    def _in_index(self, connection: Any, work: Callable[[Any], T]) -> T:
        with self._translated(connection):
            connection.execute("BEGIN")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        return result

    async def _locked(self, work: Callable[..., T], *arguments: Any) -> T:
        async with self._turn:
            await self._lock.acquire()
            try:
                return await _finish(self._writer.run(work, *arguments))
            finally:
                self._lock.release()

    def _in_snapshot(self, connection: Any, work: Callable[[Reader], T]) -> T:
        def snapshot() -> T:
            connection.execute("BEGIN")
            try:
                if self._words is not None:
                    self._words.catch_up(connection)
                return work(Reader(connection, self._seals))
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

        with self._translated(connection):
            return legibly(connection, snapshot)

    def _in_transaction(self, connection: Any, work: Callable[[Writer], T]) -> T:
        def transaction() -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                writer = Writer(connection, self._seals)
                result = work(writer)
                connection.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite roll back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            for follow_up in writer.afterwards:
                follow_up(writer)
            return result

        with self._translated(connection):
            return legibly(connection, transaction)

    def _rewrite(self, connection: Any) -> None:
        with self._translated(connection):
            if self._seals is None:
                connection.execute("VACUUM")
            else:
                self._seals.rewrite(connection)

    def _keep_log_short(self) -> None:
        """Checkpoint a long log, beside the caller: its answer does not wait for that."""
        if self._checkpointing is not None and not self._checkpointing.done():
            return
        try:
            size = self._wal.stat().st_size
        except FileNotFoundError:
            return
        self._writes += 1
        # A copied log is written over from its start and keeps its length, which then says nothing.
        is_due = size != self._copied_bytes or self._writes >= _WRITES_A_CHECKPOINT
        if size > _CHECKPOINT_BYTES and is_due:
            self._writes, self._copied_bytes = 0, size
            work = self._truncate_log if size > LONGEST_LOG_BYTES else self._copy_log
            self._checkpointing = asyncio.create_task(self._checkpoint(work))

    async def _checkpoint(self, work: Callable[[Any], None]) -> None:
        await asyncio.sleep(_LOCK_FREE_S)
        # Whatever keeps it from working now, the log stays and the next write tries again.
        with contextlib.suppress(StorageError, self.engine.dbapi.Error):
            await self._locked(work)

    def _copy_log(self, connection: Any) -> None:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _truncate_log(self, connection: Any) -> None:
        # With the usual timeout a long reader would hold every writer up.
        connection.execute("PRAGMA busy_timeout=0")
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    @contextlib.contextmanager
    def _translated(self, connection: Any) -> Any:
        try:
            yield
        except self.engine.dbapi.Error as error:
            broken = None if self._seals is None else self._seals.take_fault()
            raise broken or translate(error) from error

    async def close(self) -> None:
        """Close both connections, under the lock so that no checkpoint races another process."""
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.wait((self._indexing,))
        if self._reader is not self._writer:
            await self._reader.close()
        if self._checkpointing is not None:
            await asyncio.wait((self._checkpointing,), timeout=1.0)
        held = True
        try:
            await asyncio.wait_for(self._lock.acquire(), 1.0)
        except (TimeoutError, StoreBusy):
            held = False
        try:
            if held:
                with contextlib.suppress(Exception):
                    await self._writer.run(self._truncate_log)
            await self._writer.close()
        finally:
            self._presence.close()
            if held:
                self._lock.release()
            self._lock.close()


class _Sealing(NamedTuple):
    """What a sealed store needs on its connection."""

    seals: Seals
    words: Words


@asynccontextmanager
async def open_database(
    path: Path, engine: Engine, busy_timeout_ms: int, unlock: Unlock | None = None
) -> AsyncIterator[Database]:
    """Open the store at `path`, making or upgrading it first.

    With `unlock` the store is a sealed one, or will be if it is new.

    Raises:
        ForeignStore, StoreTooNew, KeyRefused: the file was left untouched.
        StorageError: the file or its folder cannot be used.
    """
    refuse_foreign(path, migrations.LATEST, has_key=unlock is not None)
    create_private(path)
    try:
        database = await _open(path, engine, WriteLock(path, busy_timeout_ms), unlock)
    except engine.dbapi.Error as error:
        raise translate(error) from error
    except ForeignStore as error:
        raise ForeignStore(f"{path}: {error}") from None
    try:
        yield database
    finally:
        await _finish(database.close())


async def _open(path: Path, engine: Engine, lock: WriteLock, unlock: Unlock | None) -> Database:
    writer = connect(path, engine)
    # What a sealed store has in memory is on one connection alone.
    reader = writer if unlock is not None else connect(path, engine)
    presence = None
    try:
        await lock.acquire()
        try:
            # First the mark, then the file: a restore must not change it under us.
            presence = Presence(path)
            await writer
            sealing = await _finish(writer.run(prepare_store, path, engine, unlock))
        finally:
            lock.release()
        if reader is not writer:
            await reader
            await reader.run(prepare_reader, engine)
    except BaseException:
        await writer.close()
        await reader.close()
        if presence is not None:
            presence.close()
        lock.close()
        raise
    return Database(path, engine, (writer, reader), lock, presence, sealing)


def prepare_store(
    connection: Any, path: Path, engine: Engine, unlock: Unlock | None
) -> _Sealing | None:
    opened = None if unlock is None else unlock(read_header(connection))
    prepare_writer(connection, engine)
    if opened is None:
        _upgrade(Writer(connection), connection, path, engine)
        return None
    cipher, header = opened
    seals = Seals(cipher, migrations.TABLES)
    sealing = _Sealing(seals, Words(seals))
    sealing.words.install(connection)
    sealing.seals.install(connection)
    if _upgrade(Writer(connection, sealing.seals), connection, path, engine, header):
        sealing.seals.install(connection)
    return sealing


def _upgrade(
    tx: Writer, connection: Any, path: Path, engine: Engine, header: str | None = None
) -> bool:
    if migrations.would_change_memories(tx):
        before_upgrade(connection, path, engine, system_clock())
    return migrations.migrate(tx, header=header)


async def _finish(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end even when we are cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        # Marks the outcome as seen: nobody is left to be told.
        task.exception()
        raise cancelled
    return task.result()
