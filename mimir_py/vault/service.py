"""Exporting and importing JSON Lines, a slice at a time so that other processes are not held up."""

import asyncio
import contextlib
import dataclasses
import gc
import json
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, Protocol

from mimir_py.entities import links
from mimir_py.entities import store as entity_store
from mimir_py.entities.models import Entity
from mimir_py.entities.writing import Rows
from mimir_py.errors import StorageError
from mimir_py.journal import AUDIT, Entry, Journal
from mimir_py.limits import Limits
from mimir_py.security import Trust
from mimir_py.storage import fts
from mimir_py.storage.database import Database, Writer
from mimir_py.storage.vectors import Vectors
from mimir_py.upkeep import Upkeep
from mimir_py.values import Clock, IdSource
from mimir_py.vault import jsonl, merging, steps, store
from mimir_py.vault.jsonl import Record
from mimir_py.vault.lines import Incoming, LineReader, Lines, Slice
from mimir_py.vault.models import Imported, Merge
from mimir_py.vault.outgoing import Outgoing
from mimir_py.vault.reading import Means
from mimir_py.vault.records import Mend, RecordReader, Records
from mimir_py.vault.steps import Plan, Step

Report = Callable[[int], Awaitable[None]]

_EMBEDDED_AT_ONCE: Final = 128
_FIRST_SLICE: Final = 96
_MOST_IN_SLICE: Final = 384
# A slice holds the write lock: well below what other processes should ever have to wait.
_LONGEST_S: Final = 0.02
_SHORTEST_S: Final = 0.01
_TURN_S: Final = 0.0002


class _Source(Protocol):
    """Where memories come from: got on the event loop, understood beside it.

    So many are worth understanding `side_by_side`.
    """

    side_by_side: int

    def take(self, most: int) -> Any: ...
    def understand(self, taken: Any) -> Slice: ...


class Vault:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        vectors: Vectors,
        upkeep: Upkeep,
        journal: Journal,
        limits: Limits,
        clock: Clock,
        new_id: IdSource,
        *,
        seek_secrets: bool,
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._rows = Rows(vectors, new_id)
        self._upkeep = upkeep
        self._journal = journal
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._seek_secrets = seek_secrets
        self.means = Means(
            database,
            self._rows,
            self.insert,
            journal,
            limits,
            clock,
            new_id,
            seek_secrets=seek_secrets,
        )

    async def count(self) -> int:
        """Memories an export would write."""
        return await self._database.read(store.count)

    def outgoing(self) -> Outgoing:
        """All memories, for whoever writes them somewhere else."""
        return Outgoing(self._database)

    async def export(self, outgoing: Outgoing | None = None) -> AsyncIterator[str]:
        """The lines of an export, without their ends: a header, then every memory.

        What is damaged is left out, and named by `outgoing`.
        """
        yield jsonl.header()
        async for records in (outgoing or self.outgoing()).slices():
            for record in records:
                yield jsonl.write_memory(record)

    async def import_lines(
        self,
        lines: Iterable[str],
        *,
        replace: bool,
        report: Report,
        trust: Trust = Trust.IMPORT,
    ) -> Imported:
        """Store the memories of an export; embedding is queued.

        A memory that is there already, by id or by name, is kept and reported unless `replace`.
        `trust` is the most that its memories are trusted, whatever the file says.
        Secrets in it are counted and stay: a store that comes back must be what it was.
        Everything before a faulty line is stored; importing the same file again goes on from there.

        Raises:
            TransferError: names the faulty line.
        """
        reader = LineReader(
            self._limits, self._clock, self._new_id, trust, seek_secrets=self._seek_secrets
        )
        with contextlib.closing(Lines(lines, reader)) as source:
            return await self._import(source, Merge.REPLACE if replace else Merge.KEEP, report)

    async def import_records(
        self,
        records: Iterable[Record],
        *,
        limits: Limits | None = None,
        merge: Merge = Merge.NEWER,
        report: Report,
        origin: str = "",
        mend: Mend | None = None,
    ) -> Imported:
        """Store memories that another module has read; embedding is queued.

        By default what is there already stays, unless the same memory (by id) says something newer
        that it never said here: then that becomes its present version. What cannot be stored is
        named in `refused`, unless `mend` makes another record of it that can. Doing it again
        changes nothing. The journal says that they came from `origin`.
        """
        refused: dict[str, str] = {}
        reader = RecordReader(limits or self._limits, mend, seek_secrets=self._seek_secrets)
        with contextlib.closing(Records(records, reader, refused)) as source:
            done = await self._import(source, merge, report, origin)
        done.refused = refused
        return done

    async def plan_records(self, records: Iterable[Record]) -> Imported:
        """What `import_records` would do by default, told without storing anything."""
        plan = Plan(Merge.NEWER)
        reader = RecordReader(self._limits, None, seek_secrets=self._seek_secrets)
        with contextlib.closing(Records(records, reader, plan.done.refused)) as source:
            while not (ready := await _understood(source, source.take(_FIRST_SLICE))).is_end:
                await self._database.read(partial(plan.sort, memories=ready.memories))
                plan.done.secrets += ready.secrets
        return plan.done

    async def _import(
        self, source: _Source, merge: Merge, report: Report, origin: str = ""
    ) -> Imported:
        done = Imported()
        size = _FIRST_SLICE
        ahead: deque[asyncio.Future[Slice]] = deque()
        fault = None
        try:
            with _undelayed():
                while fault is None:
                    while len(ahead) <= source.side_by_side:
                        coming = source.take(size)
                        ahead.append(asyncio.ensure_future(_understood(source, coming)))
                    ready = await ahead.popleft()
                    fault = ready.fault
                    if ready.is_end:
                        break
                    took = await self._stored(ready.memories, done, merge, origin)
                    size = _next_size(size, took)
                    done.secrets += ready.secrets
                    await report(done.total)
        finally:
            for one in ahead:
                one.cancel()
        if fault is not None:
            raise fault
        return done

    async def embed_queue(self, report: Report) -> int:
        """Embed everything queued; how many chunks."""
        done = 0
        while count := await self._upkeep.embed_pending(_EMBEDDED_AT_ONCE):
            done += count
            await report(done)
        return done

    async def _stored(
        self, memories: list[Incoming], done: Imported, merge: Merge, origin: str
    ) -> float:
        """As `_store`; if it fails, the error says which store it is and how far it is."""
        before = done.total
        try:
            return await self._store(memories, done, merge, origin)
        except StorageError as error:
            raise type(error)(
                f"{self._database.path}: {error}. {before} memories were done before and stay so; "
                "the same once more goes on from there"
            ) from error

    async def _store(
        self, memories: list[Incoming], done: Imported, merge: Merge, origin: str
    ) -> float:
        """Store a slice in one transaction; how many seconds that took."""

        def work(tx: Writer) -> float:
            started = time.perf_counter()
            before, last = (done.created, done.replaced), store.last_rows(tx)
            self._sort_in(tx, memories, done, merge)
            self._note(tx, done.created - before[0], done.replaced - before[1], origin, last)
            return time.perf_counter() - started

        return await self._database.write_slice(work)

    def _note(
        self, tx: Writer, created: int, replaced: int, origin: str, last: tuple[int, int]
    ) -> None:
        """Record a slice in the journal: one entry a memory would double the work.

        Undoing finds what came from an `origin` by the rows after the `last` ones before.
        """
        if created or replaced:
            acted: dict[str, Any] = {"created": created, "replaced": replaced}
            if origin:
                now = store.last_rows(tx)
                acted |= {"from": origin, "rows": [last[0] + 1, now[0]]}
                acted["versions"] = [last[1] + 1, now[1]]
            said = json.dumps(acted, ensure_ascii=False)
            self._journal.append(tx, Entry("import", kind=AUDIT, acted_json=said))

    def _sort_in(self, tx: Writer, memories: list[Incoming], done: Imported, merge: Merge) -> None:
        held = entity_store.by_ids(tx, list({coming.record.entity.id for coming in memories}))
        names = store.ids_by_identity(tx, [coming.prepared.draft.identity for coming in memories])
        fresh: dict[str, Incoming] = {}
        for coming in memories:
            record, identity = coming.record, coming.prepared.draft.identity
            stored, owner = held.get(record.entity.id), names.get(identity)
            taken = steps.step(tx, record, stored, owner, merge)
            if taken is Step.CREATE and record.entity.id not in fresh:
                names[identity] = record.entity.id
                fresh[record.entity.id] = coming
            elif taken is Step.LEAVE:
                done.unchanged += 1
                if stored is not None and merging.is_trusted_more(record, stored):
                    entity_store.set_trust(tx, stored, record.entity.trust)
            elif taken is Step.REPLACE:
                self._replace(tx, stored, owner, coming)
                done.replaced += 1
            else:
                done.conflicts.append(steps.named(record))
        self.insert(tx, list(fresh.values()))
        done.created += len(fresh)

    def insert(self, tx: Writer, fresh: list[Incoming]) -> None:
        """Store memories whose ids and names are free, with their versions, links and keys."""
        row_ids = entity_store.insert_rows(tx, [coming.row for coming in fresh])
        placed = list(zip(row_ids, fresh, strict=True))
        self._vectors.add(
            tx,
            (
                (row_id, ordinal, chunk)
                for row_id, coming in placed
                for ordinal, chunk in enumerate(coming.prepared.chunks)
            ),
        )
        fts.add_analysed(tx, [(row_id, coming.text) for row_id, coming in placed])
        links.insert(
            tx, [(row_id, link) for row_id, coming in placed for link in coming.record.entity.links]
        )
        for row_id, coming in placed:
            self._attach(tx, row_id, coming.record)

    def _replace(
        self,
        tx: Writer,
        stored: Entity | None,
        owner: str | None,
        coming: Incoming,
    ) -> None:
        """Lay a record over the stored memory it means, by id or by name."""
        record, prepared = coming.record, coming.prepared
        present = steps.meant(tx, stored, owner)
        assert present is not None
        identity = prepared.draft.identity
        if stored is None and merging.identity_of(present) != identity:
            # The name was another key of that memory, which keeps its own.
            self._rows.drop_alias(tx, identity, self._clock())
            self.insert(tx, [coming])
            return
        entity = dataclasses.replace(record.entity, row_id=present.row_id, id=present.id)
        earlier = merging.as_earlier(present, record)
        if earlier is not None and not store.known_versions(tx, [earlier.history_id]):
            # All that was said here is part of what is told there.
            history_id = earlier.history_id
            until = earlier.entity.invalidated_at_unix_ms
            present = dataclasses.replace(present, invalidated_at_unix_ms=until)
        else:
            history_id = self._new_id("hist")
            begun = max(self._clock(), present.recorded_at_unix_ms + 1, present.believed_until or 0)
            entity = dataclasses.replace(entity, recorded_at_unix_ms=begun, supersedes=history_id)
        self._rows.overwrite(tx, present, entity, prepared, history_id)
        links.replace(tx, present.row_id, entity.links)
        self._attach(tx, present.row_id, merging.under(record, present.id))

    def _attach(self, tx: Writer, row_id: int, record: Record) -> None:
        if record.history:
            known = store.known_versions(tx, [v.history_id for v in record.history])
            for version in record.history:
                if version.history_id not in known:
                    entity_store.insert_version(tx, version.history_id, version.entity)
        for identity, created_at in record.aliases:
            # A memory of that name goes before another key of this one.
            if entity_store.by_identity(tx, identity) is None:
                entity_store.add_alias(tx, identity, row_id, record.entity.id, created_at)


async def _understood(source: _Source, taken: Any) -> Slice:
    return await asyncio.to_thread(source.understand, taken)


@contextlib.contextmanager
def _undelayed() -> Iterator[None]:
    """Keep a transaction from waiting long for other threads of this process.

    They take turns more often, and nobody looks for garbage in all there is meanwhile: what an
    import makes is in no cycles.
    """
    usual, collected = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_TURN_S)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        if collected:
            gc.enable()


def _next_size(size: int, took: float) -> int:
    """How many memories to store at once after `size` took so many seconds.

    Halves and doubles only: the same few numbers of rows need the same few statements.
    """
    if took > _LONGEST_S:
        return max(1, size // 2)
    return min(_MOST_IN_SLICE, size * 2) if took < _SHORTEST_S else size
