"""Mimir with one of its safeguards taken out: `sabotage.py NAME serve --db ...`.

A test proves something only if it finds fault with a program that has the fault. Each function here
takes out one safeguard of the installed program and leaves the rest, pipes included, as it is.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from mimir_py.__main__ import main
from mimir_py.entities import models
from mimir_py.errors import StorageError
from mimir_py.server import connection as server
from mimir_py.storage import connection, database, lock
from mimir_py.vault import store as vault_store
from mimir_py.vault import sync

_COMMITTED_TOGETHER: Final = 8
Work = Callable[[database.Writer], Any]


def normal() -> None:
    """Commits do not wait for the disk."""
    connection._WRITER_PRAGMAS = tuple(
        pragma.replace("synchronous=FULL", "synchronous=NORMAL")
        for pragma in connection._WRITER_PRAGMAS
    )


def early() -> None:
    """Writes are answered before their commit, which comes once for several of them."""
    done = 0

    def in_transaction(self: database.Database, connection: Any, work: Work) -> Any:
        nonlocal done
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        result = work(database.Writer(connection))
        done += 1
        if done % _COMMITTED_TOGETHER == 0:
            connection.execute("COMMIT")
        return result

    database.Database._in_transaction = in_transaction


def unlocked() -> None:
    """Nobody holds the lock file."""

    async def acquire(self: lock.WriteLock) -> None:
        return None

    lock.WriteLock.acquire = acquire
    lock.WriteLock.release = lambda self: None


def deferred() -> None:
    """Transactions begin as readers, and nobody queues for the file."""
    unlocked()
    whole = database.Database._in_transaction

    def in_transaction(self: database.Database, connection: Any, work: Work) -> Any:
        return whole(self, _Deferred(connection), work)

    database.Database._in_transaction = in_transaction


class _Deferred:
    """A connection that takes `BEGIN IMMEDIATE` for `BEGIN`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, parameters: Any = ()) -> Any:
        return self._connection.execute(statement.replace("BEGIN IMMEDIATE", "BEGIN"), parameters)


def unshielded() -> None:
    """The parts of a transaction are awaited one by one, and a cancelled call leaves them there."""

    async def write(self: database.Database, work: Work) -> Any:
        await self._writer.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(0.02)
        result = await self._writer.run(lambda raw: work(database.Writer(raw)))
        await asyncio.sleep(0.02)
        await self._writer.execute("COMMIT")
        return result

    database.Database.write = write


def hopeful() -> None:
    """A commit that fails is answered as if it had not."""
    whole = database.Database._in_transaction

    def in_transaction(self: database.Database, connection: Any, work: Work) -> Any:
        results = []

        def kept(tx: database.Writer) -> None:
            results.append(work(tx))

        try:
            whole(self, connection, kept)
        except StorageError:
            if not results:
                raise
        return results[0]

    database.Database._in_transaction = in_transaction


def deaf() -> None:
    """No signal, end of input, broken pipe or death of the parent ends the process."""

    async def until_the_end(self: server.Connection, tasks: Any) -> None:
        await asyncio.Event().wait()

    server.Connection._until_the_end = until_the_end


def blind() -> None:
    """A body is taken for whole whatever its checksum."""
    models._body_sum = lambda body: _Anything()


def hasty() -> None:
    """A sync puts down how far it got before it goes there, and takes its time."""
    whole = sync.Sync._write_some

    async def write_some(self: sync.Sync, place: Any, *rest: Any) -> Any:
        since = await self._database.read(lambda r: vault_store.changes_since(r, 0, ""))
        place.known.position, place.known.mark = since.position, since.mark
        place.known.save(place.folder)
        await asyncio.sleep(2)
        return await whole(self, place, *rest)

    sync.Sync._write_some = write_some


class _Anything:
    """Equal to everything."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return True


SABOTAGES: Final[Mapping[str, Callable[[], None]]] = {
    one.__name__: one
    for one in (normal, early, unlocked, deferred, unshielded, hopeful, deaf, blind, hasty)
}

if __name__ == "__main__":
    SABOTAGES[sys.argv.pop(1)]()
    sys.exit(main())
