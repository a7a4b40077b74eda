"""Undoing: one change by its journal entry, or all that came from a source since some time.

What is undone stays in history, and undoing is journaled, so it can be undone as well. Planned on a
reading, embedded, then planned again in the transaction: a change in between starts it over.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from mimir_py.embedding import Embedder
from mimir_py.entities import Entity, undoing
from mimir_py.entities import store as entity_store
from mimir_py.entities.writing import Prepared, Rows
from mimir_py.errors import Conflict, InvalidInput, NotFound
from mimir_py.journal import AUDIT, Entry, Journal
from mimir_py.journal import store as journal_store
from mimir_py.journal.models import Filter
from mimir_py.quality.reversal import SOURCE, UNDO, Change, Step, change, is_change, left, run_of
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock, IdSource, UnixMs

MOST_ENTRIES: Final = 10_000
_REASON: Final = "undone"

Workspaces = tuple[str, ...] | None


@dataclass(frozen=True)
class Undone:
    """What was, or would be, done to a memory, and the entries it undoes, newest first."""

    memory: Entity
    step: Step
    journal_ids: tuple[str, ...]
    version: Entity | None


@dataclass(frozen=True)
class Skipped:
    """A memory that is left as it is, or an entry of it that is, and why."""

    entity_id: str
    why: str
    journal_id: str | None = None


@dataclass(frozen=True)
class Plan:
    """What to undo, and what cannot be."""

    steps: tuple[Undone, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Since:
    """Everything that a source changed from a time on."""

    source: str
    at: UnixMs


class Undo:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        rows: Rows,
        journal: Journal,
        clock: Clock,
        new_id: IdSource,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._rows = rows
        self._journal = journal
        self._clock = clock
        self._new_id = new_id

    async def undo(
        self, wanted: str | Since, workspaces: Workspaces, *, dry_run: bool
    ) -> tuple[Plan, list[str]]:
        """Undo an entry by its id, or all since; what it comes to, and the new entries' ids.

        All of it is done, or nothing.

        Raises:
            NotFound: there is no such entry, or its memory or the version before is gone.
            InvalidInput: the entry is of nothing that can be undone, or there are too many.
            Conflict: the memory was changed since.
        """
        plan_of = partial(_plan, wanted=wanted, workspaces=workspaces)
        while True:
            plan = await self._database.read(plan_of)
            if dry_run or not plan.steps:
                return plan, []
            derived = {
                step.memory.id: await undoing.prepared(self._embedder, step.version)
                for step in plan.steps
                if step.version is not None
            }
            done = await self._database.write(partial(self._carry_out, plan_of, plan, derived))
            if done is not None:
                return plan, done

    def _carry_out(
        self, plan_of: "partial[Plan]", plan: Plan, derived: Mapping[str, Prepared], tx: Writer
    ) -> list[str] | None:
        if not _is_same(plan_of(tx), plan):
            return None
        return [self._step(tx, step, derived.get(step.memory.id)) for step in plan.steps]

    def _step(self, tx: Writer, step: Undone, derived: Prepared | None) -> str:
        now, memory = self._clock(), step.memory
        said: dict[str, object] = {"action": step.step, "source": SOURCE}
        if step.step is Step.ARCHIVE:
            self._rows.settle_aliases(tx, memory)
            entity_store.archive(tx, memory, _REASON, now)
        elif step.step is Step.REVIVE:
            said["history_id"] = undoing.revive(tx, self._rows, memory, now).supersedes
        else:
            assert step.version is not None
            assert derived is not None
            history_id = self._new_id("hist")
            undoing.restore(tx, self._rows, memory, step.version, derived, now, history_id)
            said["history_id"] = history_id
        said["undid"] = list(step.journal_ids)
        entry = Entry(
            UNDO,
            kind=AUDIT,
            category=memory.category,
            key=memory.key,
            entity_id=memory.id,
            agent_id=memory.agent_id,
            workspace_hash=memory.workspace_hash,
            acted_json=json.dumps(said),
        )
        return self._journal.append(tx, entry).id


def _plan(reader: Reader, wanted: str | Since, workspaces: Workspaces) -> Plan:
    return (
        _plan_one(reader, wanted, workspaces)
        if isinstance(wanted, str)
        else _plan_since(reader, wanted, workspaces)
    )


def _plan_one(reader: Reader, journal_id: str, workspaces: Workspaces) -> Plan:
    entry = journal_store.by_id(reader, journal_id)
    if entry is None or (workspaces is not None and entry.entry.workspace_hash not in workspaces):
        raise NotFound(f"Journal entry not found: {journal_id}")
    found = change(entry)
    if found is None:
        why = left(entry) or "that is no change to undo"
        raise InvalidInput("journal_id", f"is of a {entry.entry.event_type}: {why}")
    step = _reversed(reader, [found])
    if isinstance(step, Skipped):
        raise Conflict(f"journal_id: {step.why}; nothing was changed")
    return Plan((step,))


def _plan_since(reader: Reader, since: Since, workspaces: Workspaces) -> Plan:
    wanted = Filter(from_ms=since.at, workspaces=workspaces, include_audit=True)
    entries = journal_store.page(reader, wanted, MOST_ENTRIES + 1, 0)
    if len(entries) > MOST_ENTRIES:
        raise InvalidInput(
            "since_unix_ms", f"leaves more than {MOST_ENTRIES} journal entries; take a later time"
        )
    by_memory: dict[str, list[Change]] = {}
    others: dict[str, list[Skipped]] = {}
    for entry in sorted(entries, key=lambda entry: -entry.seq):
        found, entity_id = change(entry), entry.entry.entity_id
        if found is not None:
            by_memory.setdefault(entity_id, []).append(found)
        elif why := left(entry):
            others.setdefault(entity_id, []).append(Skipped(entity_id, why, entry.id))
    steps: list[Undone] = []
    skipped: list[Skipped] = []
    for entity_id, changes in by_memory.items():
        if all(found.source != since.source for found in changes):
            continue
        own = run_of(changes, since.source)
        made = _reversed(reader, own) if own else Skipped(entity_id, "was changed by others since")
        (steps if isinstance(made, Undone) else skipped).append(made)  # type: ignore[arg-type]
        # Whoever did it, it stays: that is to be known of a memory that is put back.
        skipped += others.get(entity_id, ())
    return Plan(tuple(steps), tuple(skipped))


def _reversed(reader: Reader, changes: Sequence[Change]) -> Undone | Skipped:
    """What undoes the latest changes of a memory, given newest first."""
    newest, oldest = changes[0], changes[-1]
    entity_id = newest.entry.entry.entity_id
    memory = entity_store.by_id(reader, entity_id)
    if memory is None:
        return Skipped(entity_id, "the memory was erased")
    if not _is_latest(reader, memory, newest):
        return Skipped(entity_id, "the memory was changed since; undo the later change first")
    version = None
    if oldest.reverse is Step.RESTORE:
        version = undoing.version(reader, oldest.history_id)
        if version is None:
            return Skipped(entity_id, "the version before is no longer kept")
    ids = tuple(found.entry.id for found in changes)
    if oldest.reverse is not Step.RESTORE and memory.archived is (oldest.reverse is Step.ARCHIVE):
        return Skipped(entity_id, "the memory is so already")
    return Undone(memory, oldest.reverse, ids, version)


def _is_latest(reader: Reader, memory: Entity, newest: Change) -> bool:
    """Whether a memory still is as a change left it."""
    later = journal_store.about_entity(reader, memory.id)
    entries = journal_store.by_seqs(reader, [seq for seq in later if seq > newest.entry.seq])
    if any(is_change(entry) for entry in entries):
        return False
    # What no journal tells of, such as an import, makes a version, too.
    return not newest.history_id or memory.supersedes == newest.history_id


def _is_same(one: Plan, other: Plan) -> bool:
    def gist(plan: Plan) -> list[tuple[str, int, bool, Step]]:
        return [
            (s.memory.id, s.memory.recorded_at_unix_ms, s.memory.archived, s.step)
            for s in plan.steps
        ]

    return gist(one) == gist(other)
