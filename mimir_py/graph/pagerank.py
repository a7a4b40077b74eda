"""Personalised PageRank: how much the walks that begin at some memories come by each other one."""

from collections.abc import Iterable, Sequence
from typing import Final

from mimir_py.graph.models import Edge

# A walk goes on with this chance, and else begins anew at a seed.
_DAMPING: Final = 0.85
_TOLERANCE: Final = 1e-9
_MOST_ROUNDS: Final = 500
# What a link counts that was given no weight.
LEAST_WEIGHT: Final = 0.5


def shares(edges: Iterable[Edge], seeds: Sequence[int]) -> dict[int, float]:
    """The share of each memory, the seeds included; together 1. Links are followed either way."""
    import rustworkx

    weights: dict[tuple[int, int], float] = {}
    for edge in {edge.link_id: edge for edge in edges}.values():
        weight = edge.weight or LEAST_WEIGHT
        for pair in {(edge.near, edge.far), (edge.far, edge.near)}:
            weights[pair] = weights.get(pair, 0.0) + weight
    rows = sorted({*seeds, *(row_id for pair in weights for row_id in pair)})
    place = {row_id: number for number, row_id in enumerate(rows)}
    graph: rustworkx.PyDiGraph[int, float] = rustworkx.PyDiGraph(multigraph=False)
    graph.add_nodes_from(rows)
    graph.add_edges_from([(place[a], place[b], w) for (a, b), w in sorted(weights.items())])
    begin = {place[row_id]: 1 / len(seeds) for row_id in seeds}
    found = rustworkx.pagerank(
        graph,
        alpha=_DAMPING,
        weight_fn=float,
        personalization=begin,
        dangling=begin,
        tol=_TOLERANCE,
        max_iter=_MOST_ROUNDS,
    )
    return {row_id: found[number] for row_id, number in place.items()}
