"""Undoing: one change by its journal entry, or all that came from a source since some time.

What is undone stays in history, and undoing is journaled, so it can be undone as well. Planned on a
reading, embedded, then planned again in the transaction: a change in between starts it over.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import astuple
from functools import partial
from typing import Final

from mimir_py.embedding import Embedder
from mimir_py.entities import Entity, Identity, links, undoing
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.writing import Prepared, Rows
from mimir_py.journal import Journal
from mimir_py.quality import planning
from mimir_py.quality.planning import Plan, Since, Skipped, Undone, Workspaces
from mimir_py.quality.reversal import SOURCE, UNDO, Change, Step, is_import
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock, IdSource, UnixMs

Planned = Callable[[Reader], Plan]

_REASON: Final = "undone"
# An import may be of any size: undone a part at a time, and not all of it listed.
_AT_ONCE: Final = 200
_MOST_LISTED: Final = 1_000


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

        All of it is done, or nothing; of an import, see `take_back`.

        Raises:
            NotFound: there is no such entry, or its memory or the version before is gone.
            InvalidInput: the entry is of nothing that can be undone, or there are too many.
            Conflict: the memory was changed since.
        """
        if isinstance(wanted, Since) and is_import(wanted.source):
            return await self.take_back(wanted, workspaces, dry_run=dry_run)
        plan_of = partial(planning.plan, wanted=wanted, workspaces=workspaces)
        return await self._undo(plan_of, dry_run=dry_run)

    async def take_back(
        self,
        since: Since,
        workspaces: Workspaces,
        *,
        only: Collection[str] | None = None,
        dry_run: bool,
    ) -> tuple[Plan, list[str]]:
        """Undo what imports from a program did since a time, to all memories or `only` some.

        Done a part at a time, each wholly or not at all; doing it again goes on. Of a large import
        the plan and the entries' ids are only the first.

        Raises:
            InvalidInput: there were too many imports.
        """
        found = await self._database.read(partial(planning.imported, since=since))
        ids = [id for id in found if only is None or id in only]
        steps: list[Undone] = []
        skipped: list[Skipped] = []
        entries: list[str] = []
        total = 0
        for start in range(0, len(ids), _AT_ONCE):
            part = {id: found[id] for id in ids[start : start + _AT_ONCE]}
            plan_of = partial(planning.plan_imported, changes=part, workspaces=workspaces)
            plan, done = await self._undo(plan_of, dry_run=dry_run)
            total += len(plan.steps)
            steps += plan.steps[: _MOST_LISTED - len(steps)]
            skipped += plan.skipped[: _MOST_LISTED - len(skipped)]
            entries += done[: _MOST_LISTED - len(entries)]
        return Plan(tuple(steps), tuple(skipped), total - len(steps)), entries

    async def _undo(self, plan_of: Planned, *, dry_run: bool) -> tuple[Plan, list[str]]:
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
        self, plan_of: Planned, plan: Plan, derived: Mapping[str, Prepared], tx: Writer
    ) -> list[str] | None:
        if not planning.is_same(plan_of(tx), plan):
            return None
        entries: list[str] = []
        for step in plan.steps:
            whole = entries[0] if entries and plan.steps[0].parts else ""
            entries.append(self._step(tx, step, derived.get(step.memory.id), whole))
        return entries

    def _step(self, tx: Writer, step: Undone, derived: Prepared | None, whole: str) -> str:
        # Two steps may be about one memory.
        memory = entity_store.by_id(tx, step.memory.id)
        assert memory is not None
        said = self._taken(tx, memory, step, derived)
        said |= {"action": step.step, "source": SOURCE, "undid": list(step.journal_ids)}
        if step.parts:
            said["parts"] = list(step.parts)
        if whole:
            said["part_of"] = whole
        entry = audit(UNDO, memory, said, key=step.oldest.name or memory.key)
        return self._journal.append(tx, entry).id

    def _taken(
        self, tx: Writer, memory: Entity, step: Undone, derived: Prepared | None
    ) -> dict[str, object]:
        """Take a step; what undoing it takes."""
        now, change = self._clock(), step.oldest
        if change.link is not None:
            undoing.relink(tx, memory, *change.link)
            return links.told(SOURCE, change.link.after, change.link.before)
        if change.reverse in (Step.NAME, Step.UNNAME):
            return self._rekeyed(tx, memory, change, now)
        if change.reverse is Step.RENAME:
            identity = Identity(memory.category, change.name, memory.workspace_hash)
            renamed = self._rows.rename(tx, memory, identity, _REASON, now)
            return {"from": memory.key, "to": change.name, "history_id": renamed.supersedes}
        if change.worth is not None:
            entity_store.set_worth(tx, memory, change.worth, memory.last_accessed_unix_ms)
            return {"before": memory.worth._asdict(), "history_id": memory.supersedes}
        return self._retold(tx, memory, step, derived, now)

    def _retold(
        self, tx: Writer, memory: Entity, step: Undone, derived: Prepared | None, now: UnixMs
    ) -> dict[str, object]:
        """Put back what a memory says and whether it is live; its other keys come and go along."""
        rows, wanted = self._rows, step.oldest.keys
        if step.step is Step.ARCHIVE:
            rows.settle_aliases(tx, memory)
            entity_store.archive(tx, memory, _REASON, now)
            return {}
        if step.step is Step.REVIVE:
            present, keys = undoing.revive(tx, rows, memory, now), list[Identity]()
        else:
            assert step.version is not None
            assert derived is not None
            is_ending = step.version.archived
            keys = undoing.drop_keys(tx, rows, memory, wanted if is_ending else (), _REASON, now)
            history_id = self._new_id("hist")
            present = undoing.restore(tx, rows, memory, step.version, derived, now, history_id)
        if not present.archived:
            keys = undoing.give_keys(tx, present, wanted, now)
        said = {"keys": [astuple(key) for key in keys]} if keys else {}
        return {"history_id": present.supersedes, **said}

    def _rekeyed(
        self, tx: Writer, memory: Entity, change: Change, now: UnixMs
    ) -> dict[str, object]:
        """Give another key back, or take it off."""
        if change.reverse is Step.NAME:
            undoing.give_keys(tx, memory, change.keys, now)
        else:
            undoing.drop_keys(tx, self._rows, memory, change.keys, _REASON, now)
        [key] = change.keys
        return {"category": key.category, "key": key.key}
