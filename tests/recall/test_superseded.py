"""What another memory took the place of answers only those who ask for the past."""

import pytest

_HOUR = 3_600_000


@pytest.fixture(autouse=True)
def small_limit(index, monkeypatch):
    """Stores begin with either index of vectors."""
    if index == "resident":
        monkeypatch.setattr("mimir_py.storage.vectors.EXACT_LIMIT", 0)


@pytest.fixture
async def superseded(client, clock):
    """`nats` gave way to `kafka`."""
    await client.remember("nats", "the message queue is NATS")
    clock.advance(_HOUR)
    await client.remember("kafka", "the message queue is Kafka", supersedes="nats")


def _keys(items):
    return {item["key"] for item in items}


@pytest.mark.parametrize("mode", ["hybrid", "dense", "fts5"])
@pytest.mark.parametrize("query", ["which message queue", "nats", ""])
async def test_it_does_not_answer_as_current(superseded, client, mode, query):
    items = await client.recall(query, mode=mode)

    assert "nats" not in _keys(items)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "fts5"])
async def test_it_answers_with_its_successor_named_to_those_who_ask_for_the_past(
    superseded, client, clock, mode
):
    for past in ({"include_archived": True}, {"valid_at": clock.now - 1}):
        items = await client.recall("message queue", mode=mode, **past)

        [old] = [item for item in items if item["key"] == "nats"]
        assert old["superseded_by"]
        assert old["status"] == "deprecated"


@pytest.mark.parametrize("mode", ["hybrid", "dense", "fts5"])
async def test_it_answers_until_its_successor_is_true(client, clock, mode):
    await client.remember("nats", "the message queue is NATS")
    start = clock.now + _HOUR
    kafka = {"supersedes": "nats", "valid_from_unix_ms": start}
    await client.remember("kafka", "the message queue is Kafka", **kafka)

    assert "nats" in _keys(await client.recall("message queue", mode=mode))
    clock.now = start
    assert "nats" not in _keys(await client.recall("message queue", mode=mode))


async def test_either_index_is_in_use(superseded, client, index):
    live = await client.app.database.read(client.app.upkeep._vectors.table_is_live)

    assert live == (index == "table") or client.app.database.is_sealed


async def test_it_answers_again_when_it_is_said_anew(superseded, client):
    await client.remember("nats", "the message queue is NATS after all")

    assert "nats" in _keys(await client.recall("message queue"))
