"""A correction is remembered, entered in the journal, and found when it matters again."""

import json

import pytest

from mimir_py.errors import InvalidInput

_CORRECTION = {
    "wrong_approach": "edited the generated client by hand",
    "user_correction": "change the schema and regenerate the client",
    "task_context": "adding a field to the orders API",
}


async def test_a_correction_becomes_a_certain_memory_that_does_not_fade(client, clock):
    answer = await client.run("correct", {**_CORRECTION, "session_id": "s-1", "tags": ["api"]})

    entity = await client.get(answer["entity_id"])
    [item] = await client.recall("regenerate the client", category="correction")
    body = json.loads(entity["body_json"])
    assert answer["entity_id"].startswith("cor-")
    assert answer["key"] == f"correction{answer['entity_id'].removeprefix('cor')}"
    assert answer["created_at_unix_ms"] == clock.now
    assert {name: body[name] for name in _CORRECTION} == _CORRECTION
    assert body["session_id"] == "s-1"
    assert all(text in body["lesson"] for text in _CORRECTION.values())
    assert (entity["entity_type"], entity["layer"], entity["tags"]) == (
        "correction",
        "working",
        ["api"],
    )
    assert (entity["certainty"], entity["decay_score"]) == (1.0, 1.0)
    assert (item["id"], item["source"]) == (answer["entity_id"], "mimir_correct")


async def test_the_journal_names_the_memory(client):
    answer = await client.run("correct", _CORRECTION)

    [entry] = (await client.run("timeline", {"event_type": "correction"}))["items"]

    assert (entry["id"], entry["entity_id"]) == (answer["journal_id"], answer["entity_id"])
    assert (entry["category"], entry["key"]) == (answer["category"], answer["key"])


async def test_corrections_alike_but_for_a_word_are_both_kept(client):
    first = await client.run("correct", _CORRECTION)
    second = await client.run("correct", {**_CORRECTION, "task_context": "adding a field to users"})

    assert first["entity_id"] != second["entity_id"]
    for answer in (first, second):
        assert (await client.get(answer["entity_id"]))["archived"] is False


async def test_the_same_correction_again_names_the_memory_that_holds_it(client):
    first = await client.run("correct", _CORRECTION)

    again = await client.run("correct", _CORRECTION)

    assert again["entity_id"] == first["entity_id"]
    assert again["journal_id"] != first["journal_id"]
    assert len(await client.recall("regenerate the client", category="correction")) == 1


async def test_a_correction_belongs_to_the_session_or_the_workspace_that_is_named(client_of, app):
    session = client_of(app, "a")

    own = await session.run("correct", _CORRECTION)
    other = await session.run("correct", {**_CORRECTION, "workspace_hash": "b"})

    assert (await session.get(own["entity_id"]))["workspace_hash"] == "a"
    assert (await session.get(other["entity_id"]))["workspace_hash"] == "b"


@pytest.mark.parametrize("name", _CORRECTION)
async def test_an_empty_text_is_refused_by_name(client, name):
    with pytest.raises(InvalidInput, match=name):
        await client.run("correct", {**_CORRECTION, name: ""})


async def test_an_empty_period_is_refused_and_nothing_is_stored(client):
    with pytest.raises(InvalidInput, match="valid_to_unix_ms"):
        await client.run(
            "correct", {**_CORRECTION, "valid_from_unix_ms": 2_000, "valid_to_unix_ms": 1_000}
        )

    for table in ("entities", "journal"):
        assert await client.rows(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_secrets_are_taken_out_of_a_correction(client):
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"

    answer = await client.run("correct", {**_CORRECTION, "wrong_approach": f"pushed with {token}"})

    assert token not in (await client.get(answer["entity_id"]))["body_json"]
