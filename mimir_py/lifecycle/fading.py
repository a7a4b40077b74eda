"""Bringing freshness up to date, and archiving what has faded or is chosen.

A plan is read first, in slices; a dry run ends there. The run carries it out in short transactions
and looks again at each memory, so one that was used meanwhile stays.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from typing import Final

from mimir_py.entities import Entity
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.reinforcement import move
from mimir_py.entities.retention import (
    WORKING_USES,
    Standing,
    freshness,
    is_protected,
    standing,
    worth,
)
from mimir_py.entities.writing import Rows
from mimir_py.history import History
from mimir_py.journal import Journal
from mimir_py.lifecycle import standings, store
from mimir_py.lifecycle.models import Decayed, Pruned, Within
from mimir_py.lifecycle.pruning import DEFAULT_RULE, Choice, Rule, choose, has_faded
from mimir_py.lifecycle.standings import Slice
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock, UnixMs

FADED_REASON: Final = "decay threshold"
_FADING: Final = "mimir_decay"
_PRUNING: Final = "mimir_prune"
IDS_LISTED: Final = 100
# So many take a few milliseconds each.
_AT_ONCE: Final = 4_000
_MOVED_AT_ONCE: Final = 50
_RETIRED_AT_ONCE: Final = 25

Meant = Callable[[Standing], bool]
Report = Callable[[int, int | None, str], Awaitable[None]]


async def silent(done: int, total: int | None, what: str) -> None:
    """Tells nobody."""


@dataclass
class Faded:
    """What a pass of fading does: slices with freshness to store, memories with their new layer."""

    within: Within
    checked: int = 0
    fading: int = 0
    scores: int = 0
    stale: list[Slice] = field(default_factory=list)
    moves: list[tuple[Standing, str]] = field(default_factory=list)
    ending: list[Standing] = field(default_factory=list)


class Fading:
    """The room's door to what time takes away."""

    def __init__(
        self, database: Database, rows: Rows, history: History, journal: Journal, clock: Clock
    ) -> None:
        self.history = history
        self._database = database
        self._rows = rows
        self._journal = journal
        self._clock = clock

    async def decay(
        self, within: Within, *, dry_run: bool = False, report: Report = silent
    ) -> Decayed:
        """Store how fresh memories are now, move them between layers, archive what has faded."""
        now = self._clock()
        plan = await self.plan(within, now, report=report)
        if dry_run:
            ids = await self.ids([memory.row_id for memory in plan.ending])
        else:
            ids = await self.carry_out(plan, now, report=report)
        return Decayed(plan.checked, plan.scores, len(plan.moves), tuple(ids), self._clock())

    async def prune(
        self, within: Within, choice: Choice, limit: int, reason: str, *, dry_run: bool
    ) -> Pruned:
        """Archive what is chosen, at most `limit` (0: all), least valuable first."""
        now = self._clock()
        live = [memory async for some in self.slices(within) for memory in some]
        chosen = choose(live, choice, limit, now)
        rows = [memory.row_id for memory in chosen.going]
        if dry_run:
            ids = await self.ids(rows)
        else:

            def is_meant(memory: Standing) -> bool:
                return choice.takes(memory, now) and not is_protected(memory)

            ids = await self.retire(rows, is_meant, reason, _PRUNING)
        return Pruned(len(live), chosen.matching, chosen.protected, tuple(ids), self._clock())

    async def slices(self, within: Within) -> AsyncIterator[list[Standing]]:
        """The standing of live memories, some at a time."""

        def work(reader: Reader, after: int) -> tuple[Slice, list[Standing]] | None:
            some = standings.next_slice(reader, after, _AT_ONCE)
            return None if some is None else (some, standings.standings(reader, within, some))

        after = 0
        while read := await self._database.read(partial(work, after=after)):
            some, live = read
            yield live
            after = some.upto

    async def plan(
        self, within: Within, now: UnixMs, rule: Rule = DEFAULT_RULE, report: Report = silent
    ) -> Faded:
        """What bringing freshness up to date comes to."""
        plan = Faded(within)
        after = 0
        while some := await self._database.read(
            partial(self._plan_some, plan=plan, after=after, now=now, rule=rule)
        ):
            after = some.upto
            await report(plan.checked, None, "looking at memories")
        plan.ending.sort(key=lambda memory: worth(memory, now))
        return plan

    def _plan_some(
        self, reader: Reader, plan: Faded, after: int, now: UnixMs, rule: Rule
    ) -> Slice | None:
        some = standings.next_slice(reader, after, _AT_ONCE)
        if some is None:
            return None
        counts = standings.counts(reader, plan.within, some, now)
        plan.checked += counts.checked
        plan.fading += counts.fading
        plan.scores += counts.scores
        if counts.scores:
            plan.stale.append(some)
        promote_from = min(rule.promote_from, WORKING_USES)
        for memory in standings.in_question(
            reader, plan.within, some, now, promote_from, rule.archive_below
        ):
            if has_faded(memory, now, rule.archive_below):
                plan.ending.append(memory)
                continue
            layer = rule.layer(memory, freshness(memory, now))
            if layer != memory.layer:
                plan.moves.append((memory, layer))
        return some

    async def carry_out(
        self, plan: Faded, now: UnixMs, rule: Rule = DEFAULT_RULE, report: Report = silent
    ) -> list[str]:
        """Store freshness and layers as planned, archive what faded; the ids of that."""
        for number, some in enumerate(plan.stale):
            await report(
                plan.checked * number // len(plan.stale), plan.checked, "storing freshness"
            )
            await self._database.write_slice(
                partial(standings.store_freshness, within=plan.within, some=some, now=now)
            )
        await self._move(plan.moves)
        is_meant = partial(has_faded, now=now, below=rule.archive_below)
        ending = [memory.row_id for memory in plan.ending]
        return await self.retire(ending, is_meant, FADED_REASON, _FADING)

    async def _move(self, moves: Sequence[tuple[Standing, str]]) -> None:
        def work(tx: Writer, some: dict[int, tuple[Standing, str]]) -> None:
            for row_id, entity in entity_store.by_row_ids(tx, list(some)).items():
                memory, layer = some[row_id]
                # Used or changed meanwhile, it is for the next pass.
                if entity.layer == memory.layer and entity.retrieval_count == memory.uses:
                    move(tx, entity, layer)

        for start in range(0, len(moves), _MOVED_AT_ONCE):
            some = {
                memory.row_id: (memory, layer) for memory, layer in moves[start:][:_MOVED_AT_ONCE]
            }
            await self._database.write_slice(partial(work, some=some))

    async def retire(
        self, rows: Sequence[int], is_meant: Meant, reason: str, source: str
    ) -> list[str]:
        """Archive memories that are still meant; their ids, in order."""

        def work(tx: Writer, some: Sequence[int]) -> list[str]:
            found = entity_store.by_row_ids(tx, some)
            ended = []
            for row_id in some:
                entity = found.get(row_id)
                if entity and not entity.archived and is_meant(standing(entity)):
                    self.retire_one(tx, entity, reason, source)
                    ended.append(entity.id)
            return ended

        ids: list[str] = []
        for start in range(0, len(rows), _RETIRED_AT_ONCE):
            some = rows[start : start + _RETIRED_AT_ONCE]
            ids += await self._database.write_slice(partial(work, some=some))
        return ids

    def retire_one(self, tx: Writer, entity: Entity, reason: str, source: str, **more: str) -> None:
        """Archive a live memory, in a transaction of the caller's; `more` is for its entry."""
        others = self._rows.retire(tx, entity, reason, self._clock())
        said: dict[str, object] = {"reason": reason, "source": source, **more}
        if others:
            said["keys"] = [astuple(other) for other in others]
        self._journal.append(tx, audit("forget", entity, said))

    async def ids(self, rows: Collection[int]) -> list[str]:
        """The ids of memories, in order."""
        return await self._database.read(partial(store.ids, rows=list(rows)))
