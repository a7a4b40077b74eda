"""Scores and followed advice: what they set, whose memory they touch, and what they leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.quality.efficacy import efficacy

_NAME = {"category": "note", "key": "queue"}


@pytest.fixture
def row(client):
    async def find(workspace=""):
        [found] = await client.app.database.read(
            lambda reader: reader.all(
                "SELECT * FROM entities WHERE key = 'queue' AND workspace_hash = ?", (workspace,)
            )
        )
        return dict(found)

    return find


@pytest.mark.parametrize(
    ("score", "kept", "is_verified"),
    [(0.9, 0.9, 1), (0.7, 0.7, 1), (0.69, 0.69, 0), (0, 0.0, 0), (7, 1.0, 1), (-2.5, 0.0, 0)],
)
async def test_a_score_is_kept_within_bounds_and_echoed_as_given(
    client, row, clock, score, kept, is_verified
):
    await client.remember("queue", "use NATS")
    used = clock.advance(1_000)

    answer = await client.run("score", {**_NAME, "score": score})

    stored = await row()
    assert answer == {"found": True, **_NAME, "score": score}
    assert (stored["decay_score"], stored["importance"], stored["verified"]) == (
        kept,
        kept,
        is_verified,
    )
    assert stored["last_accessed_unix_ms"] == used


async def test_a_low_score_takes_back_what_a_high_one_gave(client, row):
    await client.remember("queue", "use NATS")
    await client.run("score", {**_NAME, "score": 0.9})

    await client.run("score", {**_NAME, "score": 0})

    stored = await row()
    assert (stored["verified"], stored["importance"]) == (0, 0.0)


async def test_a_score_is_no_version(client, row):
    await client.remember("queue", "use NATS")
    before = await row()

    await client.run("score", {**_NAME, "score": 0.9})

    after = await row()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"decay_score", "importance", "verified"}
    assert (await client.run("history", _NAME))["total"] == 0


async def test_a_forgotten_memory_is_scored_and_stays_forgotten(client, row):
    await client.remember("queue", "use NATS")
    await client.forget("queue")

    answer = await client.run("score", {**_NAME, "score": 0.9})

    stored = await row()
    assert (answer["found"], stored["archived"], stored["verified"]) == (True, 1, 1)


async def test_without_a_scope_every_workspace_is_scored_and_one_that_is_named_alone(client, row):
    for workspace in ("", "a", "b"):
        await client.remember("queue", "use NATS", workspace_hash=workspace)

    await client.run("score", {**_NAME, "score": 0.9})
    await client.run("score", {**_NAME, "score": 0.1, "workspace_hash": "a"})

    assert [(await row(name))["importance"] for name in ("", "a", "b")] == [0.9, 0.1, 0.9]


@pytest.mark.parametrize("tool", ["score", "follow"])
async def test_a_session_judges_its_own_memory_before_the_global_one(client_of, app, row, tool):
    await client_of(app).remember("queue", "use NATS")
    await client_of(app).remember("queue", "use Kafka", workspace_hash="b")
    session, judgement = (
        client_of(app, "a"),
        {"score": {"score": 0.9}, "follow": {"followed": True}},
    )
    judged = {"score": "verified", "follow": "follow_count"}[tool]

    await session.run(tool, {**_NAME, **judgement[tool]})
    await session.remember("queue", "use Redis")
    await session.run(tool, {**_NAME, **judgement[tool]})

    assert [(await row(name))[judged] for name in ("", "a", "b")] == [1, 1, 0]


async def test_another_key_judges_the_memory_it_names(client, row):
    await client.remember("queue", "use NATS")
    await client.remember("broker", "use NATS")

    await client.run("score", {"category": "note", "key": "broker", "score": 0.9})
    await client.run("follow", {"category": "note", "key": "broker", "followed": True})

    stored = await row()
    assert (stored["verified"], stored["follow_count"]) == (1, 1)


async def test_what_is_unknown_is_not_found_which_is_no_error(client):
    assert await client.run("score", {**_NAME, "score": 0.9}) == {
        "found": False,
        **_NAME,
        "score": 0.9,
    }
    assert await client.run("follow", {**_NAME, "followed": True}) == {
        "found": False,
        **_NAME,
        "follow_count": 0,
        "miss_count": 0,
        "follow_rate": 0.0,
        "efficacy_status": "unverified",
    }


async def test_a_score_is_noted_in_the_journal(client):
    answer = await client.remember("queue", "use NATS")

    await client.run("score", {**_NAME, "score": 0.9})

    listed = await client.run("timeline", {"event_type": "score", "include_audit": True})
    assert [entry["entity_id"] for entry in listed["items"]] == [answer["id"]]


async def test_following_is_counted_and_nothing_else_changes(client, row):
    await client.remember("queue", "use NATS")
    before = await row()

    for followed in (True, True, False, True, True):
        answer = await client.run("follow", {**_NAME, "followed": followed, "context": "why"})

    after = await row()
    assert answer == {
        "found": True,
        **_NAME,
        "follow_count": 4,
        "miss_count": 1,
        "follow_rate": 0.8,
        "efficacy_status": "useful",
    }
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"follow_count", "miss_count", "follow_rate", "efficacy_status"}


async def test_a_forgotten_memory_is_not_followed(client):
    await client.remember("queue", "use NATS")
    await client.forget("queue")

    assert (await client.run("follow", {**_NAME, "followed": True}))["found"] is False


@pytest.mark.parametrize(
    ("follows", "misses", "status"),
    [
        *((4, 0, "unverified"), (5, 0, "useful"), (0, 4, "unverified"), (0, 5, "dead")),
        *((1, 4, "unverified"), (1, 5, "dead"), (3, 1, "unverified"), (6, 2, "useful")),
        (5, 2, "unverified"),
    ],
)
def test_advice_is_useful_from_three_in_four_and_dead_below_one_in_five(follows, misses, status):
    assert efficacy(follows, misses).status == status


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_one_more_follow_never_makes_advice_worse(follows, misses):
    ranks = ("dead", "unverified", "useful")

    now, then = efficacy(follows, misses), efficacy(follows + 1, misses)

    assert 0 <= now.rate <= then.rate <= 1
    # The fifth attempt is the first that decides, and it may decide either way.
    if follows + misses >= 5:
        assert ranks.index(now.status) <= ranks.index(then.status)
