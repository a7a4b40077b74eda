"""The order of answers: what it is made of, and what it never depends on."""

import pytest

from mimir_py.recall.fusion import RRF_K
from mimir_py.recall.models import Query
from tests.recall.town import HEAD, QUESTION, adds_of, fillers, keys_of, record

_MODES = ["fts5", "dense", "hybrid"]


@pytest.fixture(scope="session")
def varied_path(make_store):
    """Memories of which no two have the same words."""
    return make_store(fillers())


@pytest.fixture
async def varied(varied_path, index, open_copy, client_of):
    async with open_copy(varied_path, index) as app:
        yield client_of(app)


# What an answer is made of


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("query", [QUESTION, "lantern", "oil jars", "who mends the lamps?"])
async def test_contributions_add_up_to_the_raw_score(searched, query, mode):
    items = await searched.recall(query, mode=mode, explain=True, limit=HEAD)

    assert items or mode == "fts5"
    for item in items:
        why = item["explanation"]
        # Each of some forty numbers is rounded to four digits.
        assert adds_of(why) == pytest.approx(why["raw_score"], abs=0.0025)


async def test_an_explanation_tells_the_rank_in_each_arm(varied):
    by_words = await keys_of(varied, QUESTION, mode="fts5", limit=HEAD)
    by_meaning = await keys_of(varied, QUESTION, mode="dense", limit=HEAD)

    items = await varied.recall(QUESTION, explain=True, limit=HEAD)

    for item in items:
        why = item["explanation"]
        for ranking, rank in ((by_words, "keyword_rank"), (by_meaning, "dense_rank")):
            place = ranking.index(item["key"]) + 1 if item["key"] in ranking else None
            assert why[rank] == place
        assert not why["is_named"]
        assert not why["is_linked"]


@pytest.mark.parametrize(("mode", "absent"), [("fts5", "dense_rank"), ("dense", "keyword_rank")])
async def test_an_arm_that_was_not_asked_has_no_rank(varied, mode, absent):
    items = await varied.recall(QUESTION, mode=mode, explain=True)

    assert items
    for number, item in enumerate(items, start=1):
        why = item["explanation"]
        assert why.pop(absent) is None
        assert [why["keyword_rank" if absent == "dense_rank" else "dense_rank"]] == [number]


async def test_the_order_is_that_of_raw_scores_and_relevances(varied):
    items = await varied.recall(QUESTION, explain=True, limit=HEAD)

    raw = [item["explanation"]["raw_score"] for item in items]
    assert raw == sorted(raw, reverse=True)
    relevances = [item["relevance"] for item in items]
    assert relevances == sorted(relevances, reverse=True)
    assert [item["score"] for item in items] == relevances


async def test_the_weightiest_feature_is_told_first(varied):
    for item in await varied.recall(QUESTION, explain=True):
        adds = [abs(feature["adds"]) for feature in item["explanation"]["features"]]
        assert adds == sorted(adds, reverse=True)
        assert all(adds)


async def test_nothing_is_explained_unless_that_is_asked_for(varied):
    assert all("explanation" not in item for item in await varied.recall(QUESTION))


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
    whole = await varied.recall(QUESTION, mode=mode, limit=HEAD)
    kept = await varied.recall(QUESTION, mode=mode, limit=HEAD, min_relevance=least)

    assert kept == [item for item in whole if item["relevance"] >= least]


async def test_an_answer_may_be_empty(varied):
    items = await varied.recall("how do I renew a passport", min_relevance=0.9)

    assert items == []


async def test_what_answers_stands_out_from_what_does_not(opened):
    answer = record("answer", "The payments service retries failed transfers three times.")

    async with opened(*fillers(), answer) as client:
        items = await client.recall("how often are failed transfers retried", limit=HEAD)
        absent = await client.recall("which language is the compiler written in", limit=HEAD)

    assert items[0]["key"] == "answer"
    assert items[0]["relevance"] > 0.5
    assert items[0]["relevance"] > 5 * items[1]["relevance"]
    assert items[0]["relevance"] > 5 * absent[0]["relevance"]


async def test_pages_of_what_is_relevant_are_cuts_of_one_order(varied):
    whole = await varied.recall(QUESTION, limit=HEAD)
    least = whole[10]["relevance"]

    pages = []
    for offset in range(0, HEAD, 8):
        pages += await varied.recall(QUESTION, limit=8, offset=offset, min_relevance=least)

    assert pages == [item for item in whole if item["relevance"] >= least]


@pytest.mark.parametrize("asked", [{"mode": "fts5"}, {"mode": "dense"}, {"fusion": "rrf"}], ids=str)
async def test_pages_are_cuts_of_one_order_where_it_is_not_that_of_relevance(varied, asked):
    whole = await varied.recall(QUESTION, limit=40, **asked)
    least = sorted(item["relevance"] for item in whole)[20]
    wanted = [item["key"] for item in whole if item["relevance"] >= least]

    pages = []
    for offset in range(0, 40, 4):
        pages += await keys_of(
            varied, QUESTION, limit=4, offset=offset, min_relevance=least, **asked
        )

    assert pages[: len(wanted)] == wanted


# Plain fusion


@pytest.mark.parametrize("query", [QUESTION, "oil in tall jars", "mended by the smith"])
async def test_plain_fusion_is_that_of_the_ranks_of_the_two_single_modes(varied, query):
    scores, ids = {}, {}
    for mode in ("fts5", "dense"):
        for rank, item in enumerate(await varied.recall(query, mode=mode, limit=HEAD), start=1):
            scores[item["key"]] = scores.get(item["key"], 0) + 1 / (RRF_K + rank)
            ids[item["key"]] = item["id"]
    expected = sorted(scores, key=lambda key: (-round(scores[key] * 61 / 2, 6), ids[key]))

    items = await varied.recall(query, fusion="rrf", limit=HEAD)

    assert RRF_K == 60
    assert [item["key"] for item in items] == expected[:HEAD]
    for item in items:
        assert item["score"] == pytest.approx(scores[item["key"]] * 61 / 2, abs=1e-6)


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
    plain = await searched.recall("lantern winter", mode=mode, limit=HEAD)
    explained = await searched.recall("lantern winter", mode=mode, limit=HEAD, explain=True)

    assert [{**item, "explanation": None} for item in plain] == [
        {**item, "explanation": None} for item in explained
    ]


async def test_what_is_measured_is_what_orders_the_answer(varied_path, open_copy, client_of):
    async with open_copy(varied_path) as app:
        keys, measured = await app.recall.measure(Query(QUESTION))
        items = await client_of(app).recall(QUESTION, limit=1_000, explain=True)

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
