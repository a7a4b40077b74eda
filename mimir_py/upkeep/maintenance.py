"""Maintenance of the file: counting what leads nowhere, limits on history, indexes, free pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from mimir_py.errors import MimirError
from mimir_py.history import History
from mimir_py.history.retention import Bounds
from mimir_py.storage.database import Database
from mimir_py.upkeep import store
from mimir_py.upkeep.service import Report, Upkeep

_ORPHANS_AT_ONCE: Final = 20_000


@dataclass(frozen=True)
class Chores:
    """What is to be done."""

    orphans: bool = False
    vacuum: bool = False
    reindex: bool = False
    history: bool = False


@dataclass
class Maintained:
    """What was done, or would be; `reclaimable_bytes` are free pages before the run.

    A chore that failed is in `errors`, and the others are done all the same.
    """

    orphan_journal_entries_found: int = 0
    orphan_links_found: int = 0
    vacuum_reclaimed_bytes: int = 0
    reindex_rows_affected: int = 0
    history_rows_evicted: int = 0
    history_bytes_evicted: int = 0
    history_tombstones_written: int = 0
    vacuum_reclaimable_bytes: int = 0
    errors: list[str] = field(default_factory=list)


class Maintenance:
    """The room's door to chores."""

    def __init__(self, database: Database, upkeep: Upkeep, history: History) -> None:
        self._database = database
        self._upkeep = upkeep
        self._history = history

    async def maintain(self, chores: Chores, report: Report, *, dry_run: bool) -> Maintained:
        """Do some chores; a dry run counts what they would change.

        The work on the file itself is for the whole store, whatever workspaces it has.
        """
        done = Maintained()
        if chores.orphans:
            await self._attempt("orphans", done, self._count_orphans)
        if chores.history:
            await self._attempt("history", done, partial(self._retain, dry_run=dry_run))
        if chores.reindex:
            await self._attempt(
                "reindex", done, partial(self._reindex, report=report, dry_run=dry_run)
            )
        if chores.vacuum:
            await self._attempt("vacuum", done, partial(self._vacuum, dry_run=dry_run))
        return done

    async def _attempt(
        self, name: str, done: Maintained, chore: Callable[[Maintained], Awaitable[None]]
    ) -> None:
        try:
            await chore(done)
        except MimirError as error:
            done.errors.append(f"{name}: {error}")

    async def _count_orphans(self, done: Maintained) -> None:
        after: int | None = 0
        while after is not None:
            found, after = await self._database.read(
                partial(store.orphan_links, after=after, limit=_ORPHANS_AT_ONCE)
            )
            done.orphan_links_found += found
        after = 0
        while after is not None:
            found, after = await self._database.read(
                partial(store.orphan_entries, after=after, limit=_ORPHANS_AT_ONCE)
            )
            done.orphan_journal_entries_found += found

    async def _retain(self, done: Maintained, *, dry_run: bool) -> None:
        bounds = self._history.bounds
        if bounds == Bounds(tombstones=bounds.tombstones):
            return
        retained = await self._history.retain(bounds, dry_run=dry_run)
        done.history_rows_evicted = retained.rows_evicted
        done.history_bytes_evicted = retained.bytes_evicted
        done.history_tombstones_written = retained.tombstones_written

    async def _reindex(self, done: Maintained, *, report: Report, dry_run: bool) -> None:
        if dry_run:
            done.reindex_rows_affected = await self._database.read(store.count)
        else:
            done.reindex_rows_affected = await self._upkeep.reindex(report)

    async def _vacuum(self, done: Maintained, *, dry_run: bool) -> None:
        done.vacuum_reclaimable_bytes = await self._database.read(store.free_bytes)
        if dry_run:
            return
        await self._database.checkpoint()
        before = self._database.disk_bytes()
        await self._database.vacuum()
        await self._database.checkpoint()
        done.vacuum_reclaimed_bytes = max(0, before - self._database.disk_bytes())
