"""Pages of one query are slices of one order, in every mode, whatever the page size."""

import json
import random

import pytest

_SIZE = 330
_ENDINGS = "harbour railing ledger broker cluster winter garden ticket engine bridge".split()
_MODES = {
    "browse": {"query": ""},
    "fts5": {"query": "lantern bridge", "mode": "fts5"},
    "dense": {"query": "lantern bridge", "mode": "dense"},
    "hybrid": {"query": "lantern bridge"},
}
_BOOSTS = {
    "recency": {"recency_half_life_secs": 0.5},
    "trust": {"trust_weight": 0.5},
    "content": {"content_weight": 0.5},
}


@pytest.fixture(scope="module")
def many_path(make_store):
    """Memories of few different texts, so that most scores are ties; ids in no order."""
    dice = random.Random(11)
    return make_store(
        [
            {
                "id": f"mem-{dice.getrandbits(48):012x}",
                "category": "note",
                "key": f"key{number:03}",
                "body_json": json.dumps({"content": f"lantern {dice.choice(_ENDINGS)}"}),
                "certainty": dice.choice([0.1, 0.5, 0.9]),
                "created_at_unix_ms": 1_760_000_000_000 - dice.randrange(5) * 100,
            }
            for number in range(_SIZE)
        ]
    )


@pytest.fixture
async def many(many_path, index, open_copy, client_of):
    async with open_copy(many_path, index) as app:
        yield client_of(app)


async def _pages(client, size, upto, **query):
    found = []
    for offset in range(0, upto, size):
        items = await client.recall(**query, limit=size, offset=offset)
        found.extend(item["id"] for item in items)
    return found


@pytest.mark.parametrize("size", [7, 50])
@pytest.mark.parametrize("mode", _MODES)
async def test_pages_put_together_are_one_long_page(many, mode, size):
    whole = [item["id"] for item in await many.recall(**_MODES[mode], limit=_SIZE)]

    pages = await _pages(many, size, _SIZE, **_MODES[mode])

    assert len(whole) == _SIZE
    assert pages == whole


@pytest.mark.parametrize("boost", _BOOSTS)
@pytest.mark.parametrize("mode", _MODES)
async def test_pages_under_a_boost_put_together_are_one_long_page(many, mode, boost):
    query = {**_MODES[mode], **_BOOSTS[boost]}
    whole = [item["id"] for item in await many.recall(**query, limit=200)]

    pages = await _pages(many, 50, 200, **query)

    assert pages == whole


@pytest.mark.parametrize("mode", _MODES)
async def test_no_memory_is_on_two_pages(many, mode):
    pages = await _pages(many, 25, _SIZE, **_MODES[mode])

    assert len(set(pages)) == len(pages) == _SIZE


@pytest.mark.parametrize("mode", _MODES)
async def test_beyond_the_last_page_there_is_nothing(many, mode):
    assert await many.recall(**_MODES[mode], offset=_SIZE) == []


@pytest.mark.parametrize("mode", _MODES)
async def test_a_limit_of_nothing_gives_nothing(many, mode):
    answer = await many.run("recall", {**_MODES[mode], "limit": 0})

    assert answer == {"items": [], "total": 0}


@pytest.mark.parametrize("mode", ["fts5", "dense", "hybrid"])
async def test_items_come_by_falling_score(many, mode):
    items = await many.recall(**_MODES[mode], limit=_SIZE)

    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("mode", _MODES)
async def test_the_order_is_the_same_every_time(many, mode):
    answers = [await many.recall(**_MODES[mode], limit=60, reinforce=False) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("mode", _MODES)
async def test_any_limit_may_be_asked_for(many, mode):
    items = await many.recall(**_MODES[mode], limit=10**9)

    assert len(items) == _SIZE


async def test_equal_scores_come_in_the_order_of_their_ids(many):
    items = await many.recall(**_MODES["fts5"], limit=60)

    order = [(-item["score"], item["id"]) for item in items]
    assert order == sorted(order)
    assert len({score for score, _ in order}) < 5


@pytest.mark.parametrize("query", ["数据库", "🚀"])
async def test_pages_are_one_order_where_the_index_has_no_words(
    open_store, client_of, import_records, query
):
    dice = random.Random(5)
    filler = "灯塔管理员每年春天都会粉刷栏杆"
    records = [
        {
            "category": "note",
            "key": f"key{number:03}",
            "body_json": json.dumps(
                filler[: dice.randrange(15)] + query + " 文字" * dice.randrange(30)
            ),
        }
        for number in range(300)
    ]
    async with open_store() as app:
        await import_records(app, records, embed=False)
        client = client_of(app)
        found = await client.recall(query, mode="fts5", limit=300)
        whole = [item["id"] for item in found]

        pages = await _pages(client, 50, 300, query=query, mode="fts5")

    assert len(whole) == 300
    assert pages == whole


async def test_pages_are_one_order_where_words_and_meaning_disagree(
    open_store, client_of, import_records
):
    # More memories near the query in meaning than the first pool holds, and few with its words.
    near = [f"a lamp hangs over the crossing of the water, number {n}" for n in range(300)]
    worded = [f"lantern footbridge {word * 3}" for word in _ENDINGS * 3]
    records = [
        {
            "category": "note",
            "key": f"key{number:03}",
            "body_json": json.dumps({"content": f"{text} {number}"}),
        }
        for number, text in enumerate(near + worded)
    ]
    query = {"query": "a lantern hangs over the footbridge across the water"}
    async with open_store() as app:
        await import_records(app, records)
        client = client_of(app)
        whole = [item["id"] for item in await client.recall(**query, limit=120)]

        pages = await _pages(client, 10, 120, **query)

    assert pages == whole
