"""Purging: erasing memories so that no live file has a trace of them.

Rows go first, some at a time, so that others get their turn; SQLite overwrites them with zeros
(`secure_delete`). Then the keyword index is merged into one segment, which leaves removed words
behind, and the log is emptied. A note in the store, made with the first row that goes, has that
finished by anybody if we do not get there.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from mimir_py.entities import Entity, sight
from mimir_py.entities import store as memories
from mimir_py.entities.writing import erase_wholly
from mimir_py.errors import DiskFull, InvalidInput, StoreBusy
from mimir_py.journal import Journal
from mimir_py.lifecycle import store
from mimir_py.lifecycle.fading import Report, silent
from mimir_py.lifecycle.models import Erased, Marks, Purged, Wanted
from mimir_py.retries import store as answers
from mimir_py.storage import fts
from mimir_py.storage.backup import backup_folder, backups
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.storage.restore import set_aside
from mimir_py.storage.vectors import Vectors
from mimir_py.storage.verify import reading
from mimir_py.values import Clock

_AT_ONCE: Final = 50
_LOG_TRIES: Final = 20
_LOG_TRY_S: Final = 0.05
_SHORTEST_QUOTE: Final = 12
_QUOTES_LISTED: Final = 20
# Writing a file anew keeps others waiting, and takes memory of its size.
_ALWAYS_REWRITTEN_BYTES: Final = 32 * 1_048_576
_NEVER_REWRITTEN_BYTES: Final = 256 * 1_048_576
_FREE_SHARE: Final = 0.25


@dataclass(frozen=True)
class _Plan:
    """What a purge would erase."""

    row_ids: Sequence[int]
    erased: Erased
    marks: Marks
    quoted_in: Sequence[str]
    linked_with: Sequence[str]


class Lifecycle:
    """The room's door."""

    def __init__(
        self, database: Database, vectors: Vectors, journal: Journal, clock: Clock
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._journal = journal
        self._clock = clock

    async def purge(
        self, wanted: Wanted, *, dry_run: bool = False, report: Report = silent
    ) -> Purged:
        """Erase what is wanted; with `dry_run` only say what that would be.

        Doing it again erases what came meanwhile, finishes what was cut short, and tells anew
        which backups still hold what was asked for.

        Raises:
            InvalidInput: half a name.
            StorageError: what was erased until then stays erased; the rest is as it was.
        """
        if (wanted.category is None) != (wanted.key is None):
            field = "category" if wanted.category is None else "key"
            raise InvalidInput(field, "is required: a memory is named by category and key")
        plan = await self._database.read(partial(self._plan, wanted=wanted))
        holding = await asyncio.to_thread(self._holding, plan.marks)
        receipt = Purged(
            plan.erased,
            bytes_freed=0,
            completed_at_unix_ms=self._clock(),
            backups_holding=holding,
            quoted_in=plan.quoted_in,
            linked_with=plan.linked_with,
            finished=True,
        )
        if dry_run:
            return receipt
        await self._database.checkpoint()
        before = self._database.path.stat().st_size
        erased = await self._erase(plan, wanted, report)
        if erased != Erased():
            await report(len(plan.row_ids), len(plan.row_ids), "clearing what is left")
            await self._rewrite_if_worth_it()
        finished = await self.finish()
        freed = max(0, before - self._database.path.stat().st_size)
        return replace(
            receipt,
            erased=erased,
            bytes_freed=freed,
            completed_at_unix_ms=self._clock(),
            finished=finished,
        )

    async def finish(self) -> bool:
        """Bring an erasure to its end, our own or one that was cut short.

        Returns False when somebody's reading kept the log from being emptied.
        """
        if not await self._database.read(store.is_begun):
            return True
        await self._sweep_words()
        for _ in range(_LOG_TRIES):
            if await self._database.checkpoint():
                await self._database.write(store.finish)
                return True
            await asyncio.sleep(_LOG_TRY_S)
        return False

    def _plan(self, reader: Reader, wanted: Wanted) -> _Plan:
        targets = _targets(reader, wanted)
        versions = set(_left_versions(reader, wanted))
        aliases, entries = 0, set[int]()
        for entity in targets:
            versions.update(store.own_versions(reader, entity))
            aliases += store.count_aliases(reader, entity.row_id)
            entries |= self._entries(reader, entity)
        ids = {entity.id for entity in targets}
        names = [
            store.stored_name(reader, entity.category, entity.key, entity.workspace_hash)
            for entity in targets
        ]
        if wanted.id is not None:
            ids.add(wanted.id)
            entries |= self._journal.about(reader, wanted.id, None)
        if wanted.category is not None and wanted.key is not None:
            anywhere: Sequence[str | None] = [None]
            names.extend(
                store.stored_name(reader, wanted.category, wanted.key, workspace)
                for workspace in wanted.workspaces or anywhere
            )
        return _Plan(
            row_ids=[entity.row_id for entity in targets],
            erased=Erased(len(targets), len(versions), aliases, len(entries)),
            marks=Marks(sorted(ids), names),
            quoted_in=_seen(reader, _quoted_in(reader, targets), wanted),
            linked_with=_seen(reader, _linked_with(reader, targets), wanted),
        )

    async def _erase(self, plan: _Plan, wanted: Wanted, report: Report) -> Erased:
        total = Erased()
        for first in range(0, len(plan.row_ids), _AT_ONCE):
            await report(first, len(plan.row_ids), "erasing")
            row_ids = plan.row_ids[first : first + _AT_ONCE]
            total += await self._database.write_slice(
                partial(self._erase_some, row_ids=row_ids, only_archived=not wanted.is_chosen)
            )

        def erase_left(tx: Writer) -> Erased:
            memories.unlink_versions(tx, set(plan.marks.ids))
            entries = 0
            if wanted.id is not None:
                entries = self._journal.erase(tx, self._journal.about(tx, wanted.id, None))
            left = _left_versions(tx, wanted)
            if left or entries:
                store.begin(tx)
                answers.erase(tx)
            return Erased(versions=memories.delete_versions(tx, left), entries=entries)

        return total + await self._database.write(erase_left)

    def _erase_some(self, tx: Writer, row_ids: Sequence[int], *, only_archived: bool) -> Erased:
        total = Erased()
        store.begin(tx)
        answers.erase(tx)
        # Read again: it may have been remembered meanwhile.
        for entity in memories.by_row_ids(tx, row_ids).values():
            if entity.archived or not only_archived:
                aliases = store.count_aliases(tx, entity.row_id)
                versions = memories.delete_versions(tx, store.own_versions(tx, entity))
                erase_wholly(tx, self._vectors, entity)
                entries = self._journal.erase(tx, self._entries(tx, entity))
                total += Erased(1, versions, aliases, entries)
        return total

    def _entries(self, reader: Reader, entity: Entity) -> set[int]:
        name = (entity.category, entity.key, entity.workspace_hash)
        return self._journal.about(reader, entity.id, name)

    async def _sweep_words(self) -> None:
        begin, done = True, False
        while not done:
            done = await self._database.write_slice(partial(fts.sweep, begin=begin))
            begin = False

    async def _rewrite_if_worth_it(self) -> None:
        """Give free pages back to the disk; erased they are already."""
        await self._sweep_words()
        free, pages = await self._database.read(store.pages)
        size = self._database.disk_bytes()
        worth_it = size <= _ALWAYS_REWRITTEN_BYTES or free >= _FREE_SHARE * pages
        if free and worth_it and size <= _NEVER_REWRITTEN_BYTES:
            try:
                await self._database.vacuum()
            except (DiskFull, StoreBusy):
                # The pages stay free for later memories.
                return

    def _holding(self, marks: Marks) -> list[str]:
        """Backups that have something of what is erased, or cannot be read to say they do not."""
        engine, path = self._database.engine, self._database.path
        holding = []
        for file in (*backups(path, backup_folder(path)), *set_aside(path)):
            try:
                with reading(file, engine) as connection:
                    held = store.holds(connection, marks)
            except engine.dbapi.Error:
                held = True
            if held:
                holding.append(str(file))
        return holding


def _targets(reader: Reader, wanted: Wanted) -> list[Entity]:
    if wanted.id is not None:
        entity = memories.by_id(reader, wanted.id)
        return [] if entity is None else [entity]
    if wanted.category is not None and wanted.key is not None:
        row_ids = store.named(reader, wanted.category, wanted.key, wanted.workspaces)
    else:
        row_ids = store.archived(reader, wanted.workspaces)
    found = memories.by_row_ids(reader, row_ids)
    return [found[row_id] for row_id in row_ids]


def _left_versions(reader: Reader, wanted: Wanted) -> list[int]:
    if wanted.id is not None:
        return store.versions_of_id(reader, wanted.id)
    name = None
    if wanted.category is not None and wanted.key is not None:
        name = (wanted.category, wanted.key)
    return store.left_versions(reader, name, wanted.workspaces)


def _seen(reader: Reader, ids: Iterable[str], wanted: Wanted) -> list[str]:
    """Those that a receipt may name; none when it was not said which memory is erased."""
    if not wanted.is_chosen:
        return []
    listed = list(ids)
    seen = sight.seen(reader, listed, wanted.seen)
    return [found for found in listed if found in seen]


def _quoted_in(reader: Reader, targets: Sequence[Entity]) -> list[str]:
    """Ids of memories that stay and hold the whole text of one that goes."""
    going = {entity.id for entity in targets}
    quoting = []
    for entity in targets:
        text = store.text_of(reader, entity.row_id)
        if len(text) >= _SHORTEST_QUOTE:
            quoting.extend(store.quoting(reader, entity.row_id, text, _QUOTES_LISTED))
    return [found for found in dict.fromkeys(quoting) if found not in going][:_QUOTES_LISTED]


def _linked_with(reader: Reader, targets: Sequence[Entity]) -> list[str]:
    """Ids of memories that stay and are linked with one that goes: summaries of it, for example."""
    going = {entity.id for entity in targets}
    linked = [
        other for entity in targets for other in store.linked_with(reader, entity.row_id, entity.id)
    ]
    return [found for found in dict.fromkeys(linked) if found not in going]
