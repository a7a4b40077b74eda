"""Running a call with a key once, however often and from however many processes it is sent.

The record of a call is written by the transaction that makes the call's change, so a crash leaves
both or neither. The answer is known only later and is added to the record then; a call whose
process died in between is answered with what its transaction returned, marked `partial`.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from mimir_py.errors import InvalidInput, StorageError
from mimir_py.retries import store
from mimir_py.retries.models import KeyedCall, Record
from mimir_py.storage.companions import Work, accompanied
from mimir_py.storage.database import Database, Writer
from mimir_py.values import Clock, UnixMs

KEPT_MS: Final = 24 * 3_600_000
MOST_KEPT: Final = 10_000
_PATIENCE_S: Final = 2.0
_POLL_S: Final = 0.02

Run = Callable[[], Awaitable[dict[str, Any]]]


class _Repeated(Exception):
    """How a transaction says that somebody has made this call already; nothing was changed."""


class Retries:
    """The room's door. `patience_s`: how long to wait for the answer of a call under way."""

    def __init__(self, database: Database, clock: Clock, patience_s: float = _PATIENCE_S) -> None:
        self._database = database
        self._clock = clock
        self._patience_s = patience_s

    async def once(self, call: KeyedCall, run: Run) -> dict[str, Any]:
        """The answer of `run`, or that of the same call before, marked `replayed`.

        A call that fails leaves nothing to repeat, unless it has changed something by then. Of
        several transactions, the first that changes something holds the record.

        Raises:
            InvalidInput: the key belongs to another call.
            Exception: what `run` raises.
        """
        while True:
            record = await self._settled(call)
            if record is not None and (record.complete or not call.resumable):
                partial = {} if record.complete else {"partial": True}
                return {**record.answer, "replayed": True, **partial}
            entry = _Entry(call, self._clock, None if record is None else record.row_id)
            try:
                return await self._recorded(entry, run)
            except _Repeated:
                continue
            finally:
                entry.closed = True

    async def _recorded(self, entry: "_Entry", run: Run) -> dict[str, Any]:
        with accompanied(entry.around):
            answer = await run()
        # The change is made and recorded; without this, only a repeat would say less.
        with contextlib.suppress(StorageError):
            await self._database.write(lambda tx: entry.complete(tx, answer))
        return answer

    async def _settled(self, call: KeyedCall) -> Record | None:
        """What is kept of the call, once whoever is at it has answered or had the time to."""
        deadline = asyncio.get_running_loop().time() + self._patience_s
        while True:
            record = await self._find(call)
            if record is None or record.complete or self._is_stale(record):
                return record
            if asyncio.get_running_loop().time() >= deadline:
                return record
            await asyncio.sleep(_POLL_S)

    async def _find(self, call: KeyedCall) -> Record | None:
        oldest = self._clock() - KEPT_MS
        record = await self._database.read(lambda r: store.find(r, call.key_hash, oldest))
        if record is not None and record.call_hash != call.call_hash:
            raise InvalidInput(
                "idempotency_key",
                "was used for another call within the last 24 hours; a new call needs a new key",
            )
        return record

    def _is_stale(self, record: Record) -> bool:
        return self._clock() - record.created_at_unix_ms > 1_000 * self._patience_s


class _Entry:
    """The record of one call while it runs. `row_id` is that of its record, once there is one."""

    def __init__(self, call: KeyedCall, clock: Clock, row_id: int | None) -> None:
        self._call = call
        self._clock = clock
        self._row_id = row_id
        # Set when the call has ended: a task it left behind writes for itself.
        self.closed = False

    def around(self, tx: Writer, work: Work[Any]) -> Any:
        """Do the work of one transaction of the call, and record it if that changed anything."""
        if self.closed:
            return work(tx)
        recorded = self._own(tx)
        before = tx.changes
        result = work(tx)
        if tx.changes != before and recorded is None:
            self._insert(tx, _as_answer(result), complete=False)
        return result

    def complete(self, tx: Writer, answer: Mapping[str, Any]) -> None:
        """Keep the answer; a call that changed nothing is recorded by this."""
        recorded = self._own(tx)
        if recorded is None:
            self._insert(tx, answer, complete=True)
        else:
            store.update(tx, recorded.row_id, answer, complete=True)

    def _own(self, tx: Writer) -> Record | None:
        """This call's record, asked for each time: what was inserted may have been rolled back."""
        record = store.find(tx, self._call.key_hash, self._clock() - KEPT_MS)
        if record is not None and record.row_id != self._row_id:
            raise _Repeated
        return record

    def _insert(self, tx: Writer, answer: Mapping[str, Any], *, complete: bool) -> None:
        now: UnixMs = self._clock()
        self._row_id = store.insert(tx, self._call, answer, complete=complete, now=now)
        store.trim(tx, now - KEPT_MS, self._row_id - MOST_KEPT)


def _as_answer(result: Any) -> Mapping[str, Any]:
    """What a transaction returned, as far as it is the making of an answer."""
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        result = dataclasses.asdict(result)
    if not isinstance(result, Mapping):
        return {}
    return {str(name): value for name, value in result.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | bool)
