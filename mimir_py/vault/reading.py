"""Taking notes in: new memories, edits as new versions, and nothing twice."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from mimir_py.entities import links
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.models import Entity, Identity
from mimir_py.entities.store import to_row
from mimir_py.entities.text import parse_body
from mimir_py.entities.writing import Prepared, Rows, derive
from mimir_py.errors import InvalidInput, TransferError
from mimir_py.journal import AUDIT, Entry, Journal
from mimir_py.limits import Limits
from mimir_py.security import Trust
from mimir_py.storage import fts
from mimir_py.storage.database import Database, Writer
from mimir_py.values import Clock, IdSource
from mimir_py.vault import edits, lines, notes, store
from mimir_py.vault.edits import Change
from mimir_py.vault.folder import Folder
from mimir_py.vault.jsonl import Record
from mimir_py.vault.lines import Incoming
from mimir_py.vault.models import TakenIn
from mimir_py.vault.notes import Note

Insert = Callable[[Writer, list[Incoming]], None]

_AT_ONCE: Final = 32


class _Coming(NamedTuple):
    name: str
    note: Note
    record: Record
    derived: Prepared


@dataclass(frozen=True)
class Means:
    """What it takes to store the memories of notes."""

    database: Database
    rows: Rows
    insert: Insert
    journal: Journal
    limits: Limits
    clock: Clock
    new_id: IdSource
    seek_secrets: bool


class Reading:
    """Takes the notes of a folder into the store, trusted no more than `trust`."""

    def __init__(self, means: Means, folder: Folder, trust: Trust) -> None:
        self._means = means
        self._folder = folder
        self._trust = trust
        self.done = TakenIn()

    async def take_in(self, names: Sequence[str]) -> None:
        """Take these notes in; a faulty one is reported, and the others are not held up."""
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            coming = await asyncio.to_thread(self._read_all, part)
            if coming:
                await self._means.database.write_slice(partial(self._store, coming))

    def _read_all(self, names: Sequence[str]) -> list[_Coming]:
        found = []
        for name in names:
            try:
                coming = self._read(name)
            except TransferError as error:
                self.done.errors.append(str(error))
                continue
            if coming is not None:
                found.append(coming)
        return found

    def _read(self, name: str) -> _Coming | None:
        text = self._folder.read(name)
        if text is None:
            return None
        try:
            note = notes.read(text, PurePosixPath(name).stem)
            if note is None:
                return None
            record = edits.record_of(note, self._means.new_id, self._means.clock, self._trust)
            derived = lines.prepare(record, self._means.limits)
        except (InvalidInput, TransferError) as error:
            raise TransferError(f"{name}: {error}") from None
        if self._means.seek_secrets:
            self.done.secrets += lines.secrets_in(record, derived)
        return _Coming(name, note, record, derived)

    def _store(self, coming: Sequence[_Coming], tx: Writer) -> None:
        before = self.done.created
        for one in coming:
            try:
                self._store_one(tx, one)
            except InvalidInput as error:
                self.done.errors.append(f"{one.name}: {error}")
        if self.done.created > before:
            acted = json.dumps({"created": self.done.created - before, "replaced": 0})
            self._means.journal.append(tx, Entry("import", kind=AUDIT, acted_json=acted))

    def _store_one(self, tx: Writer, coming: _Coming) -> None:
        said = coming.record.entity
        identity = Identity(said.category, said.key, said.workspace_hash)
        stored = entity_store.by_id(tx, said.id)
        owner = store.ids_by_identity(tx, [identity]).get(identity)
        if stored is None and owner is None:
            self._means.insert(tx, [_incoming(coming)])
            self.done.created += 1
            return
        present = stored or entity_store.by_id(tx, owner or "")
        assert present is not None
        change = edits.compared(present, said, coming.note)
        if change is not Change.NONE and owner not in (None, present.id):
            # The note was given the name of another memory.
            change = Change.BOTH
        elif stored is None and present.key != said.key:
            # Another key of that memory, which says the same under all of its keys.
            change = Change.NONE if present.body_json == said.body_json else Change.BOTH
        if change is Change.NOTE:
            self._edit(tx, present, coming)
            self.done.updated += 1
        elif change is Change.BOTH:
            self.done.conflicts.append(coming.name)
        else:
            self.done.unchanged += 1

    def _edit(self, tx: Writer, present: Entity, coming: _Coming) -> None:
        """Make what a note says the next version of its memory."""
        said = coming.record.entity
        wanted = edits.overlaid(present, said, coming.note)
        history_id = self._means.new_id("hist")
        entity = edits.edited(present, wanted, self._trust, self._means.clock(), history_id)
        draft = edits.draft_of(wanted, self._trust)
        derived = derive(draft, parse_body(wanted.body_json))
        self._means.rows.overwrite(tx, present, entity, derived, history_id)
        if entity.links != present.links:
            links.replace(tx, present.row_id, entity.links)
        acted = {"action": "updated", "source": "vault-import", "history_id": history_id}
        entry = audit("remember", entity, acted)
        self._means.journal.append(tx, entry)


def _incoming(coming: _Coming) -> Incoming:
    record, derived = coming.record, coming.derived
    return Incoming(
        record,
        derived,
        to_row(record.entity, derived.text_hash),
        fts.analysed(derived.label, derived.body),
    )
