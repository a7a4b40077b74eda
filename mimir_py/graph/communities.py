"""Finding communities, telling what they are about, and answering from them.

Searching a large graph takes seconds. It reads slice by slice, and computes in a process of its
own, so that other calls are answered meanwhile.
"""

import asyncio
import contextlib
import hashlib
import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from mimir_py.aside import Aside
from mimir_py.entities import Draft, Entity, Identity, Link, Memories
from mimir_py.entities import links as link_rows
from mimir_py.entities import store as entity_store
from mimir_py.errors import InvalidInput, NotFound
from mimir_py.graph import store, summaries
from mimir_py.graph.answers import escaped, snippet
from mimir_py.graph.clusters import Algorithm, Found, Links, Wanted, find
from mimir_py.graph.models import Telling
from mimir_py.graph.store import SUMMARY_CATEGORY, Community
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock

MIN_SIZE: Final = 2
# So few that a recall hardly waits for them.
_LINK_SLICE: Final = 1_000
_ENTITY_SLICE: Final = 100
_FACT_SLICE: Final = 1_000
_EVIDENCE: Final = 20
_EVIDENCE_WEIGHT: Final = 0.5
# Up to here a search is quick enough to be made anew before an answer.
_QUICK_LINKS: Final = 20_000
_MOST_SCORED: Final = 500
_STALE_REASON: Final = "its community is no more"
_DIGITS: Final = 6

# Of memories: how often used, since when they say what they say, whether archived.
Facts = dict[str, tuple[int, int, bool]]


@dataclass(frozen=True)
class Detection:
    """What a search found, largest community first. Modularity is that of the whole partition."""

    workspace: str
    algorithm: Algorithm
    node_count: int
    edge_count: int
    modularity: float
    communities: Sequence[Community]
    stale_summaries_archived: int
    generated_at_unix_ms: int


@dataclass(frozen=True)
class Summarised:
    """A community's summary and the memory that holds it; `cached` if that was there already."""

    community: Community
    summary: str
    summary_entity_id: str
    cached: bool


@dataclass(frozen=True)
class Matched:
    """A community that answers, with its members that do, best first; `score` counts terms."""

    community: Community
    score: float
    members: Sequence[tuple[Entity, float]]


@dataclass(frozen=True)
class GlobalAnswer:
    """What communities say to a query; `is_stale` if links have changed since they were found."""

    considered: int
    matched: Sequence[Matched]
    answer: str
    is_stale: bool


class Communities:
    """The room's door to communities."""

    def __init__(self, database: Database, memories: Memories, clock: Clock) -> None:
        self._database = database
        self._memories = memories
        self._clock = clock

    async def detect(
        self, workspace: str, algorithm: Algorithm = Algorithm.LABEL_PROP, min_size: int = MIN_SIZE
    ) -> Detection:
        """Find the communities of a workspace and keep them in place of those found before.

        A community of the same members keeps its summary; summaries of others are archived.
        """
        seen, last, count = await self._database.read(
            lambda reader: (
                store.last_change(reader),
                store.last_link(reader),
                store.count_live(reader, workspace),
            )
        )
        with contextlib.closing(Aside(find, 1, patient=True)) as apart:
            if last > _QUICK_LINKS:
                apart.start()
            links = await self._links(workspace, last)
            graph, facts = await asyncio.gather(
                asyncio.to_thread(apart, Wanted(links, algorithm, min_size)),
                self._facts(links.ids),
            )
        modularity = round(graph.parts.modularity, _DIGITS)
        now = self._clock()
        found = [
            Community(
                name,
                workspace,
                ids,
                digest,
                summary,
                "",
                algorithm,
                modularity,
                len(ids),
                now,
                seen,
            )
            for name, ids, digest, summary in await self._described(graph, facts)
        ]
        archived = await self._database.write(partial(self._keep, workspace, found))
        return Detection(
            workspace,
            algorithm,
            count,
            graph.edge_count,
            modularity,
            found,
            archived,
            now,
        )

    async def summarise(
        self, wanted: str, workspaces: tuple[str, ...] | None, *, refresh: bool
    ) -> Summarised:
        """The summary of a community, held by a memory that is linked to the ones it is about.

        It is made anew when its memories have changed.

        Raises:
            NotFound: there is no such community in these workspaces.
        """
        community = await self._database.read(lambda reader: store.community(reader, wanted))
        if community is None or (
            workspaces is not None and community.workspace_hash not in workspaces
        ):
            raise NotFound(f"Community not found: {wanted}. Run mimir_communities first")
        digest, members = await self._database.read(
            partial(_central, community=community, most=_EVIDENCE)
        )
        summary = summaries.summary(members[: summaries.LISTED], community.member_count)
        held = community.summary_entity_id
        if held and not refresh and digest == community.member_digest and await self._is_live(held):
            return Summarised(community, community.summary, held, cached=True)
        body = {
            "summary": summary,
            "community_id": community.id,
            "source_ids": [member.id for member in members],
        }
        remembered = await self._memories.remember(
            Draft(
                Identity(SUMMARY_CATEGORY, community.id, community.workspace_hash),
                json.dumps(body, ensure_ascii=False),
                tags=("derivation:community_summary", "graphrag"),
                source="graphrag",
            )
        )

        def keep(tx: Writer) -> None:
            holder = entity_store.by_id(tx, remembered.id)
            if holder is None:
                return
            now = self._clock()
            evidence = [Link(m.id, "evidence_for", _EVIDENCE_WEIGHT, "", now) for m in members]
            link_rows.replace(tx, holder.row_id, evidence)
            entity_store.append_change(tx, holder.row_id, holder.id, "link")
            present = store.community(tx, community.id)
            if present is not None:
                store.update_community(
                    tx,
                    present.row_id,
                    summary=summary,
                    member_digest=digest,
                    summary_entity_id=holder.id,
                )

        await self._database.write(keep)
        return Summarised(community, summary, remembered.id, cached=False)

    async def recall(
        self, query: str, workspace: str, *, top: int, limit: int, auto_detect: bool
    ) -> GlobalAnswer:
        """What the communities of a workspace say to a query.

        With `auto_detect` they are looked for first if there are none, or if links have changed
        and the graph is small.

        Raises:
            InvalidInput: the query has no word to search for.
        """
        terms = summaries.terms(query)
        if not terms:
            raise InvalidInput("query", "Query has no searchable terms")
        found, is_stale, is_small = await self._database.read(partial(_known, workspace=workspace))
        if auto_detect and (not found or (is_stale and is_small)):
            await self.detect(workspace)
            found, is_stale, _ = await self._database.read(partial(_known, workspace=workspace))
        matched = await self._database.read(
            partial(_matching, found=found, terms=terms, top=max(1, top), limit=max(1, limit))
        )
        told = summaries.told(
            [
                (
                    match.community.id,
                    match.community.member_count,
                    match.community.summary,
                    [
                        escaped(f"{e.category}/{e.key}: {snippet(e.body_json)}")
                        for e, _ in match.members
                    ],
                )
                for match in matched
            ]
        )
        return GlobalAnswer(len(found), matched, told, is_stale)

    async def _links(self, workspace: str, last: int) -> Links:
        links = Links()
        for after in range(0, last, _LINK_SLICE):
            upto = min(last, after + _LINK_SLICE)
            links.add(
                await self._database.read(
                    partial(store.link_slice, workspace=workspace, after=after, last=upto)
                )
            )
        return links

    async def _is_live(self, entity_id: str) -> bool:
        entity = await self._database.read(lambda reader: entity_store.by_id(reader, entity_id))
        return entity is not None and not entity.archived

    async def _facts(self, linked: Sequence[str]) -> Facts:
        facts: Facts = {}
        for start in range(0, len(linked), _FACT_SLICE):
            ids = linked[start : start + _FACT_SLICE]
            facts |= await self._database.read(partial(store.facts, ids=ids))
        return facts

    async def _described(
        self, graph: Found, facts: Facts
    ) -> list[tuple[str, tuple[str, ...], str, str]]:
        """Of each community its id, its members, a digest of them, and what it is about."""
        communities = graph.parts.communities
        listed = await asyncio.to_thread(_listed, graph, facts)
        told: dict[str, Telling] = {}
        wanted = [entity_id for ids in listed for entity_id in ids]
        for start in range(0, len(wanted), _ENTITY_SLICE):
            ids = wanted[start : start + _ENTITY_SLICE]
            told |= await self._database.read(partial(store.telling, ids=ids))

        def describe() -> list[tuple[str, tuple[str, ...], str, str]]:
            described = []
            for name, nodes, central in zip(graph.names, communities, listed, strict=True):
                ids = tuple(graph.ids[node] for node in nodes)
                members = [told[entity_id] for entity_id in central if entity_id in told]
                text = summaries.summary(members, len(ids))
                described.append((name, ids, _digest(ids, facts), text))
            return described

        return await asyncio.to_thread(describe)

    def _keep(self, workspace: str, found: Sequence[Community], tx: Writer) -> int:
        """Store what was found; how many summaries of communities now gone were archived."""
        before = {one.id: one for one in store.communities(tx, workspace)}
        kept = []
        for one in found:
            held = before.pop(one.id, None)
            kept.append(one if held is None else _with_summary_of(one, held))
        store.replace_communities(tx, workspace, kept)
        archived = 0
        for gone in before.values():
            holder = entity_store.by_id(tx, gone.summary_entity_id)
            if holder is not None and not holder.archived:
                entity_store.archive(tx, holder, _STALE_REASON, self._clock())
                archived += 1
        return archived


def _listed(graph: Found, facts: Facts) -> list[list[str]]:
    """The most central members of each community: by weight of links, use, and id."""
    degrees = graph.degrees
    counts = [facts.get(entity_id, (0,))[0] for entity_id in graph.ids]
    return [
        [
            graph.ids[node]
            for node in heapq.nsmallest(
                summaries.LISTED, nodes, key=lambda n: (-degrees[n], -counts[n], n)
            )
        ]
        for nodes in graph.parts.communities
    ]


def _with_summary_of(found: Community, held: Community) -> Community:
    """What was found, with the memory that holds its summary.

    The digest stays that of the summary held, and so tells if it is out of date.
    """
    is_current = found.member_digest == held.member_digest
    return replace(
        found,
        summary=held.summary if is_current else found.summary,
        summary_entity_id=held.summary_entity_id,
        member_digest=held.member_digest if held.summary_entity_id else found.member_digest,
    )


def _central(reader: Reader, community: Community, most: int) -> tuple[str, list[Entity]]:
    """The digest of a community as it is now, and the most central of its live members."""
    ids = list(community.member_ids)
    facts = store.facts(reader, ids)
    degrees = store.degrees(reader, ids)
    live = [entity_id for entity_id in ids if entity_id in facts and not facts[entity_id][2]]
    live.sort(key=lambda i: (-degrees.get(i, 0.0), -facts[i][0], i))
    entities = entity_store.by_ids(reader, live[:most])
    # What changed on the disk is not told.
    return _digest(ids, facts), [e for i in live[:most] if (e := entities[i]).is_sound]


def _digest(ids: Sequence[str], facts: Facts) -> str:
    """Names the members with what they say: the same until one of them changes."""
    lines = [f"{entity_id} {facts.get(entity_id, (0, 0, True))[1:]}" for entity_id in ids]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _known(reader: Reader, workspace: str) -> tuple[list[Community], bool, bool]:
    """The communities of a workspace, whether they are out of date, and whether links are few."""
    found = store.communities(reader, workspace)
    is_stale = bool(found) and store.has_changed(reader, workspace, found[0].seen_change)
    return found, is_stale, store.last_link(reader) <= _QUICK_LINKS


def _matching(
    reader: Reader, found: Sequence[Community], terms: Sequence[str], top: int, limit: int
) -> list[Matched]:
    """The best communities with their best members, the places dealt out in turn."""
    scored = [(summaries.score(terms, f"{one.summary} {one.id}"), one) for one in found]
    best = [entry for entry in scored if entry[0] > 0]
    best.sort(key=lambda entry: (-entry[0], -entry[1].member_count, entry[1].id))
    ranked = []
    for total, one in best[:top]:
        _, members = _central(reader, one, _MOST_SCORED)
        rated = [(m, summaries.score(terms, f"{m.key} {m.body_json}")) for m in members]
        rated = sorted((r for r in rated if r[1] > 0), key=lambda r: -r[1])
        ranked.append((total, one, rated))
    shares = _dealt([len(rated) for *_, rated in ranked], limit)
    return [
        Matched(one, total, rated[:share])
        for (total, one, rated), share in zip(ranked, shares, strict=True)
    ]


def _dealt(wanted: Sequence[int], limit: int) -> list[int]:
    """How many each gets when `limit` are dealt out one at a time, in turn."""
    shares = [0] * len(wanted)
    while limit > 0 and any(share < most for share, most in zip(shares, wanted, strict=True)):
        for place, most in enumerate(wanted):
            if limit > 0 and shares[place] < most:
                shares[place] += 1
                limit -= 1
    return shares
