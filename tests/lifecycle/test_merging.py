"""The rules of merging, against the plain way of doing it."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from mimir_py.entities.similarity import trigram_similarity
from mimir_py.lifecycle.merging import Pair, clusters, similar_pairs

_texts = st.lists(st.text("abc d", min_size=3, max_size=14), max_size=9)


@given(_texts, st.sampled_from([0.0, 0.3, 0.5, 0.6, 1.0]))
def test_pairs_are_those_of_comparing_everything(texts, threshold):
    expected = [
        Pair(first, second, similarity)
        for first, second in combinations(range(len(texts)), 2)
        if (similarity := trigram_similarity(texts[first], texts[second])) >= threshold
        and similarity > 0
    ]

    assert similar_pairs(texts, threshold) == expected


def test_clusters_join_through_others_and_come_by_their_first_member():
    pairs = [Pair(4, 5, 1.0), Pair(1, 3, 1.0), Pair(0, 2, 1.0), Pair(3, 7, 1.0)]

    assert clusters(pairs) == [[0, 2], [1, 3, 7], [4, 5]]


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_clusters_are_what_pairs_connect(edges):
    pairs = [Pair(min(e), max(e), 1.0) for e in edges if e[0] != e[1]]

    found = clusters(pairs)

    homes = {place: number for number, cluster in enumerate(found) for place in cluster}
    assert all(homes[pair.first] == homes[pair.second] for pair in pairs)
    assert sum(len(cluster) for cluster in found) == len(homes)
    assert all(len(cluster) >= 2 for cluster in found)
