"""Linking memories, and walking over the links."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from mimir_py.entities import Draft, Entity, Link
from mimir_py.entities import links as link_rows
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.reinforcement import reinforce
from mimir_py.errors import NotFound
from mimir_py.graph import pagerank, store, walk
from mimir_py.graph.models import (
    Direction,
    Edge,
    Linked,
    Path,
    Reached,
    Related,
    Step,
    Traversal,
    View,
)
from mimir_py.journal import Journal
from mimir_py.limits import Limits, check_name
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock

DEFAULT_RELATIONSHIP: Final = "related"
DEFAULT_WEIGHT: Final = 0.5
# Links read for one step of a walk; what a hub has beyond them is left out, and that is said.
_MOST_EDGES: Final = 20_000
_PATH_NODES: Final = 50_000
_AROUND_DEPTH: Final = 4
_AROUND_NODES: Final = 2_000
_ENDS_EACH: Final = 50

Workspaces = tuple[str, ...] | None


class Graph:
    """The room's door to links."""

    def __init__(self, database: Database, journal: Journal, limits: Limits, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._limits = limits
        self._clock = clock

    async def link(
        self,
        category: str,
        key: str,
        to_id: str,
        relationship: str,
        *,
        weight: float | None,
        note: str | None,
        workspaces: Workspaces,
    ) -> Linked:
        """Link the live memory of a name to another one; both durable and found from either end.

        The same link again takes a weight and a note that are given, and keeps others.

        Raises:
            InvalidInput: a word is over the limit of a name.
            NotFound: one of the two is not live, or of a workspace that may not be seen.
        """
        relationship = relationship or DEFAULT_RELATIONSHIP
        for field, value in (("relationship", relationship), ("note", note or "")):
            check_name(field, value, self._limits.name_bytes)

        def work(tx: Writer) -> Linked:
            source = _source(tx, category, key, workspaces)
            target = _live(tx, to_id, workspaces)
            if target is None:
                raise NotFound(f"Target entity not found: {to_id}")
            held = link_rows.between(tx, source.row_id, to_id)
            same = {link_id: o for link_id, o in held.items() if o.relationship == relationship}
            for link_id, stored in same.items():
                link = replace(
                    stored,
                    weight=stored.weight if weight is None else weight,
                    note=stored.note if note is None else note,
                )
                if link != stored:
                    link_rows.update(tx, link_id, link)
                    self._touch(tx, source)
                    self._note(tx, "link", source, stored, link)
                return Linked(source, target, link, is_new=False)
            link = Link(
                to_id,
                relationship,
                DEFAULT_WEIGHT if weight is None else weight,
                note or "",
                self._clock(),
            )
            link_rows.insert(tx, [(source.row_id, link)])
            self._touch(tx, source)
            self._note(tx, "link", source, None, link)
            return Linked(source, target, link, is_new=True)

        return await self._database.write(work)

    async def unlink(
        self,
        category: str,
        key: str,
        to_id: str,
        relationship: str | None,
        workspaces: Workspaces,
    ) -> int:
        """Take out the links between two memories, of one kind or of any; how many there were.

        Raises:
            NotFound: no live memory has that name.
        """

        def work(tx: Writer) -> int:
            source = _source(tx, category, key, workspaces)
            held = link_rows.between(tx, source.row_id, to_id)
            gone = {n: o for n, o in held.items() if relationship in (None, o.relationship)}
            for link_id, link in gone.items():
                link_rows.delete(tx, link_id)
                self._note(tx, "unlink", source, link, None)
            if gone:
                self._touch(tx, source)
            return len(gone)

        return await self._database.write(work)

    async def traverse(
        self, category: str, key: str, view: View, max_depth: int, max_nodes: int
    ) -> Traversal:
        """The memories around one, nearest first, each once.

        Raises:
            NotFound: no live memory has that name.
        """

        def work(reader: Reader) -> Traversal:
            found = entity_store.named(reader, category, key, view.workspaces)
            if not found:
                raise NotFound(f"entity not found: {category}/{key}")
            root = found[0].row_id
            walked = walk.breadth_first(
                [root], partial(_expand, reader, view), max_depth, max_nodes
            )
            reached = _reached(reader, walked.steps)
            rows = [root, *(step.row_id for step in walked.steps)]
            ends = store.ends(reader, rows, view, _ENDS_EACH * len(rows))
            return Traversal(store.nodes(reader, [root])[root], reached, ends, walked.is_whole)

        return await self._database.read(work)

    async def path(self, from_id: str, to_id: str, view: View, max_depth: int) -> Path:
        """The shortest way from one memory to another over at most `max_depth` links.

        Raises:
            NotFound: one of the two is not live, or of a workspace that may not be seen.
        """

        def work(reader: Reader) -> Path:
            start = _required(reader, from_id, view.workspaces)
            goal = _required(reader, to_id, view.workspaces)
            back = replace(view, direction=view.direction.reverse)
            edges, is_whole = walk.shortest_path(
                start.row_id,
                goal.row_id,
                partial(_expand, reader, view),
                partial(_expand, reader, back),
                max_depth=max_depth,
                max_nodes=_PATH_NODES,
            )
            steps = [Step(e.far, depth, e) for depth, e in enumerate(edges or (), start=1)]
            reached = _reached(reader, steps)
            first = store.nodes(reader, [start.row_id])[start.row_id]
            return Path(first, reached, edges is not None, is_whole)

        return await self._database.read(work)

    async def related(self, ids: Sequence[str], view: View, limit: int) -> list[Related]:
        """The memories that walks from some others come by most, over links either way.

        Looked at are the 2,000 memories nearest to the seeds, up to four links away.

        Raises:
            NotFound: a seed is not live, or of a workspace that may not be seen.
        """
        view = replace(view, direction=Direction.BOTH)

        def work(reader: Reader) -> list[Related]:
            seeds = [_required(reader, entity_id, view.workspaces).row_id for entity_id in ids]
            seeds = list(dict.fromkeys(seeds))
            shares = pagerank.shares(around(reader, seeds, view), seeds)
            best = sorted(set(shares).difference(seeds), key=lambda row: (-shares[row], row))
            nodes = store.nodes(reader, best[:limit])
            return [Related(nodes[row_id], shares[row_id]) for row_id in best[:limit]]

        return await self._database.read(work)

    def _note(
        self, tx: Writer, what: str, source: Entity, before: Link | None, after: Link | None
    ) -> None:
        self._journal.append(tx, audit(what, source, link_rows.told(Draft.source, before, after)))

    def _touch(self, tx: Writer, source: Entity) -> None:
        reinforce(tx, [(source.row_id, 0, self._clock())], 0.0)
        entity_store.append_change(tx, source.row_id, source.id, "link")


def around(reader: Reader, seeds: Sequence[int], view: View) -> list[Edge]:
    """The links between the memories nearest to the seeds."""
    walked = walk.breadth_first(seeds, partial(_expand, reader, view), _AROUND_DEPTH, _AROUND_NODES)
    near = {*seeds, *(step.row_id for step in walked.steps)}
    outward = replace(view, direction=Direction.OUT)
    edges, _ = store.edges(reader, sorted(near), outward, _MOST_EDGES)
    return [edge for edge in edges if edge.far in near]


def _expand(reader: Reader, view: View, row_ids: Sequence[int]) -> tuple[list[Edge], bool]:
    return store.edges(reader, row_ids, view, _MOST_EDGES)


def _reached(reader: Reader, steps: Sequence[Step]) -> list[Reached]:
    rows = {row_id for step in steps for row_id in (step.row_id, step.edge.near)}
    nodes = store.nodes(reader, sorted(rows))
    links = store.links(reader, [step.edge.link_id for step in steps])
    return [
        Reached(
            nodes[step.row_id],
            step.depth,
            links[step.edge.link_id],
            step.edge.is_forward,
            nodes[step.edge.near].id,
        )
        for step in steps
    ]


def _source(reader: Reader, category: str, key: str, workspaces: Workspaces) -> Entity:
    found = entity_store.named(reader, category, key, workspaces)
    if not found:
        raise NotFound(f"Source entity not found: {category}/{key}")
    return found[0]


def _live(reader: Reader, entity_id: str, workspaces: Workspaces) -> Entity | None:
    entity = entity_store.by_id(reader, entity_id)
    if entity is None or entity.archived:
        return None
    return entity if workspaces is None or entity.workspace_hash in workspaces else None


def _required(reader: Reader, entity_id: str, workspaces: Workspaces) -> Entity:
    entity = _live(reader, entity_id, workspaces)
    if entity is None:
        raise NotFound(f"Entity not found: {entity_id}")
    return entity
