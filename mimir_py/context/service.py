"""Making context blocks and bringing memories up, without noting a use."""

from dataclasses import replace
from typing import Final

from mimir_py.context import rendering, store, triggers
from mimir_py.context.models import Block, Mode, Preparation, Wanted
from mimir_py.entities import Entity
from mimir_py.entities.sight import within_sight
from mimir_py.entities.store import by_row_ids
from mimir_py.recall import CONTEXT_MIN_RELEVANCE, Recall
from mimir_py.recall.models import Filter, Query
from mimir_py.security.fence import fenced
from mimir_py.security.trust import LEAST_UNASKED
from mimir_py.storage.database import Database, Reader
from mimir_py.storage.secret import store_secret

MOST_ALWAYS_ON: Final = 5
_ALWAYS_ON_READ: Final = 50


class Contexts:
    """The room's door."""

    def __init__(self, database: Database, recall: Recall) -> None:
        self._database = database
        self._recall = recall

    async def block(self, wanted: Wanted) -> Block:
        """A block for a prompt: what always belongs there, then what answers the query.

        Only what the user or the user's agent said comes unasked, fenced as data. The same
        memories and query give the same bytes.
        """
        always, warnings = await self._always_on(wanted)
        shown = {entity.id for entity in always} | wanted.excluded_ids
        relevant = [e for e in await self._relevant(wanted) if e.id not in shown][: wanted.limit]
        asked = bool(wanted.query.strip()) if wanted.mode is Mode.ON_DEMAND else None
        lines = [rendering.line_of(entity, always_on=True) for entity in always]
        count = len(lines) + len(relevant)
        body = rendering.markdown(
            lines,
            list(map(rendering.line_of, relevant)),
            warnings,
            asked=asked,
            footer=_footer(count, wanted),
        )
        secret = await store_secret(self._database)
        if wanted.budget and len(fenced(body, secret)) > wanted.budget:
            # The fence is as long whatever is in it.
            around = len(fenced(body, secret)) - len(body)
            body = rendering.cut(body, max(0, wanted.budget - around))
            warnings = [*warnings, f"cut to {wanted.budget} characters"]
        return Block(fenced(body, secret), count, tuple(warnings))

    async def prepare(self, wanted: Wanted, most_brought_up: int) -> Preparation:
        """What to tell an agent before it begins with the task that `wanted` asks about."""
        brought_up = await self.brought_up(wanted.query, most_brought_up, wanted.workspaces)
        shown = frozenset(entity.id for entity in brought_up)
        block = await self.block(replace(wanted, excluded_ids=wanted.excluded_ids | shown))
        parts = []
        if brought_up:
            section = rendering.proactive(brought_up)
            parts.append(fenced(section, await store_secret(self._database)))
        if block.injected:
            parts.append(block.markdown)
        return Preparation(tuple(brought_up), block, rendering.prepared(parts))

    async def brought_up(
        self, context: str, limit: int, workspaces: tuple[str, ...] | None
    ) -> list[Entity]:
        """Live memories whose `recall_when` fires in a text, the best fit first."""
        words = triggers.content_stems(context)
        if not words or limit <= 0:
            return []

        def find(reader: Reader) -> list[Entity]:
            fits = []
            for row_id, body_json in store.with_triggers(reader, workspaces):
                firing = triggers.best_firing(triggers.triggers_of(body_json), words)
                if firing is not None:
                    fits.append((firing, row_id))
            fits.sort(key=lambda fit: (-fit[0].share, not fit[0].is_phrase, -fit[1]))
            best = [row_id for _, row_id in fits[:limit]]
            entities = by_row_ids(reader, best)
            return within_sight(reader, [entities[row_id] for row_id in best], workspaces)

        return await self._database.read(find)

    async def _always_on(self, wanted: Wanted) -> tuple[list[Entity], list[str]]:
        filter = Filter(workspaces=wanted.workspaces, always_on=True, min_trust=LEAST_UNASKED)
        found = await self._recall.search(
            Query("", filter=filter, limit=_ALWAYS_ON_READ), note_use=False
        )
        entities = sorted(
            (hit.entity for hit in found.hits),
            key=lambda e: (-e.importance, e.category, e.key, e.id),
        )
        if wanted.mode is Mode.ALWAYS_INJECT or len(entities) <= MOST_ALWAYS_ON:
            return entities, []
        more = len(entities) - MOST_ALWAYS_ON
        warning = (
            f"{more} more memories are always_on than the {MOST_ALWAYS_ON} that are shown: "
            "keep the flag for the few that every task needs"
        )
        return entities[:MOST_ALWAYS_ON], [warning]

    async def _relevant(self, wanted: Wanted) -> list[Entity]:
        asked = wanted.query.strip()
        if wanted.mode is Mode.ON_DEMAND and not asked:
            return []
        found: dict[str, Entity] = {}
        if wanted.mode is Mode.ON_DEMAND:
            brought_up = await self.brought_up(asked, wanted.limit, wanted.workspaces)
            found |= {entity.id: entity for entity in brought_up}
        for category in wanted.categories or (None,):
            filter = Filter(
                category=category, workspaces=wanted.workspaces, min_trust=LEAST_UNASKED
            )
            query = Query(
                asked if wanted.mode is Mode.ON_DEMAND else "",
                filter=filter,
                min_relevance=CONTEXT_MIN_RELEVANCE,
                limit=wanted.limit + len(wanted.excluded_ids) + _ALWAYS_ON_READ,
            )
            hits = (await self._recall.search(query, note_use=False)).hits
            found |= {hit.entity.id: hit.entity for hit in hits if hit.entity.id not in found}
        return [
            entity
            for entity in found.values()
            if not wanted.categories or entity.category in wanted.categories
        ]


def _footer(count: int, wanted: Wanted) -> str:
    if wanted.mode is Mode.ALWAYS_INJECT:
        return f"> {count} entities recalled"
    return f"> {count} entities recalled (mode: on_demand, budget: {wanted.budget} chars)"
