"""Walks over links equal those of a model that knows nothing but the list of links."""

from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.errors import NotFound
from mimir_py.graph.models import Edge
from mimir_py.graph.pagerank import shares
from mimir_py.graph.walk import breadth_first, shortest_path

_NODES = 9
_KINDS = ("uses", "owns", "fears")
_PLACES = ("", "one", "two")
_WEIGHTS = st.sampled_from([0.0, 0.25, 0.5, 1.0])
_LINKS = st.lists(
    st.tuples(st.integers(1, _NODES), st.integers(1, _NODES), st.sampled_from(_KINDS), _WEIGHTS),
    max_size=24,
)
_DIRECTIONS = st.sampled_from(["out", "in", "both"])


def _edges(links, rows, direction):
    """The links of some rows, as the store gives them."""
    found = []
    for number, (source, target, _, weight) in enumerate(links):
        if direction in ("out", "both") and source in rows:
            found.append(Edge(number, source, target, weight, True))
        if direction in ("in", "both") and target in rows:
            found.append(Edge(number, target, source, weight, False))
    return found


def _expand(links, direction):
    return lambda rows: (_edges(links, set(rows), direction), True)


def _model(links, start, direction):
    """How many links each node is away; nothing but first in, first out."""
    away, queue = {start: 0}, deque([start])
    while queue:
        near = queue.popleft()
        for source, target, *_ in links:
            for one, other, way in ((source, target, "out"), (target, source, "in")):
                if one == near and other not in away and direction in (way, "both"):
                    away[other] = away[near] + 1
                    queue.append(other)
    return away


@given(links=_LINKS, direction=_DIRECTIONS, depth=st.integers(0, 5), most=st.integers(0, 12))
def test_a_walk_is_that_of_the_model_up_to_its_limits(links, direction, depth, most):
    walked = breadth_first([1], _expand(links, direction), depth, most)

    away = _model(links, 1, direction)
    within = {node: far for node, far in away.items() if 0 < far <= depth}
    depths = [step.depth for step in walked.steps]
    assert {step.row_id: step.depth for step in walked.steps}.items() <= within.items()
    assert len(walked.steps) == min(most, len(within))
    assert depths == sorted(depths)
    assert walked.is_whole is (len(within) <= most)
    for step in walked.steps:
        assert away[step.edge.near] == step.depth - 1
        assert step.edge.far == step.row_id


@given(links=_LINKS, direction=_DIRECTIONS, goal=st.integers(1, _NODES))
def test_a_path_is_as_short_as_the_model_says(links, direction, goal):
    back = {"out": "in", "in": "out"}.get(direction, direction)

    path, is_whole = shortest_path(
        1, goal, _expand(links, direction), _expand(links, back), max_depth=20, max_nodes=100
    )

    away = _model(links, 1, direction)
    assert is_whole
    if goal not in away:
        assert path is None
        return
    assert path is not None
    assert len(path) == away[goal]
    nodes = [1, *(edge.far for edge in path)]
    assert nodes[-1] == goal
    for node, edge in zip(nodes, path, strict=False):
        source, target, *_ = links[edge.link_id]
        assert edge.near == node
        assert (edge.near, edge.far) == ((source, target) if edge.is_forward else (target, source))
        assert direction in ("both", "out" if edge.is_forward else "in")


@given(links=_LINKS, depth=st.integers(0, 4), goal=st.integers(2, _NODES))
def test_a_path_keeps_to_its_depth(links, depth, goal):
    expand = _expand(links, "both")

    path, _ = shortest_path(1, goal, expand, expand, max_depth=depth, max_nodes=100)

    away = _model(links, 1, "both").get(goal)
    assert (path is not None) is (away is not None and away <= depth)


def test_of_two_short_paths_the_one_of_strong_links_is_taken():
    links = [(1, 2, "", 0.2), (2, 4, "", 0.9), (1, 3, "", 0.8), (3, 4, "", 0.8), (1, 3, "", 0.1)]
    expand = _expand(links, "both")

    path, _ = shortest_path(1, 4, expand, expand, max_depth=5, max_nodes=100)

    assert [edge.link_id for edge in path] == [2, 3]


def test_a_search_that_ends_at_its_limit_says_so():
    links = [(number, number + 1, "", 0.5) for number in range(1, 50)]
    expand = _expand(links, "both")

    path, is_whole = shortest_path(1, 50, expand, expand, max_depth=100, max_nodes=10)

    assert (path, is_whole) == (None, False)


@given(links=_LINKS, seeds=st.lists(st.integers(1, _NODES), min_size=1, max_size=3, unique=True))
def test_shares_add_up_to_one_and_are_those_of_plain_iteration(links, seeds):
    edges = _edges(links, set(range(1, _NODES + 1)), "out")

    found = shares(edges, seeds)

    assert sum(found.values()) == pytest.approx(1, abs=1e-6)
    expected = _iterated(links, seeds)
    assert found == pytest.approx({node: expected[node] for node in found}, abs=1e-5)


def _iterated(links, seeds):
    nodes = range(1, _NODES + 1)
    weights = dict.fromkeys(((a, b) for a in nodes for b in nodes), 0.0)
    for source, target, _, weight in links:
        for pair in {(source, target), (target, source)}:
            weights[pair] += weight or 0.5
    begin = {node: (1 / len(seeds) if node in seeds else 0.0) for node in nodes}
    share = dict(begin)
    for _ in range(300):
        after = dict.fromkeys(nodes, 0.0)
        for node in nodes:
            total = sum(weights[node, other] for other in nodes)
            for other in nodes:
                onward = weights[node, other] / total if total else begin[other]
                after[other] += 0.85 * share[node] * onward
        share = {node: after[node] + 0.15 * begin[node] for node in nodes}
    return share


# The same through the tools


def _records(places, links, archived):
    for node, place in places.items():
        own = [
            {"target_id": f"mem-{target:012}", "relationship": kind, "weight": weight}
            for source, target, kind, weight in links
            if source == node
        ]
        yield {
            "id": f"mem-{node:012}",
            "category": "note",
            "key": str(node),
            "workspace_hash": place,
            "body_json": f'"{node}"',
            "archived": node in archived,
            "links": own,
        }


@pytest.fixture
def opened(open_store, client_of, import_records):
    return open_store, client_of, import_records


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    links=_LINKS,
    places=st.lists(st.sampled_from(_PLACES), min_size=_NODES, max_size=_NODES),
    archived=st.sets(st.integers(2, _NODES), max_size=2),
    asked=st.tuples(
        _DIRECTIONS,
        st.none() | st.lists(st.sampled_from([*_KINDS, "none"]), max_size=2),
        st.sampled_from([None, "one"]),
    ),
)
async def test_tools_walk_as_the_model_does_and_see_only_what_they_may(
    tmp_path_factory, opened, links, places, archived, asked
):
    direction, kinds, scope = asked
    open_store, client_of, import_records = opened
    places = dict(enumerate(places, start=1))
    places[1] = "one"
    unique = list({link[:3]: link for link in reversed(links)}.values())
    path = tmp_path_factory.mktemp("walk") / "mimir.db"
    async with open_store(path) as app:
        await import_records(app, list(_records(places, unique, archived)), embed=False)
        client = client_of(app, scope)
        filters = {"direction": direction} | ({} if kinds is None else {"relationships": kinds})

        answer = await client.run(
            "traverse", {"category": "note", "key": "1", "max_depth": 9, **filters}
        )

        def may_see(node):
            return node not in archived and (scope is None or places[node] in ("one", ""))

        visible = [
            link
            for link in unique
            if may_see(link[0]) and may_see(link[1]) and (kinds is None or link[2] in kinds)
        ]
        away = _model(visible, 1, direction)
        assert {int(s["key"]): s["depth"] for s in answer["traversed"]} == {
            node: far for node, far in away.items() if far
        }
        for row in (answer["entity"], *answer["traversed"]):
            assert {
                (int(link["target_id"][4:]), link["relationship"]) for link in row["links"]
            } == {(t, kind) for s, t, kind, _ in visible if s == int(row["key"])}
        for node in places:
            ends = {"from_id": f"mem-{1:012}", "to_id": f"mem-{node:012}", **filters}
            if not may_see(node):
                with pytest.raises(NotFound):
                    await client.run("path", ends)
                continue
            found = await client.run("path", ends)
            assert (found["found"], found["length"]) == (node in away, away.get(node, 0))
        ids = [f"mem-{1:012}"]
        chosen = {} if kinds is None else {"relationships": kinds}
        related = await client.run("related", {"ids": ids, "limit": 99, **chosen})
        assert {int(item["key"]) for item in related["related"]} == {
            node for node, far in _model(visible, 1, "both").items() if 0 < far <= 4
        }
