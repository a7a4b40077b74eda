"""Communities: the contract's names and formulas, and what any partition must satisfy."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.graph.clusters import Algorithm, community_id, folded, modularity, partition

_LINKS = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"), st.sampled_from([0.0, 0.5, 1.0])
    ),
    max_size=30,
)


def _clique(names):
    return [(one, other, 0.5) for one, other in itertools.combinations(names, 2)]


def test_a_community_is_named_as_the_contract_names_it():
    ids = ["mem-bbbbbbbbbbbb", "mem-aaaaaaaaaaaa"]

    assert community_id(ids) == "com-57040d6e07a7f2df"
    assert community_id(ids[::-1]) == community_id(ids)
    assert community_id(["mem-a", "mem-b"]) != community_id(["mem-amem-", "b"])


@pytest.mark.parametrize("algorithm", Algorithm)
def test_cliques_on_a_string_are_communities(algorithm):
    graph = folded([*_clique("abcd"), *_clique("efgh"), *_clique("ijk"), ("d", "e", 0.1)])

    parts = partition(graph, algorithm, 2)

    assert ["".join(graph.ids[n] for n in nodes) for nodes in parts.communities] == [
        "abcd",
        "efgh",
        "ijk",
    ]
    assert parts.modularity > 0.5


def test_a_graph_is_folded_without_directions_loops_or_missing_weights():
    graph = folded([("b", "a", 0.5), ("a", "b", 0.25), ("a", "a", 1.0), ("c", "b", 0.0)])

    assert graph.ids == ["a", "b", "c"]
    assert graph.neighbours == [{1: 0.75}, {0: 0.75, 2: 0.5}, {1: 0.5}]
    assert graph.edge_count == 2


@pytest.mark.parametrize("size", [0, 1, 2])
def test_one_memory_is_no_community(size):
    graph = folded(_clique("ab"))

    assert [len(nodes) for nodes in partition(graph, Algorithm.LABEL_PROP, size).communities] == [2]
    assert partition(graph, Algorithm.LABEL_PROP, 3).communities == []


@pytest.mark.parametrize("algorithm", Algorithm)
def test_nothing_has_no_communities(algorithm):
    parts = partition(folded([]), algorithm, 2)

    assert (parts.communities, parts.modularity) == ([], 0.0)


@given(links=_LINKS, algorithm=st.sampled_from(Algorithm), data=st.data())
def test_the_order_of_links_decides_nothing(links, algorithm, data):
    shuffled = data.draw(st.permutations(links))

    assert partition(folded(links), algorithm, 2) == partition(folded(shuffled), algorithm, 2)


@given(links=_LINKS, labels=st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_modularity_is_newmans(links, labels):
    graph = folded(links)
    degrees = [sum(nearby.values()) for nearby in graph.neighbours]
    twice = sum(degrees)
    expected = 0.0
    for one, other in itertools.product(range(len(graph.ids)), repeat=2):
        if labels[one] == labels[other] and twice:
            own = graph.neighbours[one].get(other, 0.0)
            expected += (own - degrees[one] * degrees[other] / twice) / twice

    assert modularity(graph, labels) == pytest.approx(expected)


@given(links=_LINKS)
def test_labels_are_those_of_full_passes(links):
    """Nodes around which nothing changed are passed over; that must decide nothing."""
    graph = folded(links)

    parts = partition(graph, Algorithm.LABEL_PROP, 2)

    members: dict[int, list[int]] = {}
    for node, label in enumerate(_labels_by_full_passes(graph)):
        members.setdefault(label, []).append(node)
    kept = [nodes for nodes in members.values() if len(nodes) > 1]
    assert sorted(parts.communities) == sorted(kept)


def _labels_by_full_passes(graph):
    labels = list(range(len(graph.ids)))
    for _ in range(50):
        before = list(labels)
        for node, nearby in enumerate(graph.neighbours):
            sums: dict[int, float] = {}
            for other, weight in nearby.items():
                common = len(set(nearby) & set(graph.neighbours[other]))
                sums[labels[other]] = sums.get(labels[other], 0.0) + weight * (1 + common)
            labels[node] = min(sums, key=lambda label: (-sums[label], label))
        if labels == before:
            break
    return labels


@given(links=_LINKS)
def test_moves_only_gain_modularity(links):
    graph = folded(links)

    parts = partition(graph, Algorithm.LOUVAIN, 2)

    assert parts.modularity >= modularity(graph, range(len(graph.ids))) - 1e-9
