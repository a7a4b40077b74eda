"""Keeping a folder of notes in step with the store, change by change.

A round looks at what changed since the last one on either side: in the store by its change feed and
its journal, in the folder by the sizes and times of its files. Where the last round got to is put
down last, so one that was killed is done again; doing it again changes nothing.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import partial
from pathlib import Path

from mimir_py.errors import TransferError
from mimir_py.journal import Journal
from mimir_py.journal.models import Filter
from mimir_py.security import Trust
from mimir_py.storage.database import Database
from mimir_py.vault import pages, store
from mimir_py.vault.exchange import Notes
from mimir_py.vault.folder import Folder, file_stem
from mimir_py.vault.models import TakenIn, Written
from mimir_py.vault.store import Changes
from mimir_py.vault.writing import NOTE_TRUST, Place, Writing, note_name


@dataclass
class Round:
    """What a round did: to notes, to pages (those written and those removed), to the store."""

    notes: Written
    pages: int = 0
    taken: TakenIn | None = None


@dataclass(frozen=True)
class Terms:
    """What a person asked for.

    `plain` allows notes of a sealed store; `two_way` takes edited notes in, trusted as far as
    `trust`; days begin where the clocks show `zone`, this machine's if `None`.
    """

    plain: bool = False
    two_way: bool = False
    trust: Trust = NOTE_TRUST
    zone: tzinfo | None = None


class Sync:
    """The room's door for folders that stay in step."""

    def __init__(self, database: Database, journal: Journal, notes: Notes) -> None:
        self._database = database
        self._journal = journal
        self._notes = notes

    async def once(self, path: Path, terms: Terms, *, create: bool = True) -> Round:
        """Bring a folder, and with `two_way` the store, up to date.

        Raises:
            InvalidInput: the store is sealed, and notes of it were not asked for.
            TransferError: the folder cannot be had.
        """
        await self._notes.check_plain(plain=terms.plain)
        return await self._notes.locked(path, partial(self._round, terms=terms), create=create)

    async def heads(self) -> tuple[int, int]:
        """Where the change feed and the journal end: whoever finds these changed has news."""
        return await self._database.read(store.heads)

    async def _round(self, folder: Folder, terms: Terms) -> Round:
        place = await self._notes.place(folder)
        known = place.known
        ids = await self._touched(place)
        writing = self._notes.writing(place, None)
        done = Round(writing.done)
        await writing.expect([name for name, live in ids.items() if live is not None])
        if terms.two_way:
            done.taken = await self._take_in(place, ids, terms.trust)
        since = await self._database.read(
            partial(store.changes_since, position=known.position, mark=known.mark)
        )
        gone: set[str] = set()
        if since.changed is None:
            await self._notes.write_all(place, writing)
        else:
            gone = await self._write_some(place, writing, since.changed, ids)
        days = await self._days(place, since, gone, terms.zone)
        done.pages = await self._write_pages(place, writing, since, days, terms.zone)
        known.position, known.mark, known.entry = since.position, since.mark, since.entry
        await asyncio.to_thread(known.save, folder)
        return done

    async def _touched(self, place: Place) -> dict[str, str | None]:
        """The notes that are not as they were left, with the ids of their memories, if live."""
        known, seen = place.known, place.seen
        touched = {name for name, stamp in known.notes.items() if seen.get(name) != stamp}
        if not touched and known.position:
            return {}
        ids = await self._notes.writing(place, None).live_names()
        if not known.position:
            # The first round knows of no note how it was left.
            touched |= ids.keys() & seen.keys()
        return {name: ids.get(name) for name in touched}

    async def _take_in(self, place: Place, ids: dict[str, str | None], trust: Trust) -> TakenIn:
        reading = self._notes.reading(place.folder, trust)
        ours = place.known.notes.keys() & place.seen.keys()
        await reading.take_in(sorted(name for name in ids.keys() & ours if ids[name] is not None))
        return reading.done

    async def _write_some(
        self,
        place: Place,
        writing: Writing,
        changed: dict[str, bool],
        touched: dict[str, str | None],
    ) -> set[str]:
        """Write the notes that are no longer right; the memories that are no longer live."""
        ids = changed.keys() | set(filter(None, touched.values()))
        live = (await self._database.read(partial(store.live_keys, ids=sorted(ids)))).keys()
        await writing.expect({note_name(entity_id) for entity_id in live})
        await writing.some(sorted(live))
        far = sorted(entity_id for entity_id, shows in changed.items() if shows)
        if far:
            linking = await self._database.read(partial(store.linking, ids=far))
            await writing.some(sorted(linking - live))
        gone = {note_name(entity_id) for entity_id in ids - live}
        gone |= {name for name, entity_id in touched.items() if entity_id is None}
        await asyncio.to_thread(writing.remove, sorted(gone & place.known.notes.keys()))
        return ids - live

    async def _write_pages(
        self,
        place: Place,
        writing: Writing,
        since: Changes,
        days: set[date],
        zone: tzinfo | None,
    ) -> int:
        """Write the pages that are no longer right; how many were."""
        wanted: dict[str, str] = {}
        stale: set[str] = set()
        if since.changed is None or any(since.changed.values()):
            wanted = pages.categories(await self._database.read(store.live_by_category))
            held = {name for name in place.known.pages if name.startswith(f"{pages.CATEGORIES}/")}
            stale = held - wanted.keys()
        for day in sorted(days):
            wanted[pages.day_page(day)] = await self._diary(day, zone)
        paging = _Paging(place, writing)
        return await asyncio.to_thread(paging.put, wanted, stale)

    async def _days(
        self, place: Place, since: Changes, gone: set[str], zone: tzinfo | None
    ) -> set[date]:
        """The days whose pages may no longer be right."""
        after = 0 if since.changed is None or since.is_purged else place.known.entry
        times = await self._journal.times_after(after) if after != since.entry else []
        days = {day for at in set(times) if (day := pages.day_of(at, zone)) is not None}
        return days | (await asyncio.to_thread(_days_naming, place, gone) if gone else set())

    async def _diary(self, day: date, zone: tzinfo | None) -> str:
        first, last = pages.bounds(day, zone)
        wanted = Filter(from_ms=first, to_ms=last, include_audit=True)
        entries = await self._journal.timeline(wanted, pages.MOST_ENTRIES + 1, 0)
        ids = sorted({recorded.entry.entity_id for recorded in entries})
        live = await self._database.read(partial(store.live_keys, ids=ids))
        return pages.diary(day, entries[::-1], live.keys(), zone)


def _days_naming(place: Place, gone: set[str]) -> set[date]:
    """The days whose pages link to memories that are gone."""
    stems = {file_stem(entity_id) for entity_id in gone}
    found = set()
    for name in place.known.pages:
        day = pages.day_named(name)
        # What cannot be read is told when the page is next written.
        with contextlib.suppress(TransferError):
            if day is not None and pages.linked(place.folder.read(name) or "") & stems:
                found.add(day)
    return found


class _Paging:
    """Puts pages into a folder, over none that a person wrote or wrote into."""

    def __init__(self, place: Place, writing: Writing) -> None:
        self._folder = place.folder
        self._known = place.known
        self._writing = writing

    def put(self, wanted: dict[str, str], stale: set[str]) -> int:
        """Write pages and remove stale ones; how many were not right."""
        for below in pages.FOLDERS:
            with contextlib.suppress(TransferError):
                # Whatever is wrong with a folder, its pages say so.
                self._folder.sweep(below)
        new = {name for name in wanted.keys() - self._known.pages if not self._is_strange(name)}
        if new:
            self._known.expect(self._folder, pages=new)
        return sum(self._tried(name, wanted.get(name)) for name in sorted(wanted.keys() | stale))

    def _tried(self, name: str, text: str | None) -> bool:
        try:
            return self._put(name, text)
        except TransferError as error:
            self._writing.done.errors.append(str(error))
            return False

    def _put(self, name: str, text: str | None) -> bool:
        if name not in self._known.pages:
            raise TransferError(f"{name}: is a file of your own; the page has no other name")
        present = self._folder.read(name)
        if present is not None and present != text and not pages.is_as_made(present):
            self._writing.set_aside(name, present)
            present = None
        if text is None:
            if present is not None:
                self._folder.remove(name)
            self._known.pages.discard(name)
        elif present != text:
            self._folder.write(name, text, over=present)
        return present != text

    def _is_strange(self, name: str) -> bool:
        try:
            present = self._folder.read(name)
        except TransferError:
            return True
        return present is not None and not pages.is_page(present)
