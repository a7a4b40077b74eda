"""Answering notes the use, later and beside the answer; use never decides who answers."""

import pytest

from mimir_py.app import open_app
from mimir_py.config import load
from mimir_py.errors import StoreBusy
from mimir_py.storage.lock import WriteLock

_ASKS = {
    "browse": ("recall", {"query": ""}),
    "fts5": ("recall", {"query": "broker", "mode": "fts5"}),
    "dense": ("recall", {"query": "broker", "mode": "dense"}),
    "hybrid": ("recall", {"query": "broker", "mode": "hybrid"}),
    "by name": ("recall", {"query": "queue", "mode": "fts5"}),
    "layer": ("recall_layer", {"layer": "buffer"}),
    "semantic_search": ("semantic_search", {"query": "broker"}),
}
_TEXTS = {
    "queue": "our message broker is NATS",
    "clusters": "the broker runs as a cluster of three",
    "bills": "the broker sends bills every month",
    "plants": "the plants are watered on Mondays",
}


@pytest.fixture
async def used(client):
    """A client of a store with a few memories."""
    for key, text in _TEXTS.items():
        await client.remember(key, text)
    return client


async def _uses(client):
    return dict(await client.rows("SELECT key, retrieval_count FROM entities"))


@pytest.mark.parametrize("ask", _ASKS)
async def test_every_way_of_recalling_notes_the_use_of_what_it_returned(used, clock, ask):
    tool, arguments = _ASKS[ask]
    asked_at = clock.advance(5_000)

    answer = await used.run(tool, {**arguments, "limit": 2})
    clock.advance(5_000)
    await used.app.usage.flush()

    returned = {item["key"] for item in answer["items"]}
    rows = await used.rows(
        "SELECT key, retrieval_count, last_accessed_unix_ms, decay_score FROM entities"
    )
    assert returned
    assert {row[0]: row[1:] for row in rows} == {
        key: (1, asked_at, 0.75) if key in returned else (0, asked_at - 5_000, 0.5)
        for key in _TEXTS
    }


@pytest.mark.parametrize("ask", _ASKS)
async def test_an_answer_shows_memories_as_they_were_before_this_use(used, ask):
    tool, arguments = _ASKS[ask]

    first = await used.run(tool, arguments)
    await used.app.usage.flush()
    second = await used.run(tool, arguments)

    assert {item["retrieval_count"] for item in first["items"]} == {0}
    assert {item["retrieval_count"] for item in second["items"]} == {1}
    assert [item["score"] for item in first["items"]] == [i["score"] for i in second["items"]]


@pytest.mark.parametrize("mode", ["browse", "fts5", "dense", "hybrid"])
async def test_popularity_never_changes_the_order(used, mode):
    tool, arguments = _ASKS[mode]
    before = [item["key"] for item in (await used.run(tool, arguments))["items"]]

    for _ in range(30):
        await used.recall(_TEXTS[before[-1]], limit=1)
    await used.app.usage.flush()

    after = [item["key"] for item in (await used.run(tool, arguments))["items"]]
    assert after == before
    assert (await _uses(used))[before[-1]] >= 30


@pytest.mark.parametrize("mode", ["", "fts5", "dense", "hybrid"])
async def test_a_use_that_is_not_to_be_noted_is_not(used, mode):
    await used.recall("broker", mode=mode, reinforce=False)
    await used.recall("", reinforce=False)

    await used.app.usage.flush()

    assert set((await _uses(used)).values()) == {0}


async def test_fetching_by_id_is_no_use(used):
    [item] = await used.recall("NATS", mode="fts5", reinforce=False)

    await used.get(item["id"])
    await used.app.usage.flush()

    assert set((await _uses(used)).values()) == {0}


async def test_freshness_never_grows_beyond_one(used):
    for _ in range(5):
        await used.recall("NATS", mode="fts5")
        await used.app.usage.flush()

    [(decay,)] = await used.rows("SELECT decay_score FROM entities WHERE key = 'queue'")
    assert decay == 1.0


async def test_a_use_leaves_no_version_and_is_not_in_the_change_feed(used):
    feed = await used.rows("SELECT count(*) FROM changes")

    await used.recall("broker")
    await used.app.usage.flush()

    assert await used.rows("SELECT count(*) FROM changes") == feed
    assert await used.rows("SELECT count(*) FROM entity_history") == [(0,)]


async def test_uses_that_cannot_be_written_now_are_written_later(open_store, client_of, store_path):
    async with open_store(busy_timeout_ms=50) as app:
        client = client_of(app)
        await client.remember("queue", "our message broker is NATS")
        await client.recall("broker")
        other = WriteLock(store_path, 50)
        other.acquire_blocking()
        with pytest.raises(StoreBusy):
            await app.usage.flush()
        await client.recall("broker")
        other.release()
        other.close()

        await app.usage.flush()

        assert await _uses(client) == {"queue": 2}


@pytest.mark.plain
async def test_closing_the_store_writes_the_uses_noted(tmp_path, store_path, open_store, client_of):
    settings = load({}, {"db_path": store_path})
    async with open_app(settings, tmp_path) as app:
        await client_of(app).remember("queue", "our message broker is NATS")
        await client_of(app).recall("broker")

    async with open_store() as app:
        assert await _uses(client_of(app)) == {"queue": 1}


async def test_a_use_of_the_other_key_counts_for_the_memory(used):
    await used.remember("bus", _TEXTS["queue"])
    before = (await _uses(used))["queue"]

    await used.recall("bus", mode="fts5")
    await used.app.usage.flush()

    assert (await _uses(used))["queue"] == before + 1
