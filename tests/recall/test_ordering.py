"""What the caller may weigh beside relevance, one at a time, in every mode."""

import json
import math
from contextlib import asynccontextmanager

import pytest

from mimir_py.recall import fusion

_NOW = 1_760_000_000_000
_HOUR_MS = 3_600_000
_MODES = ["fts5", "dense", "hybrid"]


def _record(key, content, **more):
    return {
        "category": "note",
        "key": key,
        "body_json": json.dumps({"content": content}, ensure_ascii=False),
        "created_at_unix_ms": _NOW,
        **more,
    }


@pytest.fixture
def opened(open_store, client_of, import_records):
    """Opens a store of records: `async with opened(*records) as client`."""

    @asynccontextmanager
    async def opener(*records, embed=True):
        async with open_store() as app:
            await import_records(app, records, embed=embed)
            yield client_of(app)

    return opener


async def _keys(client, query, **more):
    return [item["key"] for item in await client.recall(query, **more)]


@pytest.mark.parametrize("mode", _MODES)
async def test_recency_puts_the_new_before_the_old(opened, mode):
    old = _record("alpha", "the lantern hangs in the hall lantern", created_at_unix_ms=_NOW - 10**9)
    new = _record("omega", "a lantern hangs somewhere in the long and winding garden of the house")

    async with opened(old, new) as client:
        plain = await _keys(client, "lantern hall", mode=mode)
        boosted = await _keys(client, "lantern hall", mode=mode, recency_half_life_secs=3_600)

    assert plain == ["alpha", "omega"]
    assert boosted == ["omega", "alpha"]


@pytest.mark.parametrize("mode", _MODES)
async def test_a_score_is_halved_with_every_half_life(opened, mode):
    old = _record("alpha", "the lantern in the hall", created_at_unix_ms=_NOW - 2 * _HOUR_MS)

    async with opened(old) as client:
        [plain] = await client.recall("lantern", mode=mode)
        [boosted] = await client.recall("lantern", mode=mode, recency_half_life_secs=3_600)

    assert boosted["score"] == pytest.approx(plain["score"] / 4, abs=1e-6)


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("half_life", [None, 0])
async def test_no_half_life_leaves_the_order_alone(opened, mode, half_life):
    old = _record("alpha", "the lantern hangs in the hall lantern", created_at_unix_ms=_NOW - 10**9)
    new = _record("omega", "a lantern hangs somewhere in the long and winding garden of the house")

    async with opened(old, new) as client:
        keys = await _keys(client, "lantern hall", mode=mode, recency_half_life_secs=half_life)

    assert keys == ["alpha", "omega"]


async def test_times_that_are_not_known_are_not_old(opened):
    unknown = _record("alpha", "the lantern in the hall", created_at_unix_ms=0)

    async with opened(unknown) as client:
        [plain] = await client.recall("lantern")
        [boosted] = await client.recall("lantern", recency_half_life_secs=1)

    assert boosted["score"] == plain["score"]


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("trusted", [{"verified": True}, {"certainty": 1.0}], ids=str)
async def test_trust_puts_the_verified_and_the_certain_first(opened, mode, trusted):
    doubtful = _record("alpha", "the lantern hangs in the hall lantern", certainty=0.0)
    sure = _record(
        "omega",
        "a lantern hangs somewhere in the long and winding garden of the house",
        **{"certainty": 0.0, **trusted},
    )

    async with opened(doubtful, sure) as client:
        plain = await _keys(client, "lantern hall", mode=mode)
        boosted = await _keys(client, "lantern hall", mode=mode, trust_weight=1.0)

    assert plain == ["alpha", "omega"]
    assert boosted == ["omega", "alpha"]


@pytest.mark.parametrize("mode", _MODES)
async def test_content_puts_first_the_body_that_holds_the_whole_query(opened, mode):
    words = _record("alpha", "Lantern red, red lantern, the lantern is red")
    phrase = _record("omega", "there was once a Red Lantern in a house far away by the cold sea")

    async with opened(words, phrase) as client:
        plain = await _keys(client, "red lantern is", mode=mode)
        boosted = await _keys(client, "red lantern in", mode=mode, content_weight=1.0)

    assert sorted(plain) == ["alpha", "omega"]
    assert boosted == ["omega", "alpha"]


@pytest.mark.parametrize("mode", ["fts5", "hybrid"])
async def test_content_counts_less_in_a_longer_body(opened, mode):
    filler = " and the same again" * 1_000
    record = _record("alpha", "the lantern in the hall" + filler)
    length = len(record["body_json"])

    async with opened(record, embed=False) as client:
        [plain] = await client.recall("the lantern", mode=mode)
        [boosted] = await client.recall("the lantern", mode=mode, content_weight=0.1)

    expected = plain["score"] + 0.1 / (1 + math.log10(1 + length / 5_000))
    assert boosted["score"] == pytest.approx(min(1.0, expected), abs=1e-6)


@pytest.mark.parametrize(("halving", "share"), [(0.5, 4), (0.3, 3), (0.1, 1), (1.0, 7)])
async def test_diversity_limits_how_many_hits_each_word_of_the_query_gets(opened, halving, share):
    # By words alone: one lantern first, then the railings, then the other lanterns.
    best = _record("lantern-best", "lantern lantern railing")
    railings = [_record(f"railing-{n}", f"railing {n}") for n in range(10)]
    weak = " and a good many other words besides it"
    others = [_record(f"lantern-{n}", f"lantern {n}{weak}") for n in range(9)]

    async with opened(best, *railings, *others, embed=False) as client:
        items = await _keys(
            client, "lantern railing", mode="fts5", limit=8, diversity_halving=halving
        )

    # The first word met may have all 8 places, the second ceil(8 * halving) of them.
    kinds = [key.split("-")[0] for key in items]
    assert kinds == ["lantern"] + ["railing"] * share + ["lantern"] * (7 - share)


async def test_diversity_keeps_the_order_of_what_it_keeps(opened):
    records = [_record(f"lantern-{n}", f"lantern {n} " * (n + 1)) for n in range(12)]

    async with opened(*records) as client:
        whole = await _keys(client, "lantern", mode="fts5", limit=12)
        kept = await _keys(client, "lantern", mode="fts5", limit=12, diversity_halving=0.5)

    assert kept == [key for key in whole if key in kept]


@pytest.mark.parametrize("mode", _MODES)
async def test_no_boost_lifts_a_score_beyond_one(opened, mode):
    async with opened(_record("alpha", "lantern", verified=True)) as client:
        [item] = await client.recall("lantern", mode=mode, trust_weight=1.0, content_weight=1.0)

    assert item["score"] <= 1.0


@pytest.mark.parametrize("boost", [{"trust_weight": 1.0}, {"recency_half_life_secs": 3_600}])
async def test_browsing_honours_boosts(opened, boost):
    records = [
        _record("old", "one", certainty=0.0, created_at_unix_ms=_NOW - 5 * _HOUR_MS),
        _record("new", "two", certainty=1.0),
        _record(
            "revised",
            "three",
            certainty=0.0,
            created_at_unix_ms=_NOW - 9 * _HOUR_MS,
            recorded_at_unix_ms=_NOW + 1,
        ),
    ]

    async with opened(*records) as client:
        plain = await _keys(client, "")
        boosted = await _keys(client, "", **boost)

    assert plain == ["revised", "new", "old"]
    assert boosted[0] == "new"


def test_a_fused_score_is_the_sum_of_reciprocal_ranks_of_its_arms():
    scores = fusion.fuse([(1.0, [7, 8]), (1.0, [8, 9])])

    best = 2 / 61
    assert scores == {
        7: pytest.approx((1 / 61) / best),
        8: pytest.approx((1 / 62 + 1 / 61) / best),
        9: pytest.approx((1 / 62) / best),
    }


def test_the_order_of_the_arms_does_not_matter():
    arms = [(1.0, [1, 2, 3]), (1.0, [3, 4]), (3.0, [2])]

    assert fusion.fuse(arms) == pytest.approx(fusion.fuse(list(reversed(arms))))


def test_first_in_every_arm_scores_one():
    assert fusion.fuse([(1.0, [5]), (1.0, [5])]) == {5: pytest.approx(1.0)}
    assert fusion.fuse([(3.0, [5]), (1.0, [5])]) == {5: 1.0}
