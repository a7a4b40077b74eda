"""Notes of memories into a folder: the same stays untouched, what was edited is not lost."""

import asyncio
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from mimir_py.entities.models import Entity, from_row, sound
from mimir_py.errors import DamagedStore, InvalidInput, TransferError
from mimir_py.security import Trust
from mimir_py.storage.database import Database, Reader, Row
from mimir_py.values import Clock, IdSource
from mimir_py.vault import edits, notes, store
from mimir_py.vault.edits import Change
from mimir_py.vault.folder import Folder, Stamp, file_stem
from mimir_py.vault.jsonl import Record, Version
from mimir_py.vault.manifest import UNSEEN, Manifest
from mimir_py.vault.models import Written

NOTE_TRUST: Final = Trust.FILE
_SLICE: Final = 200
_CONFLICT: Final = re.compile(r"\.conflict-[0-9a-f]{8}\.md")


class Shown(NamedTuple):
    """A note to be: its memory and its text."""

    entity: Entity
    text: str


class _Slice(NamedTuple):
    notes: list[Shown]
    errors: list[str]
    last: int


class Place(NamedTuple):
    """A folder of notes, what it has of the store, and the files it had when the work began."""

    folder: Folder
    known: Manifest
    seen: Mapping[str, Stamp]


def note_name(entity_id: str) -> str:
    """The file of a memory's note."""
    return file_stem(entity_id) + ".md"


def is_conflict(name: str) -> bool:
    """Whether a file is an edited note that was set aside."""
    return _CONFLICT.search(name) is not None


class Writing:
    """Writes the notes of memories in some workspaces, or in all (`None`)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: IdSource,
        place: Place,
        workspaces: Sequence[str] | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._folder, self._known, self._seen = place
        self._workspaces = None if workspaces is None else frozenset(workspaces)
        self._strangers: set[str] = set()
        self.done = Written()

    async def expect(self, names: Collection[str]) -> None:
        """Put down the names of notes that are about to be written.

        Of those that are files already, the ones that never were Mimir's are left alone.
        """
        new = set(names).difference(self._known.notes)
        taken = new.intersection(self._seen)
        if taken:
            self._strangers |= await asyncio.to_thread(
                lambda: {name for name in taken if self._is_strange(name)}
            )
        if new - self._strangers:
            await asyncio.to_thread(self._known.expect, self._folder, new - self._strangers)

    async def all(self) -> None:
        """Write a note of every live memory."""
        after = 0
        while True:
            found = await self._database.read(partial(self._slice, after=after))
            self.done.errors += found.errors
            await asyncio.to_thread(self._put_all, found.notes)
            if not found.last:
                return
            after = found.last

    async def some(self, ids: Sequence[str]) -> None:
        """Write the notes of those of the memories that are live."""
        for start in range(0, len(ids), _SLICE):
            part = ids[start : start + _SLICE]
            found = await self._database.read(partial(self._of_ids, ids=part))
            self.done.errors += found.errors
            await asyncio.to_thread(self._put_all, found.notes)

    async def live_names(self) -> dict[str, str]:
        """The names of the notes of all live memories, also of damaged ones, with their ids."""
        workspaces = self._workspaces
        found = await self._database.read(store.live_names)
        return {
            note_name(entity_id): entity_id
            for entity_id, workspace in found
            if workspaces is None or workspace in workspaces
        }

    def remove(self, names: Sequence[str]) -> None:
        """Remove notes whose memories are gone; an edited one is set aside."""
        for name in names:
            try:
                text = self._folder.read(name)
                if text is not None and self._is_edited(text):
                    self.set_aside(name, text)
                elif text is not None:
                    self._folder.remove(name)
                    self.done.removed += 1
                self._known.notes.pop(name, None)
            except TransferError as error:
                self.done.errors.append(str(error))

    def _slice(self, reader: Reader, after: int) -> _Slice:
        rows = store.live_after(reader, after, _SLICE)
        shown, errors = self._shown(reader, rows)
        return _Slice(shown, errors, rows[-1]["row_id"] if rows else 0)

    def _of_ids(self, reader: Reader, ids: Sequence[str]) -> _Slice:
        return _Slice(*self._shown(reader, store.rows_of(reader, ids)), 0)

    def _shown(self, reader: Reader, rows: Sequence[Row]) -> tuple[list[Shown], list[str]]:
        """The notes of the memories in these rows, and what is wrong with the others."""
        entities, errors = [], []
        for row in rows:
            try:
                entity = sound(from_row(row))
            except DamagedStore as error:
                errors.append(str(error))
                continue
            if self._workspaces is None or entity.workspace_hash in self._workspaces:
                entities.append(entity)
        try:
            records = records_of(reader, entities)
        except DamagedStore:
            records = []
            for entity in entities:
                try:
                    records += records_of(reader, [entity])
                except DamagedStore as error:
                    errors.append(str(error))
        keys = self._keys(reader, entities)
        return [Shown(r.entity, notes.write(r, keys, NOTE_TRUST)) for r in records], errors

    def _keys(self, reader: Reader, entities: Sequence[Entity]) -> dict[str, str]:
        targets = {link.target_id for entity in entities for link in entity.links}
        found = store.live_keys(reader, sorted(targets)) if targets else {}
        wanted = self._workspaces
        return {
            entity_id: key
            for entity_id, (key, workspace) in found.items()
            if wanted is None or workspace in wanted
        }

    def _put_all(self, found: Sequence[Shown]) -> None:
        for shown in found:
            try:
                self._put(note_name(shown.entity.id), shown)
            except TransferError as error:
                self.done.errors.append(str(error))

    def _put(self, name: str, shown: Shown) -> None:
        if name in self._strangers:
            raise TransferError(f"{name}: is a file of your own; a memory's note has no other name")
        present, text = self._folder.read(name), shown.text
        if present is not None and present != text:
            change = self._change(present, shown.entity)
            if change is Change.NOTE:
                self.done.kept.append(name)
                return
            if change is Change.BOTH:
                self.set_aside(name, present)
                present = None
            else:
                text = notes.with_own(text, present)
            self.done.updated += present != text
        elif present is None:
            self.done.created += 1
        if present == text:
            self.done.unchanged += 1
            self._known.notes[name] = self._seen.get(name, UNSEEN)
        else:
            self._known.notes[name] = self._folder.write(name, text, over=present)

    def _change(self, present: str, entity: Entity) -> Change:
        """What a file in the place of a note has to say; what is no note is not overwritten."""
        try:
            note = notes.read(present, entity.key)
            if note is None:
                return Change.BOTH
            said = edits.record_of(note, self._new_id, self._clock, NOTE_TRUST).entity
        except (TransferError, InvalidInput):
            return Change.BOTH
        change = edits.compared(entity, said, note)
        return Change.BOTH if change is Change.NOTE and not note.base else change

    def _is_strange(self, name: str) -> bool:
        """Whether a file in the place of a note is no note of the memory, nor ever was one."""
        try:
            text = self._folder.read(name)
            note = None if text is None else notes.read(text, "")
        except TransferError:
            return True
        return note is None or note_name(str(note.values.get("id", ""))) != name

    def _is_edited(self, text: str) -> bool:
        try:
            note = notes.read(text, "")
            if note is None or not note.base:
                return True
            said = edits.record_of(note, self._new_id, self._clock, NOTE_TRUST).entity
        except (TransferError, InvalidInput):
            return True
        return notes.fingerprint(said) != note.base

    def set_aside(self, name: str, text: str) -> None:
        """Keep an edited file under another name, the same for the same text."""
        mark = hashlib.sha256(text.encode()).hexdigest()[:8]
        aside = f"{name.removesuffix('.md')}.conflict-{mark}.md"
        self._folder.rename(name, aside)
        self.done.conflicts.append(aside)


def records_of(reader: Reader, entities: Sequence[Entity]) -> list[Record]:
    """The memories with their versions and other keys.

    Raises:
        DamagedStore: a version is damaged.
    """
    history = store.history_of(reader, [entity.id for entity in entities])
    aliases = store.aliases_of(reader, [entity.row_id for entity in entities])
    return [
        Record(
            entity,
            tuple(aliases.get(entity.row_id, ())),
            tuple(Version(*version) for version in history.get(entity.id, ())),
        )
        for entity in entities
    ]
