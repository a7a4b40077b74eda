"""Notes which memories answered, and writes the notes later in one batch.

Use decides how slowly a memory fades, so it must be recorded; it must not make a read wait for a
write, nor change what the read returns.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Final

from mimir_py.entities.reinforcement import reinforce
from mimir_py.entities.retention import REINFORCEMENT
from mimir_py.errors import StorageError
from mimir_py.storage.database import Database
from mimir_py.values import Clock, UnixMs

FLUSH_AFTER_S: Final = 2.0


class UsageLog:
    """Uses since the last flush. `flush` is also called when the store closes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._uses: dict[int, tuple[int, UnixMs]] = {}
        self._noted = asyncio.Event()

    def note(self, row_ids: Iterable[int]) -> None:
        now = self._clock()
        for row_id in row_ids:
            count, _ = self._uses.get(row_id, (0, now))
            self._uses[row_id] = (count + 1, now)
        if self._uses:
            self._noted.set()

    async def flush(self) -> None:
        """Write what was noted. On failure the notes are kept for the next flush."""
        if not self._uses:
            return
        uses, self._uses = self._uses, {}
        rows = [(row_id, count, last) for row_id, (count, last) in uses.items()]
        try:
            await self._database.write(lambda tx: reinforce(tx, rows, REINFORCEMENT))
        except BaseException:
            for row_id, (count, last) in uses.items():
                more, latest = self._uses.get(row_id, (0, last))
                self._uses[row_id] = (count + more, max(last, latest))
            raise

    async def run(self) -> None:
        """Flush a little after each use, for as long as the task lives."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            await asyncio.sleep(FLUSH_AFTER_S)
            # A busy or full store must not end the task: the notes wait for the next round.
            with contextlib.suppress(StorageError):
                await self.flush()
