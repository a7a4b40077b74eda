"""What Mimir notes by itself: every change of a memory, in the change's own transaction."""

import json

import pytest


async def _noted(client, **arguments):
    answer = await client.run("timeline", {"include_audit": True, **arguments})
    items = [item for item in answer["items"] if item["kind"] == "audit"]
    return [(item["event_type"], item["key"], json.loads(item["acted_json"])) for item in items]


async def test_each_change_of_a_memory_is_noted(client, clock):
    await client.remember("queue", "use NATS", workspace_hash="w", agent_id="ann")
    await client.remember("queue", "use Kafka", workspace_hash="w")
    await client.remember("broker", "use Kafka", workspace_hash="w")
    await client.forget("queue", reason="outdated")
    await client.remember("queue", "use Kafka", workspace_hash="w")

    noted = await _noted(client)

    assert [(what, key) for what, key, _ in noted[::-1]] == [
        ("remember", "queue"),
        ("remember", "queue"),
        ("remember", "queue"),
        ("forget", "queue"),
        ("remember", "queue"),
    ]
    acted = [said for _, _, said in noted[::-1]]
    assert [said.get("action") for said in acted] == [
        "created",
        "updated",
        "deduped",
        None,
        "updated",
    ]
    assert acted[2]["key"] == "broker"
    assert acted[3] == {"reason": "outdated", "source": "agent"}


async def test_saying_the_same_again_changes_nothing_and_is_not_noted(client):
    for _ in range(3):
        await client.remember("queue", "use NATS")

    assert len(await _noted(client)) == 1


async def test_notes_are_not_in_the_timeline_unless_asked_for(client):
    await client.remember("queue", "use NATS")
    await client.run("journal", {"key": "said"})

    plain = await client.run("timeline", {})

    assert [item["key"] for item in plain["items"]] == ["said"]
    assert len(await _noted(client)) == 1


async def test_a_change_that_fails_leaves_no_note(app, client, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("half-way")

    with monkeypatch.context() as broken:
        broken.setattr("mimir_py.storage.vectors.Vectors.replace", fail)
        with pytest.raises(RuntimeError):
            await client.remember("queue", "use NATS")

    assert await _noted(client) == []
    assert await client.recall("") == []
    assert (await app.journal.verify()).head.seq == 0


async def test_a_note_that_fails_leaves_no_change(app, client, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("half-way")

    with monkeypatch.context() as broken:
        broken.setattr(app.journal, "append", fail)
        with pytest.raises(RuntimeError):
            await client.remember("queue", "use NATS")

    assert await client.recall("") == []


async def test_a_note_says_whose_change_it_was_and_where(client):
    written = await client.remember("queue", "use NATS", workspace_hash="w", agent_id="ann")

    answer = await client.run("timeline", {"include_audit": True, "entity_id": written["id"]})

    [item] = answer["items"]
    assert (item["agent_id"], item["workspace_hash"]) == ("ann", "w")
    assert item["category"] == "note"


async def test_an_import_is_noted_by_slices(app, client, import_records):
    records = [{"category": "c", "key": str(n), "body_json": f'"text {n}"'} for n in range(200)]

    await import_records(app, records, embed=False)

    noted = await _noted(client)
    assert sum(said["created"] for _, _, said in noted) == 200
    assert {what for what, _, _ in noted} == {"import"}
    assert len(noted) < 10
