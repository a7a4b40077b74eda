"""Forgetting hides a memory; remembering the same name brings it back."""

import pytest

from mimir_py.errors import InvalidInput, NotFound

_MODES = ["hybrid", "dense", "fts5"]


@pytest.mark.parametrize("mode", _MODES)
async def test_a_forgotten_memory_no_longer_answers(client, mode):
    await client.remember("queue", "use NATS")

    found = await client.forget("queue")

    assert found
    assert await client.recall("NATS", mode=mode) == []
    assert await client.recall("queue", mode=mode) == []
    assert await client.recall("") == []


@pytest.mark.parametrize("mode", _MODES)
async def test_a_forgotten_memory_answers_to_those_who_ask_for_the_archive(client, mode):
    await client.remember("queue", "use NATS")
    await client.forget("queue", reason="moved on")

    [item] = await client.recall("NATS", mode=mode, include_archived=True)

    assert (item["key"], item["archived"], item["archive_reason"]) == ("queue", True, "moved on")


async def test_forgetting_twice_finds_nothing_the_second_time(client, live):
    await client.remember("queue", "use NATS")
    await client.forget("queue")
    before = await live("queue")

    assert not await client.forget("queue", reason="again")
    assert await live("queue") == before


async def test_forgetting_what_was_never_known_finds_nothing(client):
    assert not await client.forget("queue")


async def test_a_reason_that_is_not_given_is_manual(client, live):
    await client.remember("queue", "use NATS")
    await client.forget("queue")

    assert (await live("queue"))["archive_reason"] == "manual"


async def test_a_reason_over_a_kibibyte_is_refused_and_nothing_is_forgotten(client, live):
    await client.remember("queue", "use NATS")

    with pytest.raises(InvalidInput) as refusal:
        await client.forget("queue", reason="x" * 1_025)

    assert refusal.value.field == "reason"
    assert (await live("queue"))["archived"] == 0


async def test_forgetting_by_name_alone_forgets_it_in_every_workspace(client, live):
    await client.remember("queue", "use NATS", workspace_hash="a")
    await client.remember("queue", "use Kafka")

    await client.forget("queue")

    assert [(await live("queue", workspace=name))["archived"] for name in ("a", "")] == [1, 1]


async def test_forgetting_in_a_workspace_leaves_the_others(client, live):
    await client.remember("queue", "use NATS", workspace_hash="a")
    await client.remember("queue", "use Kafka")

    found = await client.forget("queue", workspace_hash="a")

    assert found
    assert [(await live("queue", workspace=name))["archived"] for name in ("a", "")] == [1, 0]


async def test_a_scoped_session_forgets_in_its_own_workspace(client_of, app, live):
    await client_of(app).remember("queue", "use NATS", workspace_hash="a")
    await client_of(app).remember("queue", "use Kafka", workspace_hash="b")

    found = await client_of(app, "b").forget("queue")

    assert found
    assert [(await live("queue", workspace=name))["archived"] for name in ("a", "b")] == [0, 1]


async def test_forgetting_every_workspace_by_star_is_refused(client, live):
    await client.remember("queue", "use NATS", workspace_hash="a")

    with pytest.raises(InvalidInput, match="every workspace"):
        await client.forget("queue", workspace_hash="*")

    assert (await live("queue", workspace="a"))["archived"] == 0


@pytest.mark.parametrize("mode", _MODES)
async def test_a_forgotten_memory_that_is_remembered_again_answers_again(client, mode):
    first = await client.remember("queue", "use NATS", tags=["kept"])
    await client.forget("queue")

    again = await client.remember("queue", "use NATS")

    [item] = await client.recall("NATS", mode=mode)
    assert (again["id"], again["action"]) == (first["id"], "updated")
    assert (item["archived"], item["archive_reason"], item["tags"]) == (False, "", ["kept"])


async def test_a_forgotten_memory_comes_back_with_a_new_text_and_its_old_one_in_history(
    client, versions
):
    await client.remember("queue", "use NATS")
    await client.forget("queue")

    await client.remember("queue", "use Kafka")

    assert [item["content"] for item in await client.recall("broker")] == ["use Kafka"]
    assert [version["body_json"] for version in await versions("queue")] == [
        '{"content": "use NATS"}'
    ]


async def test_a_forgotten_memory_is_still_there_by_its_id(client):
    answer = await client.remember("queue", "use NATS")
    await client.forget("queue")

    entity = await client.get(answer["id"])

    assert (entity["archived"], entity["body_json"]) == (True, '{"content": "use NATS"}')


async def test_an_unknown_id_is_not_found_by_name(client):
    with pytest.raises(NotFound, match="mem-000000000000"):
        await client.get("mem-000000000000")


@pytest.mark.plain
async def test_a_deleted_memory_leaves_no_row_behind(client):
    answer = await client.remember("queue", "use NATS")
    await client.remember("queue", "use Kafka")

    deleted = await client.app.memories.delete(answer["id"])

    assert deleted
    for table in ("entities", "entity_history", "entity_text", "chunks", "chunk_vectors"):
        assert await client.rows(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_deleting_what_is_not_there_says_so(client):
    assert not await client.app.memories.delete("mem-000000000000")
