"""Exporting and importing JSON Lines, a slice at a time so that other processes are not held up."""

import dataclasses
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from mimir_py.entities import store as entity_store
from mimir_py.entities.models import Draft, Entity, Identity
from mimir_py.entities.service import Limits, check_limits, check_name
from mimir_py.entities.text import parse_body
from mimir_py.entities.writing import Prepared, Rows, derive
from mimir_py.errors import InvalidInput, TransferError
from mimir_py.storage import fts
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.storage.vectors import Vectors
from mimir_py.upkeep import Upkeep
from mimir_py.values import Clock, IdSource
from mimir_py.vault import jsonl, store
from mimir_py.vault.jsonl import Record, Version
from mimir_py.vault.models import Imported

Report = Callable[[int], Awaitable[None]]

_EXPORT_SLICE: Final = 200
_FIRST_SLICE: Final = 100
_MOST_IN_SLICE: Final = 1_000
# A slice holds the write lock; half of what other processes should ever have to wait.
_SLICE_S: Final = 0.02


class Vault:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        vectors: Vectors,
        upkeep: Upkeep,
        limits: Limits,
        clock: Clock,
        new_id: IdSource,
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._rows = Rows(vectors, new_id)
        self._upkeep = upkeep
        self._limits = limits
        self._clock = clock
        self._new_id = new_id

    async def count(self) -> int:
        """Memories an export would write."""
        return await self._database.read(store.count)

    async def export(self) -> AsyncIterator[str]:
        """The lines of an export, without their ends: a header, then every memory."""
        yield jsonl.header()
        after = 0
        while True:
            records = await self._database.read(partial(_records, after=after))
            for record in records:
                yield jsonl.write_memory(record)
            if not records:
                return
            after = records[-1].entity.row_id

    async def import_lines(
        self, lines: Iterable[str], *, replace: bool, report: Report
    ) -> Imported:
        """Store the memories of an export; embedding is queued.

        A memory that is there already, by id or by name, is kept and reported unless `replace`.
        Everything before a faulty line is stored; importing the same file again goes on from there.

        Raises:
            TransferError: names the faulty line.
        """
        done = Imported()
        numbered = self._numbered(lines)
        size = _FIRST_SLICE
        while True:
            # Not while the last slice is stored: the two threads would only wait for each other.
            batch, fault = self._next_batch(numbered, size)
            if batch:
                took = await self._store(batch, done, replace)
                size = max(1, min(_MOST_IN_SLICE, int(size * _SLICE_S / max(took, 1e-4)) + 1))
                await report(done.total)
            if fault is not None:
                raise fault
            if not batch:
                return done

    async def embed_queue(self, report: Report) -> int:
        """Embed everything queued; how many chunks."""
        done = 0
        while count := await self._upkeep.embed_pending(64):
            done += count
            await report(done)
        return done

    def _numbered(self, lines: Iterable[str]) -> Iterator[tuple[int, str]]:
        numbered = ((n, line) for n, line in enumerate(lines, start=1) if line.strip())
        try:
            first = next(numbered, None)
        except UnicodeDecodeError as fault:
            raise TransferError(f"the file is not UTF-8 ({fault.reason})") from None
        if first is None:
            raise TransferError("the file is empty")
        if jsonl.check_header(first[1]):
            return numbered
        return itertools.chain([first], numbered)

    def _next_batch(
        self, numbered: Iterator[tuple[int, str]], size: int
    ) -> tuple[list[tuple[Record, Prepared]], TransferError | None]:
        """Up to `size` memories, and the fault that ended the batch early."""
        batch: list[tuple[Record, Prepared]] = []
        try:
            for number, line in itertools.islice(numbered, size):
                batch.append(self._read(line, number))
        except TransferError as fault:
            return batch, fault
        except UnicodeDecodeError as fault:
            return batch, TransferError(f"the file is not UTF-8 ({fault.reason})")
        return batch, None

    def _read(self, line: str, number: int) -> tuple[Record, Prepared]:
        record = jsonl.read_memory(line, number, self._new_id("mem"), self._clock())
        try:
            for version in record.history:
                self._checked(version.entity)
                check_name("history_id", version.history_id, self._limits.name_bytes)
            for identity, _ in record.aliases:
                check_name("key", identity.key, self._limits.name_bytes)
            draft, parsed = self._checked(record.entity)
        except InvalidInput as error:
            raise TransferError(f"line {number}: {error}") from None
        return record, derive(draft, parsed)

    def _checked(self, entity: Entity) -> tuple[Draft, Any]:
        draft = _as_draft(entity)
        if not entity.key:
            raise InvalidInput("key", "is empty")
        check_limits(draft, self._limits)
        for field in ("id", "source", "archive_reason"):
            check_name(field, getattr(entity, field), self._limits.name_bytes)
        return draft, parse_body(entity.body_json)

    async def _store(
        self, batch: list[tuple[Record, Prepared]], done: Imported, replace: bool
    ) -> float:
        """Store a batch in one transaction; how many seconds that took."""

        def work(tx: Writer) -> float:
            started = time.perf_counter()
            self._sort_in(tx, batch, done, replace)
            return time.perf_counter() - started

        return await self._database.write(work)

    def _sort_in(
        self, tx: Writer, batch: list[tuple[Record, Prepared]], done: Imported, replace: bool
    ) -> None:
        ids = {record.entity.id for record, _ in batch}
        held = store.by_ids(tx, list(ids))
        names = store.ids_by_identity(tx, [p.draft.identity for _, p in batch])
        fresh: dict[str, tuple[Record, Prepared]] = {}
        for record, prepared in batch:
            identity, entity_id = prepared.draft.identity, record.entity.id
            stored, owner = held.get(entity_id), names.get(identity)
            if stored is None and owner is None and entity_id not in fresh:
                names[identity] = entity_id
                fresh[entity_id] = (record, prepared)
            elif (stored is not None and _same(stored, record.entity)) or (
                replace and self._is_laid_over(tx, stored, owner, record)
            ):
                done.unchanged += 1
            elif replace and self._replace(tx, stored, owner, record, prepared):
                done.replaced += 1
            else:
                done.conflicts.append(f"{identity.category}/{identity.key} ({entity_id})")
        self._insert(tx, list(fresh.values()))
        done.created += len(fresh)

    def _insert(self, tx: Writer, fresh: list[tuple[Record, Prepared]]) -> None:
        row_ids = entity_store.insert_many(
            tx, [(record.entity, prepared.text_hash) for record, prepared in fresh]
        )
        placed = list(zip(row_ids, fresh, strict=True))
        fts.add(tx, [(row_id, p.label, p.body) for row_id, (_, p) in placed])
        self._vectors.add(
            tx,
            (
                (row_id, ordinal, chunk)
                for row_id, (_, p) in placed
                for ordinal, chunk in enumerate(p.chunks)
            ),
        )
        for row_id, (record, _) in placed:
            self._attach(tx, row_id, record)

    def _replace(
        self,
        tx: Writer,
        stored: Entity | None,
        owner: str | None,
        record: Record,
        prepared: Prepared,
    ) -> bool:
        """Lay a record over the stored memory it means, by id or by name; whether there is one."""
        if stored is not None and owner not in (None, stored.id):
            return False
        present = stored or (entity_store.by_id(tx, owner) if owner is not None else None)
        if present is None:
            return False
        identity = prepared.draft.identity
        if stored is None and _identity(present) != identity:
            # The name was another key of that memory, which keeps its own.
            entity_store.delete_alias(tx, identity)
            self._insert(tx, [(record, prepared)])
            return True
        history_id = self._new_id("hist")
        recorded = max(self._clock(), present.recorded_at_unix_ms + 1)
        entity = dataclasses.replace(
            record.entity,
            row_id=present.row_id,
            id=present.id,
            recorded_at_unix_ms=recorded,
            supersedes=history_id,
        )
        self._rows.overwrite(tx, present, entity, prepared, history_id)
        self._attach(tx, present.row_id, record)
        return True

    def _is_laid_over(
        self, tx: Writer, stored: Entity | None, owner: str | None, record: Record
    ) -> bool:
        """Whether an earlier import has put this very record in place already."""
        present = stored or (entity_store.by_id(tx, owner) if owner is not None else None)
        return present is not None and _said(present) == _said(record.entity)

    def _attach(self, tx: Writer, row_id: int, record: Record) -> None:
        if record.history:
            known = store.known_versions(tx, [v.history_id for v in record.history])
            for version in record.history:
                if version.history_id not in known:
                    entity_store.insert_version(tx, version.history_id, version.entity)
        for identity, created_at in record.aliases:
            # A memory of that name goes before another key of this one.
            if entity_store.by_identity(tx, identity) is None:
                entity_store.add_alias(tx, identity, row_id, created_at)


def _records(reader: Reader, after: int) -> list[Record]:
    entities = store.slice_after(reader, after, _EXPORT_SLICE)
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


def _as_draft(entity: Entity) -> Draft:
    return Draft(
        _identity(entity),
        entity.body_json,
        tags=entity.tags,
        topic_path=entity.topic_path,
        agent_id=entity.agent_id,
        type=entity.type,
        status=entity.status,
        layer=entity.layer,
        visibility=entity.visibility,
    )


def _same(one: Entity, other: Entity) -> bool:
    return _comparable(one) == _comparable(other)


def _comparable(entity: Entity) -> dict[str, Any]:
    return {name: value for name, value in vars(entity).items() if name != "row_id"}


def _said(entity: Entity) -> dict[str, Any]:
    """What an entity says, without what replacing sets anew."""
    ours = ("row_id", "id", "recorded_at_unix_ms", "supersedes")
    return {name: value for name, value in vars(entity).items() if name not in ours}


def _identity(entity: Entity) -> Identity:
    return Identity(entity.category, entity.key, entity.workspace_hash)
