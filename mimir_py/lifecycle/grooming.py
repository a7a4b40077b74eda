"""Keeping memories coherent: linking what is alike, merging what says the same.

Everything is planned first; a dry run ends there, and the run carries the plan out step by step,
looking again at each memory. Nothing is compared or merged across workspaces.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final, NamedTuple

from mimir_py.aside import Aside
from mimir_py.entities import Draft, Entity, Identity, Link, Memories, Remembered, links
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.models import CREATED
from mimir_py.entities.retention import LAYERS, is_protected, standing
from mimir_py.errors import InvalidInput
from mimir_py.history.retention import Bounds, Retained
from mimir_py.journal import Journal
from mimir_py.lifecycle import store
from mimir_py.lifecycle.fading import Faded, Fading, Report, silent
from mimir_py.lifecycle.merging import (
    DERIVED,
    OBSERVATION,
    Observation,
    Pair,
    Texts,
    alike,
    clusters,
    observation,
    says_no_more,
    text_of,
)
from mimir_py.lifecycle.models import Cohered, Consolidated, Groomed, LinkMade, Merging, Within
from mimir_py.lifecycle.pruning import Rule
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock

Rest = Callable[[], Awaitable[None]]
Alike = Callable[[Texts], list[Pair]]

MOST_LINKS: Final = 100
RELATED: Final = "auto-related"
_RELATED_FROM: Final = 0.3
_WINDOW: Final = 500
# From here on a process is started to compare them.
_MANY: Final = 2_000
# Few enough that a recall does not wait for them.
_READ_AT_ONCE: Final = 50
# Half of a window is seen again with the next, so that neighbours meet.
_LINK_WINDOW: Final = 1_000
_LINKED_AT_ONCE: Final = 20
_LINK_MARK: Final = "linked_upto"
_GROOMED: Final = "groomed"
_HOUR_MS: Final = 3_600_000
_EVIDENCE: Final = "evidence_for"
_SOURCE: Final = "mimir_consolidate"
_LINKING: Final = "mimir_cohere"
# Files that agents keep as memories are not merged by themselves, nor are transcripts.
_LEFT_ALONE: Final = DERIVED | {"memories", "conversation"}
_UNATTENDED: Final = Merging(limit=5, cold_first=True, archive_sources=True, careful=True)


class _Wanted(NamedTuple):
    """Links to make, and how far the search for them came."""

    links: list[LinkMade]
    upto: int


async def _on() -> None:
    """Goes on at once."""


class Grooming:
    """The room's door to what keeps memories coherent."""

    def __init__(
        self,
        database: Database,
        memories: Memories,
        fading: Fading,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._database = database
        self._memories = memories
        self._fading = fading
        self._journal = journal
        self._clock = clock

    async def cohere(
        self,
        within: Within,
        rule: Rule,
        most_links: int,
        *,
        dry_run: bool,
        report: Report = silent,
    ) -> Cohered:
        """Bring layers and freshness up to date, archive what faded, link what is alike."""
        now = self._clock()
        plan = await self._fading.plan(within, now, rule, report)
        ended = [memory.row_id for memory in plan.ending]
        if dry_run:
            ids = await self._fading.ids(ended)
        else:
            ids = await self._fading.carry_out(plan, now, rule, report)
        wanted = await self._alike(within, most_links, ended)
        if not dry_run:
            await self._link(wanted)
        return self._cohered(plan, wanted.links, ids)

    async def consolidate(
        self,
        within: Within,
        merging: Merging,
        *,
        dry_run: bool,
        without: Collection[int] = (),
        alike: Alike = alike,
    ) -> Consolidated:
        """Merge memories of a category that say nearly the same into observations.

        Their sources stay, linked from the observation; with `archive_sources` those that are
        not protected are archived. What is merged already is left out. `without` are rows taken
        to be archived; `alike` is who compares, on another thread.

        Raises:
            InvalidInput: the category holds what was derived from memories.
        """
        if within.category in DERIVED:
            raise InvalidInput("category", "holds what was derived from memories")
        window = await self._window(within, merging, without)
        found = await asyncio.to_thread(_to_merge, window, merging.threshold, alike)
        made, archived = list[Observation](), list[str]()
        for wanted in found:
            if len(made) >= merging.limit:
                break
            identity = _identity(wanted)
            if await self._database.read(partial(entity_store.by_identity, identity=identity)):
                continue
            made.append(wanted)
            archived += [source.id for source in _to_archive(wanted, merging)]
            if not dry_run:
                await self._merge(wanted, merging)
        return Consolidated(len(window), made, archived)

    async def autocohere(
        self, within: Within, *, dry_run: bool, rest: Rest = _on, report: Report = silent
    ) -> Groomed:
        """One whole pass: earlier versions, freshness, links, then merging in every category.

        `rest` is awaited between the steps.
        """
        before = self._database.disk_bytes()
        history = self._fading.history
        retained = Retained()
        if history.bounds != Bounds(tombstones=history.bounds.tombstones):
            retained = await history.retain(
                history.bounds, dry_run=dry_run, workspaces=within.workspaces
            )
        await rest()
        now = self._clock()
        plan = await self._fading.plan(within, now, report=report)
        ended = [memory.row_id for memory in plan.ending]
        if dry_run:
            ids = await self._fading.ids(ended)
        else:
            ids = await self._fading.carry_out(plan, now, report=report)
        await rest()
        with contextlib.closing(Aside(alike, 1, patient=True)) as apart:
            if plan.checked > _MANY:
                apart.start()
            wanted = await self._alike(within, _LINKED_AT_ONCE, ended, apart)
            if not dry_run:
                await self._link(wanted)
            consolidated = []
            places = await self._database.read(partial(store.places, within=within))
            for number, (workspace, category) in enumerate(places):
                await report(number, len(places), f"merging {category}")
                if category not in _LEFT_ALONE:
                    await rest()
                    consolidated.append(
                        await self.consolidate(
                            Within((workspace,), category),
                            _UNATTENDED,
                            dry_run=dry_run,
                            without=ended,
                            alike=apart,
                        )
                    )
        delta = 0 if dry_run else self._database.disk_bytes() - before
        return Groomed(self._cohered(plan, wanted.links, ids), consolidated, retained, delta)

    async def is_due(self, hours: int) -> bool:
        """Whether no process groomed the store for so many hours; then it is for the caller to do.

        A clock that went back makes it due.
        """
        now = self._clock()

        def due(reader: Reader) -> bool:
            return not 0 <= now - store.mark(reader, _GROOMED) < hours * _HOUR_MS

        def claim(tx: Writer) -> bool:
            if not due(tx):
                return False
            store.set_mark(tx, _GROOMED, now)
            return True

        return await self._database.read(due) and await self._database.write(claim)

    def _cohered(self, plan: Faded, made: Sequence[LinkMade], ids: Sequence[str]) -> Cohered:
        promoted = sum(
            LAYERS.index(layer) > LAYERS.index(memory.layer) for memory, layer in plan.moves
        )
        return Cohered(plan.checked, promoted, plan.fading, plan.scores, made, ids, self._clock())

    async def _window(
        self, within: Within, merging: Merging, without: Collection[int]
    ) -> list[Entity]:
        rows = await self._database.read(
            partial(
                store.window,
                within=within,
                limit=_WINDOW,
                offset=merging.offset,
                cold=merging.cold_first,
                without=without,
            )
        )
        found: dict[int, Entity] = {}
        for start in range(0, len(rows), _READ_AT_ONCE):
            some = rows[start : start + _READ_AT_ONCE]
            found |= await self._database.read(partial(entity_store.by_row_ids, row_ids=some))
        return [found[row_id] for row_id in rows if row_id in found]

    async def _merge(self, wanted: Observation, merging: Merging) -> None:
        """Store an observation with links to its sources, and archive these if asked to."""
        chosen = [source.id for source in _to_archive(wanted, merging)]

        def attach(tx: Writer, remembered: Remembered) -> None:
            if remembered.action != CREATED:
                # Somebody else has merged them meanwhile.
                return
            holder = entity_store.by_id(tx, remembered.id)
            assert holder is not None
            now = self._clock()
            ids = [source.id for source in wanted.sources]
            made = [Link(id, _EVIDENCE, 1.0, "", now) for id in ids]
            links.replace(tx, holder.row_id, made)
            entity_store.append_change(tx, holder.row_id, holder.id, "link")
            store.set_freshness(tx, holder.id, wanted.freshness)
            found = entity_store.by_ids(tx, sorted(chosen)).values()
            # Changed meanwhile, it may say something else.
            going = [one for one in found if not (one.archived or is_protected(standing(one)))]
            archived = [source.id for source in going]
            said = {"source": _SOURCE, "source_ids": ids, "archived": archived}
            # What is undone with an entry names it.
            part_of = self._note(tx, "consolidate", holder, said)
            for source in going:
                reason = f"consolidated into {holder.id}"
                self._fading.retire_one(tx, source, reason, _SOURCE, part_of=part_of)

        await self._memories.remember(_draft(wanted), attach)

    async def _alike(
        self, within: Within, most: int, without: Collection[int], alike: Alike = alike
    ) -> _Wanted:
        """Links to make between memories that are alike, at most so many, the most alike first."""

        def candidates(reader: Reader) -> tuple[list[Entity], set[tuple[int, int]], int]:
            after = store.mark(reader, _LINK_MARK)
            rows = store.next_live(reader, within, after, _LINK_WINDOW, without)
            if not rows and after:
                rows = store.next_live(reader, within, 0, _LINK_WINDOW, without)
            upto = rows[len(rows) // 2] if len(rows) == _LINK_WINDOW else 0
            found = entity_store.by_row_ids(reader, rows)
            linked = store.linked_rows(reader, rows)
            return [found[row] for row in rows if found[row].tags], linked, upto

        if not most:
            return _Wanted([], await self._database.read(partial(store.mark, name=_LINK_MARK)))
        tagged, linked, upto = await self._database.read(candidates)
        found = await asyncio.to_thread(_to_link, tagged, linked, alike)
        if len(found) > most:
            # There is more to do here: the next search begins at the same place.
            upto = await self._database.read(partial(store.mark, name=_LINK_MARK))
        return _Wanted(found[:most], upto)

    async def _link(self, wanted: _Wanted) -> None:
        def work(tx: Writer, some: Sequence[LinkMade]) -> None:
            ids = {end for made in some for end in (made.source, made.target)}
            found = entity_store.by_ids(tx, sorted(ids))
            for made in some:
                source, target = found.get(made.source), found.get(made.target)
                if source is None or target is None or source.archived or target.archived:
                    continue
                if not links.between(tx, source.row_id, target.id):
                    link = Link(target.id, RELATED, made.similarity, "", self._clock())
                    links.insert(tx, [(source.row_id, link)])
                    entity_store.append_change(tx, source.row_id, source.id, "link")
                    self._note(tx, "link", source, links.told(_LINKING, None, link))

        for start in range(0, len(wanted.links), _LINKED_AT_ONCE):
            some = wanted.links[start : start + _LINKED_AT_ONCE]
            await self._database.write_slice(partial(work, some=some))
        if await self._database.read(partial(store.mark, name=_LINK_MARK)) != wanted.upto:
            await self._database.write(partial(store.set_mark, name=_LINK_MARK, value=wanted.upto))

    def _note(self, tx: Writer, what: str, entity: Entity, acted: object) -> str:
        return self._journal.append(tx, audit(what, entity, acted)).id


def _to_merge(window: Sequence[Entity], threshold: float, alike: Alike) -> list[Observation]:
    """The clusters of a window, each within a workspace, by their first member in it."""
    by_workspace: dict[str, list[int]] = defaultdict(list)
    for place, memory in enumerate(window):
        by_workspace[memory.workspace_hash].append(place)
    found = []
    for places in by_workspace.values():
        texts = [text_of(window[place]) for place in places]
        joined = clusters(alike(Texts(texts, threshold)))
        found += [[places[member] for member in cluster] for cluster in joined]
    return [observation([window[place] for place in cluster]) for cluster in sorted(found)]


def _to_link(
    tagged: Sequence[Entity], linked: set[tuple[int, int]], alike: Alike
) -> list[LinkMade]:
    """Memories of one category and workspace that are alike and not linked, most alike first."""
    groups: dict[tuple[str, str], list[Entity]] = defaultdict(list)
    for memory in tagged:
        groups[memory.workspace_hash, memory.category].append(memory)
    found = []
    for group in groups.values():
        texts = [text_of(memory) for memory in group]
        for first, second, similarity in alike(Texts(texts, _RELATED_FROM)):
            source, target = sorted((group[first], group[second]), key=lambda memory: memory.id)
            rows = (source.row_id, target.row_id)
            if rows not in linked and rows[::-1] not in linked:
                found.append(LinkMade(source.id, target.id, round(similarity, 4)))
    return sorted(found, key=lambda made: (-made.similarity, made.source, made.target))


def _to_archive(wanted: Observation, merging: Merging) -> list[Entity]:
    if not merging.archive_sources:
        return []
    return [
        source
        for source in wanted.sources
        if not is_protected(standing(source))
        and (not merging.careful or says_no_more(source, wanted.best))
    ]


def _identity(wanted: Observation) -> Identity:
    return Identity(OBSERVATION, wanted.key, wanted.best.workspace_hash)


def _draft(wanted: Observation) -> Draft:
    return Draft(
        _identity(wanted),
        wanted.body_json,
        type="insight",
        tags=("consolidated",),
        layer="working",
        certainty=wanted.certainty,
        source=_SOURCE,
        # What is derived is trusted no more than the least trusted source.
        trust=min(source.trust for source in wanted.sources),
        entity_id=wanted.entity_id,
    )
