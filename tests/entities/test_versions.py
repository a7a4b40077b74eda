"""What remembering again keeps, changes, and leaves in history."""

from itertools import pairwise

import pytest

# argument -> (a value, another, the column that shows it)
_ATTRIBUTES = {
    "status": ("draft", "deprecated", "status"),
    "type": ("decision", "lesson", "type"),
    "tags": (["one", "two"], ["three"], "tags"),
    "importance": (0.9, 0.1, "importance"),
    "topic_path": ("billing/invoices", "billing", "topic_path"),
    "agent_id": ("agent-a", "agent-b", "agent_id"),
    "valid_from_unix_ms": (1_000, 2_000, "valid_from_unix_ms"),
    "valid_to_unix_ms": (9_000_000_000_000, 9_100_000_000_000, "valid_to_unix_ms"),
    "always_on": (True, False, "always_on"),
    "certainty": (0.8, 0.2, "certainty"),
    "visibility": ("private", "public", "visibility"),
    "layer": ("core", "working", "layer"),
}
_FIRST = {name: first for name, (first, _, _) in _ATTRIBUTES.items()}
_COLUMNS = {column: name for name, (_, _, column) in _ATTRIBUTES.items()}
_PERIOD = {"valid_from_unix_ms", "valid_to_unix_ms"}
_DEFAULTS = {
    "status": "active",
    "type": "insight",
    "tags": "[]",
    "importance": 0.0,
    "topic_path": "",
    "agent_id": "",
    "valid_to_unix_ms": None,
    "always_on": 0,
    "certainty": 0.5,
    "visibility": "workspace",
    "layer": "buffer",
    "decay_score": 0.5,
    "archived": 0,
    "verified": 0,
    "source": "agent",
    "retrieval_count": 0,
    "supersedes": "",
}


def _attributes(row):
    return {column: row[column] for column in _COLUMNS}


def _as_stored(value):
    if isinstance(value, list):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return int(value) if isinstance(value, bool) else value


async def test_a_new_memory_has_the_contracts_defaults(client, live, clock):
    answer = await client.remember("queue", "use NATS")

    row = await live("queue")
    assert {column: row[column] for column in _DEFAULTS} == _DEFAULTS
    assert {row[f"{name}_unix_ms"] for name in ("created_at", "recorded_at", "valid_from")} == {
        clock.now
    }
    assert answer == {"id": row["id"], "action": "created", "category": "note", "key": "queue"}


async def test_every_attribute_is_stored_as_given(client, live):
    await client.remember("queue", "use NATS", **_FIRST)

    row = await live("queue")

    assert _attributes(row) == {
        column: _as_stored(first) for _, (first, _, column) in _ATTRIBUTES.items()
    }
    assert row["decay_score"] == 0.9


@pytest.mark.parametrize("name", _ATTRIBUTES)
async def test_an_attribute_left_out_keeps_its_value_when_the_text_changes(client, live, name):
    first, _, column = _ATTRIBUTES[name]
    await client.remember("queue", "use NATS", **_FIRST)

    await client.remember("queue", "use Kafka")

    row = await live("queue")
    if name in _PERIOD:
        assert row[column] != first
    else:
        assert row[column] == _as_stored(first)


@pytest.mark.parametrize("name", _ATTRIBUTES)
async def test_an_attribute_that_changes_leaves_the_others_and_makes_a_version(
    client, live, versions, name
):
    first, second, column = _ATTRIBUTES[name]
    await client.remember("queue", "use NATS", **_FIRST)
    before = await live("queue")

    answer = await client.remember("queue", "use NATS", **{name: second})

    after = await live("queue")
    [version] = await versions("queue")
    assert answer["action"] == "updated"
    assert version[column] == _as_stored(first)
    assert _attributes(after) == {**_attributes(before), column: _as_stored(second)}
    assert after["supersedes"] == version["history_id"]
    assert after["id"] == before["id"] == version["id"] == version["superseded_by"]


@pytest.mark.parametrize("given", [{}, _FIRST], ids=["nothing but the text", "every attribute"])
async def test_the_same_again_makes_no_version(client, live, versions, clock, given):
    await client.remember("queue", "use NATS", **_FIRST)
    before = await live("queue")
    [(changes,)] = await client.rows("SELECT count(*) FROM changes")
    clock.advance(1_000)

    answer = await client.remember("queue", "use NATS", **given)

    after = await live("queue")
    used = {"retrieval_count": 1, "last_accessed_unix_ms": clock.now, "decay_score": 1.0}
    assert answer["action"] == "updated"
    assert after == {**before, **used}
    assert await versions("queue") == []
    assert await client.rows("SELECT count(*) FROM changes") == [(changes,)]


async def test_a_reinforced_memory_is_not_moved_to_another_layer(client, live):
    await client.remember("queue", "use NATS", layer="core")

    for _ in range(6):
        await client.remember("queue", "use NATS")

    row = await live("queue")
    assert (row["layer"], row["retrieval_count"]) == ("core", 6)


@pytest.mark.parametrize(
    ("given", "stored"), [("world", "core"), ("episodic", "buffer"), ("semantic", "working")]
)
async def test_a_layer_is_stored_under_its_own_name(client, live, given, stored):
    await client.remember("queue", "use NATS", layer=given)

    assert (await live("queue"))["layer"] == stored


@pytest.mark.parametrize("step_ms", [0, 1, -5_000], ids=["same", "next", "earlier"])
async def test_overwrites_within_a_millisecond_leave_windows_that_are_not_empty(
    client, live, versions, clock, step_ms
):
    for text in ("one", "two", "three", "four", "five"):
        await client.remember("queue", text)
        clock.advance(step_ms)

    windows = [
        (version["recorded_at_unix_ms"], version["invalidated_at_unix_ms"])
        for version in await versions("queue")
    ]
    assert len(windows) == 4
    assert all(recorded < invalidated for recorded, invalidated in windows)
    assert all(end == start for (_, end), (start, _) in pairwise(windows))
    assert windows[-1][1] == (await live("queue"))["recorded_at_unix_ms"]


async def test_a_version_keeps_the_text_and_attributes_it_had(client, versions):
    await client.remember("queue", '{"content": "use NATS"}', tags=["one"], certainty=0.9)
    await client.remember("queue", "use Kafka", tags=["two"])

    [version] = await versions("queue")

    assert (version["body_json"], version["tags"], version["certainty"]) == (
        '{"content": "use NATS"}',
        '["one"]',
        0.9,
    )


async def test_a_new_text_is_found_and_the_old_one_is_not(client):
    await client.remember("queue", "use NATS")
    await client.remember("queue", "use Kafka")

    assert await client.recall("NATS", mode="fts5") == []
    assert [item["content"] for item in await client.recall("Kafka", mode="fts5")] == ["use Kafka"]


async def test_a_new_tag_is_found_and_the_old_one_is_not(client):
    await client.remember("queue", "use NATS", tags=["messaging"])
    await client.remember("queue", "use NATS", tags=["infrastructure"])

    assert await client.recall("messaging", mode="fts5") == []
    assert len(await client.recall("infrastructure", mode="fts5")) == 1


async def test_a_name_left_out_of_a_new_text_still_finds_it(client):
    await client.remember("queue", "use NATS", tags=["messaging"], topic_path="infra/bus")
    await client.remember("queue", "use Kafka")

    for query in ("messaging", "infra"):
        found = await client.recall(query, mode="fts5")
        assert [item["content"] for item in found] == ["use Kafka"]


async def test_the_same_key_in_two_workspaces_is_two_memories(client, live, versions):
    first = await client.remember("queue", "use NATS", workspace_hash="a")
    second = await client.remember("queue", "use Kafka", workspace_hash="b")
    await client.remember("queue", "use Redis", workspace_hash="b")

    assert (first["action"], second["action"]) == ("created", "created")
    assert first["id"] != second["id"]
    assert (await live("queue", workspace="a"))["body_json"] == '{"content": "use NATS"}'
    assert (await live("queue", workspace="b"))["body_json"] == '{"content": "use Redis"}'
    assert [version["workspace_hash"] for version in await versions("queue")] == ["b"]


async def test_the_same_text_in_two_workspaces_is_two_memories(client):
    first = await client.remember("queue", "use NATS", workspace_hash="a")
    second = await client.remember("broker", "use NATS", workspace_hash="b")

    assert (first["action"], second["action"]) == ("created", "created")
    assert "near_duplicates" not in second


async def test_every_change_of_content_is_in_the_change_feed(client):
    created = await client.remember("queue", "use NATS")
    await client.remember("queue", "use Kafka")
    await client.remember("queue", "use Kafka", tags=["x"])
    await client.remember("queue", "use Kafka")
    await client.forget("queue")
    await client.remember("queue", "use Kafka")

    feed = await client.rows("SELECT entity_id, kind FROM changes ORDER BY seq")

    assert feed == [
        (created["id"], kind) for kind in ("create", "update", "update", "archive", "update")
    ]
