"""Asking what was said under a name, on both axes of time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from mimir_py.entities.sight import within_sight
from mimir_py.entities.store import insert_version
from mimir_py.history import store, timeline
from mimir_py.history.models import Answer, Place, Trail, Version
from mimir_py.history.retention import Bounds, Retained, Run, evicted, retained, rolled_up
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock, IdSource, UnixMs

_RUNS_AT_ONCE: Final = 50

Rule = Callable[[Sequence[Version]], Version | None]


@dataclass(frozen=True)
class Name:
    """What is asked about: a name in some workspaces, in order of preference, or in all (`None`).

    Each workspace has a history of its own; the first that has an answer gives it.
    """

    category: str
    key: str
    workspaces: tuple[str, ...] | None = None


class History:
    """The room's door. `bounds` are those of the settings."""

    def __init__(self, database: Database, bounds: Bounds, clock: Clock, new_id: IdSource) -> None:
        self.bounds = bounds
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def trail(self, name: Name, limit: int, offset: int) -> Trail:
        """Earlier versions, newest first, in the first workspace that knows the name.

        Those that a memory has from before it was renamed are among them.
        """

        def page(reader: Reader) -> Trail:
            known = store.versions(reader, name.category, name.key, name.workspaces)
            for workspace, versions in known.items():
                earlier = [version for version in versions if version.place is Place.EARLIER]
                for present in versions:
                    if present.place is Place.PRESENT:
                        named = (name.category, name.key)
                        earlier += store.under_other_names(reader, present.row, *named)
                earlier.sort(key=lambda v: (v.ended_at or 0, v.recorded_at, v.row), reverse=True)
                wanted = earlier[offset : offset + limit]
                whole = [store.earlier(reader, version.row) for version in wanted]
                shown = within_sight(reader, [entity for _, entity in whole], name.workspaces)
                ids = [history_id for history_id, _ in whole]
                return Trail(workspace, tuple(zip(ids, shown, strict=True)), len(earlier))
            return Trail(name.workspaces[0] if name.workspaces else "", (), 0)

        return await self._database.read(page)

    async def as_of(self, name: Name, at: UnixMs) -> Answer | None:
        """What was believed at a moment."""
        return await self._first(name, lambda versions: timeline.as_of(versions, at))

    async def bitemporal(self, name: Name, tx_at: UnixMs | None, at: UnixMs) -> Answer | None:
        """What was believed at `tx_at` (`None`: is believed now) to hold at the moment `at`."""
        return await self._first(name, lambda versions: timeline.bitemporal(versions, tx_at, at))

    async def retain(
        self, bounds: Bounds, *, dry_run: bool, workspaces: Sequence[str] | None = None
    ) -> Retained:
        """Evict the versions that are not to be kept, a few names at a time.

        In some workspaces, which have the bounds together, or in all (`None`).
        """
        stored = await self._database.read(partial(store.all_earlier, workspaces=workspaces))
        runs = evicted(stored, bounds, self._clock())
        if not dry_run:
            for start in range(0, len(runs), _RUNS_AT_ONCE):
                some = runs[start : start + _RUNS_AT_ONCE]
                await self._database.write_slice(partial(self._evict, some, bounds.tombstones))
        return retained(runs, bounds)

    def _evict(self, runs: Sequence[Run], tombstones: bool, tx: Writer) -> None:
        for run in runs:
            rows = [version.row for version in run]
            versions = store.earlier_many(tx, rows)
            # Meanwhile the memory may have been deleted with all of them.
            if tombstones and versions:
                tombstone = rolled_up(versions, self._clock())
                insert_version(tx, self._new_id("hist-tomb"), tombstone)
            store.delete_earlier(tx, rows)

    async def _first(self, name: Name, rule: Rule) -> Answer | None:
        def answer(reader: Reader) -> Answer | None:
            known = store.versions(reader, name.category, name.key, name.workspaces)
            for versions in known.values():
                version = rule(versions)
                if version is not None:
                    return Answer(store.whole(reader, version), version.is_live)
            return None

        return await self._database.read(answer)
