"""Memories on their way out, a slice at a time; what is damaged is named and holds nothing up."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final, TypeVar

from mimir_py.errors import BrokenSeal, DamagedStore
from mimir_py.storage.database import Database, Reader
from mimir_py.vault import store
from mimir_py.vault.jsonl import Record, Version
from mimir_py.vault.writing import records_of

T = TypeVar("T")

_SLICE: Final = 200


class Outgoing:
    """Every memory of a store, in the order they were stored.

    `damaged` says why, by its id, of each memory or version that is left out.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.damaged: dict[str, str] = {}

    async def slices(self) -> AsyncIterator[list[Record]]:
        """Memories with their versions and other keys."""
        after = 0
        while True:
            try:
                records = await self._database.read(partial(_slice, after=after, limit=_SLICE))
                last = records[-1].entity.row_id if records else 0
            except (DamagedStore, BrokenSeal):
                records, last = await self._singly(after)
            if records:
                yield records
            if not last:
                return
            after = last

    async def _singly(self, after: int) -> tuple[list[Record], int]:
        """A slice read one by one: what of it can be read, and the row of its last memory."""
        rows = await self._database.read(partial(store.ids_after, after=after, limit=_SLICE))
        found = [await self._one(row_id, entity_id) for row_id, entity_id in rows]
        return [record for record in found if record is not None], rows[-1][0] if rows else 0

    async def _one(self, row_id: int, entity_id: str) -> Record | None:
        try:
            [whole] = await self._database.read(partial(_slice, after=row_id - 1, limit=1))
        except (DamagedStore, BrokenSeal):
            return await self._parts(row_id, entity_id)
        return whole

    async def _parts(self, row_id: int, entity_id: str) -> Record | None:
        """A memory with what is left of its versions and other keys, if it itself is sound."""
        alone = partial(store.slice_after, after=row_id - 1, limit=1)
        memories = await self._tried(entity_id, alone)
        if memories is None:
            return None
        versions = []
        for history_id in await self._database.read(partial(store.version_ids, id=entity_id)):
            version = await self._tried(
                history_id, partial(store.version_by_id, history_id=history_id)
            )
            if version is not None:
                versions.append(Version(history_id, version))
        keys = await self._tried(entity_id, partial(store.aliases_of, row_ids=[row_id]))
        return Record(memories[0], tuple((keys or {}).get(row_id, ())), tuple(versions))

    async def _tried(self, id: str, work: Callable[[Reader], T]) -> T | None:
        try:
            return await self._database.read(work)
        except (DamagedStore, BrokenSeal) as error:
            self.damaged[id] = str(error)
            return None


def _slice(reader: Reader, after: int, limit: int) -> list[Record]:
    return records_of(reader, store.slice_after(reader, after, limit))
