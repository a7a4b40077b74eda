"""Importing what is there already: it is kept and reported, or replaced with history."""

import pytest

from tests.vault.import_lines import alias, memory_line

_HISTORY = "SELECT * FROM entity_history"


async def test_a_memory_that_is_there_by_name_is_kept_and_reported(load, client, texts):
    own = await client.remember("queue", "use Kafka")

    done = await load(memory_line("queue", id="mem-00000000000f"), memory_line("other"))

    assert (done.created, done.replaced, done.unchanged) == (1, 0, 0)
    [conflict] = done.conflicts
    assert "note/queue" in conflict
    assert await texts() == {"queue": "use Kafka", "other": "use NATS"}
    assert await client.rows("SELECT id FROM entities WHERE key = 'queue'") == [(own["id"],)]


async def test_a_memory_that_is_there_by_id_is_kept_and_reported(load, client, texts):
    own = await client.remember("queue", "use Kafka")

    done = await load(memory_line("renamed", id=own["id"]))

    assert (done.created, len(done.conflicts)) == (0, 1)
    assert await texts() == {"queue": "use Kafka"}


async def test_a_memory_that_is_there_by_id_is_replaced_where_that_is_asked_for(
    load, client, texts
):
    own = await client.remember("queue", "use Kafka")

    done = await load(memory_line("queue", id=own["id"]), replace=True)

    assert (done.created, done.replaced, done.conflicts) == (0, 1, [])
    assert await texts() == {"queue": "use NATS"}
    assert [item["content"] for item in await client.recall("NATS", mode="fts5")] == ["use NATS"]
    assert await client.recall("Kafka", mode="fts5") == []


async def test_a_memory_that_is_there_by_name_is_replaced_where_that_is_asked_for(
    load, client, texts
):
    await client.remember("queue", "use Kafka")

    done = await load(memory_line("queue", id="mem-00000000000f"), replace=True)

    assert (done.created, done.replaced, done.conflicts) == (0, 1, [])
    assert await texts() == {"queue": "use NATS"}


async def test_a_replaced_memory_is_found_by_meaning_with_its_new_text_only(load, client, app):
    own = await client.remember("queue", "the plants are watered on Mondays")
    await load(memory_line("queue", "our message broker is NATS", id=own["id"]), replace=True)
    while await app.upkeep.embed_pending():
        pass

    [new] = await client.recall("our message broker is NATS", mode="dense")
    [old] = await client.recall("the plants are watered on Mondays", mode="dense")

    assert new["score"] > 0.8
    assert old["score"] < 0.5


async def test_a_replaced_memory_leaves_its_other_keys_their_text(load, client, texts):
    own = await client.remember("queue", "use Kafka")
    await client.remember("broker", "use Kafka")

    await load(memory_line("queue", id=own["id"]), replace=True)

    [item] = [item for item in await client.recall("broker") if item["key"] == "broker"]
    assert item["content"] == "use Kafka"


async def test_what_replacing_replaced_is_in_history(load, client):
    own = await client.remember("queue", "use Kafka")

    await load(memory_line("queue", id=own["id"]), replace=True)

    assert await client.rows("SELECT id, body_json FROM entity_history") == [
        (own["id"], '{"content": "use Kafka"}')
    ]


@pytest.mark.parametrize("by", ["id", "name"])
async def test_replacing_a_second_time_changes_nothing(load, client, by):
    own = await client.remember("queue", "use Kafka")
    line = memory_line("queue", id=own["id"] if by == "id" else "mem-00000000000f")
    await load(line, replace=True)
    before = await client.rows("SELECT * FROM entities"), await client.rows(_HISTORY)

    again = await load(line, replace=True)

    assert (again.created, again.conflicts) == (0, [])
    assert (await client.rows("SELECT * FROM entities"), await client.rows(_HISTORY)) == before


async def test_replacing_another_key_of_a_memory_leaves_the_memory(load, client):
    await client.remember("queue", "use Kafka")
    await client.remember("broker", "use Kafka")

    await load(memory_line("broker", "use NATS"), replace=True)

    found = {}
    for key in ("queue", "broker"):
        for item in await client.recall(key, mode="fts5"):
            if item["key"] == key:
                found[key] = item["content"]
    assert found == {"queue": "use Kafka", "broker": "use NATS"}


async def test_another_key_of_the_file_does_not_take_a_memorys_name(load, client, texts):
    await client.remember("broker", "use Kafka")

    await load(memory_line("queue", aliases=[alias("broker")]))
    await client.remember("queue", "use Redis")

    assert await texts() == {"broker": "use Kafka", "queue": "use Redis"}


async def test_a_memory_of_the_file_does_not_take_another_keys_name_unseen(load, client):
    await client.remember("queue", "use Kafka")
    await client.remember("broker", "use Kafka")

    done = await load(memory_line("broker"))
    await client.remember("queue", "use Redis")

    [item] = [item for item in await client.recall("broker") if item["key"] == "broker"]
    assert (item["content"], done.created) in (("use Kafka", 0), ("use NATS", 1))
