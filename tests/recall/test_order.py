"""The order of answers: what it is made of, what it brings in, and what it never depends on."""

import json
from contextlib import asynccontextmanager

import pytest

from mimir_py.recall.fusion import RRF_K
from mimir_py.recall.models import Query

_MODES = ["fts5", "dense", "hybrid"]
_QUESTION = "which lantern hangs in the harbour"
# A page that holds the head of the order whole.
_HEAD = 64
_PLACES = """
    attic cellar garden library market orchard quarry stable temple valley workshop bakery
    chapel dairy forge granary kitchen laundry mill nursery office pantry
""".split()
_DETAILS = [
    "A red lantern hangs by the door of the {}.",
    "Nobody may enter the {} without a lantern after dark.",
    "The lantern of the {} was mended by the smith twice this year.",
    "Oil for the lamps is kept behind the {}, in two tall jars.",
]
_ASIDES = """
    That is known to all here and nobody minds it as far as anyone can tell from what is said at
    table when it rains
""".split()
_SHORTEST = 14


def _padded(text, length):
    words = [*text.split(), *_ASIDES * 6]
    return " ".join(words[:length])


# Each as long as no other: no two have the same score.
_FILLERS = [
    _padded(text, _SHORTEST + number)
    for number, text in enumerate(detail.format(place) for detail in _DETAILS for place in _PLACES)
]


def _record(key, content, **more):
    return {
        "category": "note",
        "key": key,
        "id": f"mem-{key}",
        "body_json": json.dumps({"content": content}, ensure_ascii=False),
        **more,
    }


def _fillers(**more):
    return [_record(f"filler-{n}", content, **more) for n, content in enumerate(_FILLERS, 100)]


def _link(*keys):
    return [{"target_id": f"mem-{key}", "relationship": "see", "weight": 0.5} for key in keys]


@pytest.fixture
def opened(open_store, client_of, import_records, tmp_path):
    """Opens a store of records of its own: `async with opened(*records) as client`."""
    count = iter(range(100))

    @asynccontextmanager
    async def opener(*records, workspace=None, embed=True, **settings):
        async with open_store(tmp_path / f"store{next(count)}" / "mimir.db", **settings) as app:
            await import_records(app, records, embed=embed)
            yield client_of(app, workspace)

    return opener


@pytest.fixture(scope="session")
def varied_path(make_store):
    """Memories of which no two have the same words."""
    return make_store(_fillers())


@pytest.fixture
async def varied(varied_path, index, open_copy, client_of):
    async with open_copy(varied_path, index) as app:
        yield client_of(app)


async def _keys(client, query, **more):
    return [item["key"] for item in await client.recall(query, **more)]


def _adds(explanation):
    return sum(feature["adds"] for feature in explanation["features"])


# What an answer is made of


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("query", [_QUESTION, "lantern", "oil jars", "who mends the lamps?"])
async def test_contributions_add_up_to_the_raw_score(searched, query, mode):
    items = await searched.recall(query, mode=mode, explain=True, limit=_HEAD)

    assert items or mode == "fts5"
    for item in items:
        why = item["explanation"]
        # Each of some forty numbers is rounded to four digits.
        assert _adds(why) == pytest.approx(why["raw_score"], abs=0.0025)


async def test_an_explanation_tells_the_rank_in_each_arm(varied):
    by_words = await _keys(varied, _QUESTION, mode="fts5", limit=_HEAD)
    by_meaning = await _keys(varied, _QUESTION, mode="dense", limit=_HEAD)

    items = await varied.recall(_QUESTION, explain=True, limit=_HEAD)

    for item in items:
        why = item["explanation"]
        for ranking, rank in ((by_words, "keyword_rank"), (by_meaning, "dense_rank")):
            place = ranking.index(item["key"]) + 1 if item["key"] in ranking else None
            assert why[rank] == place
        assert not why["is_named"]
        assert not why["is_linked"]


@pytest.mark.parametrize(("mode", "absent"), [("fts5", "dense_rank"), ("dense", "keyword_rank")])
async def test_an_arm_that_was_not_asked_has_no_rank(varied, mode, absent):
    items = await varied.recall(_QUESTION, mode=mode, explain=True)

    assert items
    for number, item in enumerate(items, start=1):
        why = item["explanation"]
        assert why.pop(absent) is None
        assert [why["keyword_rank" if absent == "dense_rank" else "dense_rank"]] == [number]


async def test_the_order_is_that_of_raw_scores_and_relevances(varied):
    items = await varied.recall(_QUESTION, explain=True, limit=_HEAD)

    raw = [item["explanation"]["raw_score"] for item in items]
    assert raw == sorted(raw, reverse=True)
    relevances = [item["relevance"] for item in items]
    assert relevances == sorted(relevances, reverse=True)
    assert [item["score"] for item in items] == relevances


async def test_the_weightiest_feature_is_told_first(varied):
    for item in await varied.recall(_QUESTION, explain=True):
        adds = [abs(feature["adds"]) for feature in item["explanation"]["features"]]
        assert adds == sorted(adds, reverse=True)
        assert all(adds)


async def test_nothing_is_explained_unless_that_is_asked_for(varied):
    assert all("explanation" not in item for item in await varied.recall(_QUESTION))


@pytest.mark.parametrize("mode", ["fts5", "hybrid"])
async def test_a_memory_asked_for_by_name_is_known_as_such(varied, mode):
    first, *rest = await varied.recall("filler-107", mode=mode, explain=True)

    assert first["key"] == "filler-107"
    assert first["explanation"]["is_named"]
    assert first["relevance"] >= 0.99
    assert not any(item["explanation"]["is_named"] for item in rest)


# Leaving out what is less likely to answer


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("least", [0.0, 0.001, 0.01, 0.1, 0.3, 0.9])
async def test_memories_below_the_least_relevance_are_left_out(varied, mode, least):
    whole = await varied.recall(_QUESTION, mode=mode, limit=_HEAD)
    kept = await varied.recall(_QUESTION, mode=mode, limit=_HEAD, min_relevance=least)

    assert kept == [item for item in whole if item["relevance"] >= least]


async def test_an_answer_may_be_empty(varied):
    items = await varied.recall("how do I renew a passport", min_relevance=0.9)

    assert items == []


async def test_what_answers_stands_out_from_what_does_not(opened):
    answer = _record("answer", "The payments service retries failed transfers three times.")

    async with opened(*_fillers(), answer) as client:
        items = await client.recall("how often are failed transfers retried", limit=_HEAD)
        absent = await client.recall("which language is the compiler written in", limit=_HEAD)

    assert items[0]["key"] == "answer"
    assert items[0]["relevance"] > 0.5
    assert items[0]["relevance"] > 5 * items[1]["relevance"]
    assert items[0]["relevance"] > 5 * absent[0]["relevance"]


async def test_pages_of_what_is_relevant_are_cuts_of_one_order(varied):
    whole = await varied.recall(_QUESTION, limit=_HEAD)
    least = whole[10]["relevance"]

    pages = []
    for offset in range(0, _HEAD, 8):
        pages += await varied.recall(_QUESTION, limit=8, offset=offset, min_relevance=least)

    assert pages == [item for item in whole if item["relevance"] >= least]


@pytest.mark.parametrize("asked", [{"mode": "fts5"}, {"mode": "dense"}, {"fusion": "rrf"}], ids=str)
async def test_pages_are_cuts_of_one_order_where_it_is_not_that_of_relevance(varied, asked):
    whole = await varied.recall(_QUESTION, limit=40, **asked)
    least = sorted(item["relevance"] for item in whole)[20]
    wanted = [item["key"] for item in whole if item["relevance"] >= least]

    pages = []
    for offset in range(0, 40, 4):
        pages += await _keys(
            varied, _QUESTION, limit=4, offset=offset, min_relevance=least, **asked
        )

    assert pages[: len(wanted)] == wanted


# Plain fusion


@pytest.mark.parametrize("query", [_QUESTION, "oil in tall jars", "mended by the smith"])
async def test_plain_fusion_is_that_of_the_ranks_of_the_two_single_modes(varied, query):
    scores, ids = {}, {}
    for mode in ("fts5", "dense"):
        for rank, item in enumerate(await varied.recall(query, mode=mode, limit=_HEAD), start=1):
            scores[item["key"]] = scores.get(item["key"], 0) + 1 / (RRF_K + rank)
            ids[item["key"]] = item["id"]
    expected = sorted(scores, key=lambda key: (-round(scores[key] * 61 / 2, 6), ids[key]))

    items = await varied.recall(query, fusion="rrf", limit=_HEAD)

    assert RRF_K == 60
    assert [item["key"] for item in items] == expected[:_HEAD]
    for item in items:
        assert item["score"] == pytest.approx(scores[item["key"]] * 61 / 2, abs=1e-6)


# Links


_LINKED = "Ask Bartholomew about his trumpet."
_SOURCE = "The lantern that hangs in the harbour is the old brass one."


async def test_a_memory_that_the_best_links_to_is_found_through_it(opened):
    target = _record("target", _LINKED)
    async with opened(*_fillers(), target, _record("source", _SOURCE)) as client:
        without = await _keys(client, _QUESTION, limit=_HEAD)
    linking = _record("source", _SOURCE, links=_link("target"))
    async with opened(*_fillers(), target, linking) as client:
        items = await client.recall(_QUESTION, limit=_HEAD, explain=True)

    assert without[0] == items[0]["key"] == "source"
    assert "target" not in without
    place = [item["key"] for item in items].index("target")
    assert place <= 20
    why = items[place]["explanation"]
    assert why["is_linked"]
    assert why["raw_score"] == pytest.approx(items[0]["explanation"]["raw_score"] - 2, abs=1e-3)


async def test_an_answer_of_the_best_alone_links_nothing_in_single_modes(opened):
    linking = _record("source", _SOURCE, links=_link("target"))

    async with opened(*_fillers(), _record("target", _LINKED), linking) as client:
        for mode in ("fts5", "dense"):
            assert "target" not in await _keys(client, _QUESTION, mode=mode, limit=_HEAD)


@pytest.mark.parametrize(
    ("target", "asked", "found"),
    [
        ({"workspace_hash": "a"}, {}, True),
        ({"workspace_hash": ""}, {}, True),
        ({"workspace_hash": "b"}, {}, False),
        ({"workspace_hash": "b"}, {"workspace_hash": "*"}, True),
        ({"workspace_hash": ""}, {"workspace_hash": "a"}, False),
        ({"archived": True}, {}, False),
        ({"archived": True}, {"include_archived": True}, True),
        ({"category": "lesson"}, {}, True),
        ({"category": "lesson"}, {"category": "note"}, False),
        ({"topic_path": "x"}, {"topic_path": "y"}, False),
        ({"decay_score": 0.1}, {"min_decay": 0.5}, False),
        ({"valid_from_unix_ms": 5_000}, {"valid_at": 4_000}, False),
        ({"valid_from_unix_ms": 3_000}, {"valid_at": 4_000}, True),
    ],
    ids=str,
)
async def test_a_link_leads_only_to_what_may_answer(opened, target, asked, found):
    usual = {"workspace_hash": "a", "topic_path": "y/z", "valid_from_unix_ms": 1}
    target = _record(
        "target", _LINKED, **{"workspace_hash": "a", "valid_from_unix_ms": 1, **target}
    )
    source = _record("source", _SOURCE, links=_link("target"), **usual)

    async with opened(source, target, workspace="a", embed=False) as client:
        keys = await _keys(client, _QUESTION, limit=_HEAD, **asked)

    assert keys == ["source", "target"] if found else ["source"]


async def test_a_link_leads_to_no_category_that_answers_leave_out(opened):
    target = _record("target", _LINKED, category="conversation")
    source = _record("source", _SOURCE, links=_link("target"))
    settings = {"exclude_categories": ("conversation",)}

    async with opened(source, target, embed=False, **settings) as client:
        assert await _keys(client, _QUESTION) == ["source"]
        assert await _keys(client, "trumpet", category="conversation") == ["target"]


async def test_links_in_a_circle_to_itself_and_to_nowhere_do_no_harm(opened):
    one = _record("one", _SOURCE, links=_link("one", "two", "two", "nowhere"))
    two = _record("two", _LINKED, links=_link("one", "three"))
    three = _record("three", "Bells are cast in spring.")

    async with opened(one, two, three, embed=False) as client:
        # One step from what the arms found, no further.
        assert await _keys(client, _QUESTION) == ["one", "two"]


async def test_contributions_of_a_linked_memory_add_up_to_the_raw_score(opened):
    target = _record("target", _LINKED)
    linking = _record("source", _SOURCE, links=_link("target"))

    async with opened(*_fillers(), target, linking) as client:
        items = await client.recall(_QUESTION, limit=_HEAD, explain=True)

    [why] = [item["explanation"] for item in items if item["key"] == "target"]
    assert _adds(why) == pytest.approx(why["raw_score"], abs=0.0025)


# Neighbours in a topic


_TURNS = [
    "Mara: the train was late again, so I walked along the river",
    "Jonas: did you see the herons?",
    "Mara: which wine goes with the fish on Saturday?",
    "Jonas: the dry one from the corner shop, six bottles are in the cellar",
    "Mara: fine, then I only need lemons",
    "Jonas: my sister brings bread and her famous olives",
]
_ASKED = "which wine goes with the fish on Saturday"


def _turns(**more):
    return [
        _record(f"turn-{n}", content, **{"topic_path": "talk/1", **more})
        for n, content in enumerate(_TURNS)
    ]


async def test_a_turn_that_answers_a_question_is_lifted(opened):
    async with opened(*_fillers(), *_turns(topic_path="")) as client:
        apart = await _keys(client, _ASKED, limit=_HEAD)
    async with opened(*_fillers(), *_turns()) as client:
        together = await _keys(client, _ASKED, limit=_HEAD)

    assert apart[0] == together[0] == "turn-2"
    assert together[1] == "turn-3"
    assert apart.index("turn-3") >= together.index("turn-3") if "turn-3" in apart else True


async def test_a_neighbour_no_arm_found_is_brought_in(opened):
    answer = [
        _record(f"turn-{n}", text, topic_path="talk") for n, text in enumerate([_SOURCE, _LINKED])
    ]

    async with opened(*answer, embed=False) as client:
        assert await _keys(client, _QUESTION) == ["turn-0", "turn-1"]
        assert await _keys(client, _QUESTION, mode="fts5") == ["turn-0"]


@pytest.mark.parametrize(
    ("neighbour", "asked"),
    [
        ({"archived": True}, {}),
        ({"workspace_hash": "b"}, {}),
        ({"workspace_hash": "b"}, {"workspace_hash": "a"}),
        ({"category": "lesson"}, {"category": "note"}),
        ({"category": "lesson"}, {}),
        ({"topic_path": "talk/2"}, {"topic_path": "talk/1"}),
        ({"topic_path": ""}, {}),
        ({"decay_score": 0.1}, {"min_decay": 0.5}),
        ({"type": "fact"}, {"type": "insight"}),
        ({"agent_id": "other"}, {"agent_id": "one"}),
        ({"layer": "core"}, {"layer": "buffer"}),
        ({"valid_from_unix_ms": 5_000}, {"valid_at": 4_000}),
    ],
    ids=str,
)
async def test_a_neighbour_that_may_not_answer_or_is_none_is_not_brought_in(
    opened, neighbour, asked
):
    usual = {
        "workspace_hash": "a",
        "topic_path": "talk/1",
        "type": "insight",
        "agent_id": "one",
        "layer": "buffer",
        "valid_from_unix_ms": 1,
    }
    found = _record("found", _SOURCE, **usual)
    records = [
        _record("before", _LINKED, **{**usual, **neighbour}),
        found,
        _record("after", _LINKED, **{**usual, **neighbour}),
    ]

    async with opened(*records, workspace="a", embed=False) as client:
        assert await _keys(client, _QUESTION, **asked) == ["found"]


async def test_neighbours_are_those_next_to_it_only(opened):
    texts = ["one", "two", _SOURCE, "four", "five"]
    records = [_record(f"turn-{n}", text, topic_path="talk") for n, text in enumerate(texts)]

    async with opened(*records, embed=False) as client:
        assert set(await _keys(client, _QUESTION)) == {"turn-1", "turn-2", "turn-3"}


# What the order never depends on


@pytest.mark.parametrize(
    "asked", [*({"mode": mode} for mode in _MODES), {"fusion": "rrf"}], ids=str
)
@pytest.mark.parametrize("query", ["lantern winter garden", "where is the copper bridge?"])
async def test_a_longer_answer_begins_with_the_shorter_one(searched, corpus, query, asked):
    whole = await searched.recall(query, limit=len(corpus), include_archived=True, **asked)

    for limit in (1, 3, 10, 40, 63, 64, 65, 100):
        items = await searched.recall(query, limit=limit, include_archived=True, **asked)
        # Beyond the head another index may answer, whose cosines are summed in another order.
        for item, other in zip(items, whole[:limit], strict=True):
            assert {**item, "score": 0, "relevance": 0} == {**other, "score": 0, "relevance": 0}
            assert item["score"] == pytest.approx(other["score"], abs=2e-6)
            assert item["relevance"] == pytest.approx(other["relevance"], abs=2e-6)


@pytest.mark.parametrize("mode", _MODES)
async def test_explaining_changes_nothing_else(searched, mode):
    plain = await searched.recall("lantern winter", mode=mode, limit=_HEAD)
    explained = await searched.recall("lantern winter", mode=mode, limit=_HEAD, explain=True)

    assert [{**item, "explanation": None} for item in plain] == [
        {**item, "explanation": None} for item in explained
    ]


async def test_what_is_measured_is_what_orders_the_answer(varied_path, open_copy, client_of):
    async with open_copy(varied_path) as app:
        keys, measured = await app.recall.measure(Query(_QUESTION))
        items = await client_of(app).recall(_QUESTION, limit=1_000, explain=True)

    assert measured.shape[0] == len(keys) == len(set(keys))
    explained = [i["key"] for i in items if i["explanation"]["features"]]
    assert set(explained) == set(keys)


async def test_a_small_store_is_not_sure_of_what_it_does_not_know(client):
    await client.remember("queue", "We use NATS JetStream, Kafka was too heavy to run")
    await client.remember("db", "Postgres 16 on port 5433; pgbouncer in front")

    [known] = await client.recall("where is postgres", limit=1)
    unknown = await client.run("recall", {"query": "favourite ice cream", "min_relevance": 0.5})

    assert known["relevance"] > 0.5
    assert unknown == {"items": [], "total": 0, "note": "nothing relevant is stored"}
