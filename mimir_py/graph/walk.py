"""Walking over links: pure rules, given a function that tells the links of some memories.

A walk goes level by level, so a memory is come to after as few links as possible, and once: cycles
end by themselves. Within a level the strongest links come first; limits keep out the weakest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from mimir_py.graph.models import Edge, Step, Walk

# The links of some rows, and whether those are all.
Expand = Callable[[Sequence[int]], tuple[list[Edge], bool]]

# A path's links together weigh less than one link more would.
_WEIGHT_SHARE: Final = 1e-3


def breadth_first(starts: Sequence[int], expand: Expand, max_depth: int, max_nodes: int) -> Walk:
    """The memories within `max_depth` links of the starts, the starts left out."""
    seen = set(starts)
    level = list(starts)
    steps: list[Step] = []
    is_whole = True
    for depth in range(1, max_depth + 1):
        edges, are_all = expand(level)
        is_whole = is_whole and are_all
        place = {row_id: number for number, row_id in enumerate(level)}
        level = []
        for edge in sorted(edges, key=lambda e: (-e.weight, place[e.near], e.link_id)):
            if edge.far in seen:
                continue
            if len(steps) == max_nodes:
                return Walk(steps, is_whole=False)
            seen.add(edge.far)
            level.append(edge.far)
            steps.append(Step(edge.far, depth, edge))
        if not level:
            break
    return Walk(steps, is_whole)


@dataclass
class _Side:
    """One end of a search for a path: how far it is to what it has seen."""

    expand: Expand
    level: list[int]
    seen: set[int] = field(default_factory=set)


def shortest_path(
    start: int, goal: int, ahead: Expand, back: Expand, *, max_depth: int, max_nodes: int
) -> tuple[list[Edge] | None, bool]:
    """The links of a shortest path, of several such the one of the strongest links.

    `ahead` tells the links that may be followed from a memory, `back` those that lead to it. `None`
    stands for no path. The second value tells whether the search met no limit.
    """
    if start == goal:
        return [], True
    sides = (_Side(ahead, [start], {start}), _Side(back, [goal], {goal}))
    travelled: list[Edge] = []
    is_whole = True
    for _ in range(max_depth):
        # From the side with fewer memories to look at.
        side, other = sorted(sides, key=lambda s: len(s.level))
        edges, are_all = side.expand(side.level)
        is_whole = is_whole and are_all
        is_ahead = side is sides[0]
        travelled += edges if is_ahead else [_turned(edge) for edge in edges]
        side.level = list(dict.fromkeys(e.far for e in edges if e.far not in side.seen))
        side.seen.update(side.level)
        if not other.seen.isdisjoint(side.level):
            return _strongest(travelled, start, goal), is_whole
        if not side.level:
            return None, is_whole
        if len(side.seen) + len(other.seen) > max_nodes:
            return None, False
    return None, False


def _turned(edge: Edge) -> Edge:
    return Edge(edge.link_id, edge.far, edge.near, edge.weight, not edge.is_forward)


def _strongest(travelled: Sequence[Edge], start: int, goal: int) -> list[Edge]:
    """The best of the shortest paths, all of which are made of the links travelled."""
    import rustworkx

    best: dict[tuple[int, int], Edge] = {}
    for edge in sorted(travelled, key=lambda e: (-e.weight, e.link_id)):
        best.setdefault((edge.near, edge.far), edge)
    rows = sorted({row_id for pair in best for row_id in pair})
    place = {row_id: number for number, row_id in enumerate(rows)}
    graph: rustworkx.PyDiGraph[int, float] = rustworkx.PyDiGraph(multigraph=False)
    graph.add_nodes_from(rows)
    graph.add_edges_from(
        [
            (place[near], place[far], 1 + _WEIGHT_SHARE * (1 - edge.weight))
            for (near, far), edge in sorted(best.items())
        ]
    )
    paths = rustworkx.dijkstra_shortest_paths(graph, place[start], place[goal], weight_fn=float)
    nodes = [rows[number] for number in paths[place[goal]]]
    return [best[pair] for pair in pairwise(nodes)]
