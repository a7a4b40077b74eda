"""An exact repeat under another key: one memory, two names, and neither pulls the other along."""

import pytest

DEDUPED = "deduped (new key not created)"
_MODES = ["hybrid", "fts5"]

_ATTRIBUTES = {
    "status": "draft",
    "type": "decision",
    "tags": ["messaging"],
    "importance": 0.9,
    "topic_path": "infra",
    "agent_id": "agent-a",
    "valid_from_unix_ms": 1_000,
    "valid_to_unix_ms": 9_000_000_000_000,
    "always_on": True,
    "certainty": 0.9,
    "visibility": "private",
    "layer": "core",
}


@pytest.fixture
async def pair(client):
    """`queue` and `broker` hold the same text."""
    await client.remember("queue", "use NATS")
    await client.remember("broker", "use NATS")


async def test_an_exact_repeat_is_answered_with_the_memory_that_holds_it(client):
    first = await client.remember("queue", "use NATS")

    second = await client.remember("broker", "use NATS")

    assert second == {"id": first["id"], "action": DEDUPED, "category": "note", "key": "broker"}
    assert (await client.get(second["id"]))["body_json"] == '{"content": "use NATS"}'
    assert await client.rows("SELECT count(*) FROM entities") == [(1,)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("use  NATS", " use NATS\n"),
        ('{"content": "use NATS"}', '{"content":"use NATS"}'),
    ],
    ids=["white space", "JSON layout"],
)
async def test_a_repeat_is_exact_but_for_white_space(client, first, second):
    await client.remember("queue", first)

    answer = await client.remember("broker", second)

    assert answer["action"] == DEDUPED


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("use NATS", "use nats"),
        ("open ports: 80 80", "open ports: 8080"),
        ('{"a": "1"}', '{"b": "1"}'),
        ('{"a": 1}', '{"a": "1"}'),
    ],
    ids=["case", "words run together", "field name", "type"],
)
async def test_what_is_not_an_exact_repeat_is_stored(client, first, second):
    await client.remember("queue", first)

    answer = await client.remember("broker", second)

    assert answer["action"] == "created"


async def test_an_exact_repeat_in_another_category_is_stored(client):
    await client.remember("queue", "use NATS")

    answer = await client.remember("broker", "use NATS", category="decision")

    assert answer["action"] == "created"


async def test_a_repeat_of_a_forgotten_memory_is_stored(client):
    await client.remember("queue", "use NATS")
    await client.forget("queue")

    answer = await client.remember("broker", "use NATS")

    assert answer["action"] == "created"


@pytest.mark.parametrize("mode", _MODES)
async def test_both_keys_answer_by_name(pair, answer_of, mode):
    assert await answer_of("queue", mode) == "use NATS"
    assert await answer_of("broker", mode) == "use NATS"


async def test_an_answer_by_the_other_key_names_the_memorys_own(pair, client):
    [item] = await client.recall("broker", mode="fts5")

    assert (item["key"], item["alias_of"]) == ("broker", "queue")


async def test_a_repeat_of_a_repeat_is_the_same_memory(pair, client, answer_of):
    answer = await client.remember("broker", "use NATS")

    assert answer["action"] == DEDUPED
    assert await answer_of("broker") == "use NATS"


@pytest.mark.parametrize("mode", _MODES)
async def test_changing_the_first_leaves_the_second_its_text(pair, client, answer_of, mode):
    await client.remember("queue", "use Kafka")

    assert await answer_of("queue", mode) == "use Kafka"
    assert await answer_of("broker", mode) == "use NATS"


@pytest.mark.parametrize("mode", _MODES)
async def test_forgetting_the_first_leaves_the_second(pair, client, answer_of, mode):
    found = await client.forget("queue")

    assert found
    assert await answer_of("queue", mode) is None
    assert await answer_of("broker", mode) == "use NATS"


@pytest.mark.parametrize("mode", _MODES)
async def test_forgetting_the_second_leaves_the_first(pair, client, answer_of, mode):
    found = await client.forget("broker")

    assert found
    assert await answer_of("broker", mode) is None
    assert await answer_of("queue", mode) == "use NATS"


@pytest.mark.parametrize("mode", _MODES)
async def test_a_new_text_for_the_second_makes_it_its_own(pair, client, answer_of, mode):
    answer = await client.remember("broker", "use Kafka")

    assert answer["action"] == "created"
    assert await answer_of("broker", mode) == "use Kafka"
    assert await answer_of("queue", mode) == "use NATS"


async def test_an_attribute_for_the_second_makes_it_its_own(pair, client, live):
    answer = await client.remember("broker", "use NATS", tags=["messaging"])

    assert answer["action"] == "created"
    assert (await live("queue"))["tags"] == "[]"
    assert (await live("broker"))["tags"] == '["messaging"]'


async def test_deleting_the_first_leaves_the_second(client, answer_of):
    first = await client.remember("queue", "use NATS")
    await client.remember("broker", "use NATS")

    await client.app.memories.delete(first["id"])

    assert await answer_of("queue") is None
    assert await answer_of("broker") == "use NATS"


async def test_several_other_keys_all_keep_their_text(client, answer_of):
    for key in ("queue", "broker", "bus", "pipe"):
        await client.remember(key, "use NATS")

    await client.remember("queue", "use Kafka")
    await client.forget("bus")

    answers = [await answer_of(key) for key in ("queue", "broker", "bus", "pipe")]
    assert answers == ["use Kafka", "use NATS", None, "use NATS"]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "fts5"])
async def test_a_key_that_got_a_memory_of_its_own_is_found_by_its_text(pair, client, mode):
    await client.remember("queue", "the office plants are watered on Mondays")

    best = (await client.recall("NATS", mode=mode))[0]

    assert (best["key"], best["content"]) == ("broker", "use NATS")
    assert "alias_of" not in best
    assert (await client.get(best["id"]))["key"] == "broker"


async def test_a_key_that_got_a_memory_of_its_own_keeps_its_own_age(client, live, clock):
    await client.remember("queue", "use NATS")
    given_at = clock.advance(5_000)
    await client.remember("broker", "use NATS")
    clock.advance(5_000)

    await client.remember("queue", "use Kafka")

    assert (await live("broker"))["created_at_unix_ms"] == given_at


async def test_a_forgotten_first_key_can_come_back_beside_the_second(pair, client, answer_of):
    await client.forget("queue")

    await client.remember("queue", "use NATS")

    assert await answer_of("queue") == "use NATS"
    assert await answer_of("broker") == "use NATS"


async def test_a_second_key_of_another_workspace_is_another_memory(client, answer_of):
    await client.remember("queue", "use NATS", workspace_hash="a")
    await client.remember("broker", "use NATS", workspace_hash="a")
    await client.remember("broker", "use Kafka", workspace_hash="b")

    assert await answer_of("broker", workspace_hash="a") == "use NATS"
    assert await answer_of("broker", workspace_hash="b") == "use Kafka"


async def test_forgetting_a_second_key_in_a_workspace_leaves_the_others(client, answer_of):
    for workspace in ("a", "b"):
        await client.remember("queue", "use NATS", workspace_hash=workspace)
        await client.remember("broker", "use NATS", workspace_hash=workspace)

    await client.forget("broker", workspace_hash="a")

    assert await answer_of("broker", workspace_hash="a") is None
    assert await answer_of("broker", workspace_hash="b") == "use NATS"


@pytest.mark.parametrize("name", _ATTRIBUTES)
async def test_a_repeat_with_another_attribute_is_stored_for_itself(client, live, name):
    await client.remember("queue", "use NATS")

    answer = await client.remember("broker", "use NATS", **{name: _ATTRIBUTES[name]})

    assert answer["action"] == "created"
    assert (await live("broker"))["id"] == answer["id"]


@pytest.mark.parametrize("name", _ATTRIBUTES)
async def test_a_repeat_with_the_same_attribute_is_the_same_memory(client, name):
    await client.remember("queue", "use NATS", **{name: _ATTRIBUTES[name]})

    answer = await client.remember("broker", "use NATS", **{name: _ATTRIBUTES[name]})

    assert answer["action"] == DEDUPED


async def test_closing_the_first_does_not_close_the_second(pair, client, answer_of, clock):
    asked = clock.advance(10_000)

    await client.remember("queue", "use NATS", valid_to_unix_ms=asked)

    assert await answer_of("queue", valid_at=asked) is None
    assert await answer_of("broker", valid_at=asked) == "use NATS"
