"""Communities: parts of a graph whose memories are linked more with each other than with the rest.

Pure and deterministic. Formulas and identifiers are those of the compatibility contract.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from mimir_py.graph.pagerank import LEAST_WEIGHT

_MOST_PASSES: Final = 50
_LEAST_GAIN: Final = 1e-12
_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3
_SEPARATOR: Final = b"\x1f"


class Algorithm(StrEnum):
    """How the parts are found: labels taken over from neighbours, or gain of modularity."""

    LABEL_PROP = "label_prop"
    LOUVAIN = "louvain"


@dataclass(frozen=True)
class Folded:
    """An undirected graph: nodes in the order of their ids, neighbours with summed weights."""

    ids: Sequence[str]
    neighbours: Sequence[Mapping[int, float]]

    @property
    def edge_count(self) -> int:
        return sum(map(len, self.neighbours)) // 2


@dataclass(frozen=True)
class Partition:
    """Communities, largest first; each the numbers of its nodes, ascending."""

    communities: Sequence[Sequence[int]]
    modularity: float


def folded(edges: Iterable[tuple[str, str, float]]) -> Folded:
    """A graph of links (source id, target id, weight), their directions left out.

    A weight of 0 counts as the usual one; a link of a memory to itself does not count.
    """
    pairs = [edge for edge in edges if edge[0] != edge[1]]
    ids = sorted({entity_id for source, target, _ in pairs for entity_id in (source, target)})
    place = {entity_id: number for number, entity_id in enumerate(ids)}
    neighbours: list[dict[int, float]] = [{} for _ in ids]
    for source, target, weight in pairs:
        one, other = place[source], place[target]
        summed = neighbours[one].get(other, 0.0) + (weight if weight > 0 else LEAST_WEIGHT)
        neighbours[one][other] = neighbours[other][one] = summed
    return Folded(ids, neighbours)


class Links:
    """Links as they are read, packed: a great many reach another process in no time."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._ends = array("i")
        self._weights = array("d")

    def add(self, links: Iterable[tuple[str, str, float]]) -> None:
        """Take in links as (source id, target id, weight)."""
        numbers = self._numbers
        for source, target, weight in links:
            self._ends.append(numbers.setdefault(source, len(numbers)))
            self._ends.append(numbers.setdefault(target, len(numbers)))
            self._weights.append(weight)

    @property
    def ids(self) -> Sequence[str]:
        """All that are linked."""
        return list(self._numbers)

    def __iter__(self) -> Iterator[tuple[str, str, float]]:
        ids = self.ids
        ends = iter(self._ends)
        for source, target, weight in zip(ends, ends, self._weights, strict=True):
            yield ids[source], ids[target], weight


class Wanted(NamedTuple):
    """What to look for in which links; communities have at least `min_size` members."""

    links: Links
    algorithm: Algorithm
    min_size: int


class Found(NamedTuple):
    """The ids of all linked memories in order, by number their weight of links, and the parts.

    Of each community, in the order of `parts`, there is its name.
    """

    ids: Sequence[str]
    degrees: Sequence[float]
    edge_count: int
    parts: Partition
    names: Sequence[str]


def find(wanted: Wanted) -> Found:
    """The communities of a graph of links."""
    graph = folded(wanted.links)
    parts = partition(graph, wanted.algorithm, wanted.min_size)
    names = [community_id([graph.ids[node] for node in nodes]) for nodes in parts.communities]
    return Found(graph.ids, _degrees(graph), graph.edge_count, parts, names)


def partition(graph: Folded, algorithm: Algorithm, min_size: int) -> Partition:
    """The communities of at least `min_size` memories (2 at least), and how well all parts part.

    Modularity is Newman's, of the whole partition, -0.5..1.
    """
    find = _label_prop if algorithm is Algorithm.LABEL_PROP else _louvain
    labels = find(graph)
    members: dict[int, list[int]] = {}
    for node, label in enumerate(labels):
        members.setdefault(label, []).append(node)
    least = max(2, min_size)
    kept = [nodes for nodes in members.values() if len(nodes) >= least]
    kept.sort(key=lambda nodes: (-len(nodes), nodes[0]))
    return Partition(kept, modularity(graph, labels))


def modularity(graph: Folded, labels: Sequence[int]) -> float:
    """Newman's Q of a partition; 0 for a graph without edges."""
    degrees = _degrees(graph)
    total = sum(degrees) / 2
    if not total:
        return 0.0
    inside: dict[int, float] = {}
    ends: dict[int, float] = {}
    for node, nearby in enumerate(graph.neighbours):
        label = labels[node]
        ends[label] = ends.get(label, 0.0) + degrees[node]
        own = sum(weight for other, weight in nearby.items() if labels[other] == label)
        inside[label] = inside.get(label, 0.0) + own / 2
    return sum(inside[label] / total - (ends[label] / (2 * total)) ** 2 for label in ends)


def community_id(member_ids: Sequence[str]) -> str:
    """The name of a community: the same for the same members."""
    digest = _FNV_OFFSET
    for entity_id in sorted(member_ids):
        for byte in entity_id.encode() + _SEPARATOR:
            digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"com-{digest:016x}"


def _label_prop(graph: Folded) -> list[int]:
    """Each node takes the label that weighs most around it; ties go to the smallest.

    A link weighs more by every neighbour that its ends share. A node is looked at again only when a
    label around it has changed: otherwise it would decide the same.
    """
    weighed = _weighed(graph)
    labels = list(range(len(weighed)))
    waiting = bytearray(b"\x01" * len(weighed))
    for _ in range(_MOST_PASSES):
        changed = False
        for node, nearby in enumerate(weighed):
            if not waiting[node]:
                continue
            waiting[node] = 0
            sums: dict[int, float] = {}
            for other, weight in nearby:
                label = labels[other]
                sums[label] = sums.get(label, 0.0) + weight
            most = max(sums.values())
            label = min([label for label, total in sums.items() if total == most])
            if label != labels[node]:
                labels[node] = label
                changed = True
                for other, _ in nearby:
                    waiting[other] = 1
        if not changed:
            break
    return labels


def _weighed(graph: Folded) -> list[list[tuple[int, float]]]:
    """Each node's neighbours, in order, with how much the link weighs."""
    around = [set(nearby) for nearby in graph.neighbours]
    weighed = [dict(nearby) for nearby in graph.neighbours]
    for node, nearby in enumerate(graph.neighbours):
        shares_none = around[node].isdisjoint
        for other, weight in nearby.items():
            if other > node and not shares_none(around[other]):
                weighs = weight * (1 + len(around[node] & around[other]))
                weighed[node][other] = weighed[other][node] = weighs
    return [list(nearby.items()) for nearby in weighed]


def _louvain(graph: Folded) -> list[int]:
    """One level of local moves, each to where modularity gains most; ties go to the smallest."""
    degrees = _degrees(graph)
    total = sum(degrees) / 2
    labels = list(range(len(degrees)))
    ends = list(degrees)
    for _ in range(_MOST_PASSES):
        changed = False
        for node, nearby in enumerate(graph.neighbours):
            own, degree = labels[node], degrees[node]
            weights: dict[int, float] = {}
            for other, weight in nearby.items():
                label = labels[other]
                weights[label] = weights.get(label, 0.0) + weight
            here, ends_here = weights.get(own, 0.0), ends[own] - degree
            share = degree / (2 * total * total)
            best, best_gain = own, _LEAST_GAIN
            for label in sorted(weights):
                if label == own:
                    continue
                gain = (weights[label] - here) / total - share * (ends[label] - ends_here)
                if gain > best_gain:
                    best, best_gain = label, gain
            if best != own:
                labels[node] = best
                ends[own] -= degree
                ends[best] += degree
                changed = True
        if not changed:
            break
    return labels


def _degrees(graph: Folded) -> list[float]:
    return [sum(nearby.values()) for nearby in graph.neighbours]
