"""Undoing: identity, nothing half-way, nothing that somebody else did, and undone in turn."""

import json

import pytest

from mimir_py.errors import Conflict, InvalidInput, NotFound

_NAME = {"category": "note", "key": "queue"}


async def _update(client):
    await client.remember(
        "queue", "use Kafka", tags=["b"], certainty=0.9, status="draft", importance=0.8
    )


async def _forget(client):
    await client.forget("queue", reason="old")


async def _supersede(client):
    await client.remember("queue-2", "use Redis")
    await client.run(
        "supersede",
        {"from_category": "note", "from_key": "queue", "to_category": "note", "to_key": "queue-2"},
    )


async def _revive(client):
    await client.forget("queue")
    await client.remember("queue", "use NATS")


async def _resolve(client):
    await client.remember("queue-2", "the queue is Kafka", certainty=0.9)
    await client.remember("queue-3", "the queue is NATS", certainty=0.1)
    done = await client.run("conflicts", {"category": "note", "resolve": True, "dry_run": False})
    assert done["resolved"] == 1


@pytest.mark.parametrize("change", [_update, _forget, _supersede, _revive, _resolve])
async def test_undoing_a_change_and_undoing_that_are_as_if_they_had_not_been(
    client, clock, state, last, change
):
    await client.remember("queue", "use NATS", tags=["a"], certainty=0.7)
    states = []

    async def noted(arguments=None):
        if arguments is not None:
            await client.run("undo", arguments)
        clock.advance(5)
        states.append(await state())

    await noted()
    await change(client)
    changed = await last()
    await noted()
    await noted({"journal_id": changed})
    undone = await last()
    await noted({"journal_id": undone})

    assert states[3] == states[1]
    of_queue = [[row for row in rows if row["key"] == "queue"] for rows, _ in states]
    if change in (_update, _supersede, _forget):
        assert of_queue[2] == of_queue[0]
        assert states[2][1] == states[0][1]
    assert states[2] != states[1]


async def test_what_was_made_is_forgotten_and_comes_back(client, last):
    answer = await client.remember("queue", "use NATS")
    made = await last()

    undone = await client.run("undo", {"journal_id": made})

    assert undone["dry_run"] is False
    assert [step["action"] for step in undone["undone"]] == ["archived"]
    assert await client.recall("NATS") == []
    await client.run("undo", {"journal_id": undone["journal_ids"][0]})
    assert [item["id"] for item in await client.recall("NATS")] == [answer["id"]]


async def test_what_is_restored_is_found_by_its_words_and_meaning(client, clock, last):
    await client.remember("queue", "parcels leave by tram")
    clock.advance()
    await client.remember("queue", "use Kafka")
    changed = await last()
    clock.advance()

    await client.run("undo", {"journal_id": changed})

    for mode in ("fts5", "dense"):
        [item] = await client.recall("parcels by tram", mode=mode, limit=1)
        assert item["content"] == "parcels leave by tram"
    assert await client.recall("Kafka", mode="fts5") == []
    assert (await client.run("history", _NAME))["total"] == 2


async def test_a_change_that_others_built_on_is_not_undone(client, clock, state, last):
    await client.remember("queue", "use NATS")
    made = await last()
    clock.advance()
    await client.remember("queue", "use Kafka")
    before = await state()

    with pytest.raises(Conflict, match="changed since"):
        await client.run("undo", {"journal_id": made})

    assert await state() == before


async def test_all_of_a_source_is_undone_and_what_others_changed_is_not(client, clock, state):
    await client.remember("kept", "an old fact")
    await client.remember("edited", "the first text")
    clock.advance(10)
    since = clock.now
    before = await state()
    files = {"command": "create", "path": "a.md", "file_text": "a note"}
    for text in ("the second text", "the third text"):
        await client.remember("edited", text)
        clock.advance()
    await client.remember("made", "a new fact")
    await client.run("memories", files)
    await client.run("memories", {**files, "path": "b.md"})
    changed = await state()
    wanted = {"source": "agent", "since_unix_ms": since}

    tried = await client.run("undo", wanted)
    untouched = await state()
    done = await client.run("undo", {**wanted, "dry_run": False})

    assert untouched == changed
    assert tried["dry_run"] is True
    assert tried["undone"] == done["undone"]
    actions = {step["key"]: step["action"] for step in done["undone"]}
    assert actions == {"edited": "restored", "made": "archived"}
    live = [row for row in (await state())[0] if not row["archived"]]
    assert [row for row in live if row["category"] == "note"] == before[0]
    assert {row["key"] for row in live} == {"kept", "edited", "a.md", "b.md"}
    await client.run("undo", {"source": "mimir_undo", "since_unix_ms": since, "dry_run": False})
    assert await state() == changed


async def test_a_memory_that_somebody_changed_later_is_skipped(client, clock):
    await client.run(
        "memories", {"command": "create", "path": "a.md", "file_text": "the agent's note"}
    )
    clock.advance()
    answer = await client.remember("a.md", "what the user says", category="memories")

    tried = await client.run("undo", {"source": "memories-adapter", "since_unix_ms": 0})

    assert tried["undone"] == []
    assert tried["skipped"] == [{"entity_id": answer["id"], "why": "was changed by others since"}]


async def test_what_a_caller_wrote_into_the_journal_undoes_nothing(client, state):
    await client.remember("queue", "use NATS")
    found = await client.run("timeline", {"include_audit": True})
    acted = {"action": "created", "source": "agent"}
    forged = await client.run(
        "journal",
        {"event_type": "remember", "acted": acted, "entity_id": found["items"][0]["entity_id"]},
    )
    before = await state()

    with pytest.raises(InvalidInput, match="journal_id"):
        await client.run("undo", {"journal_id": forged["id"]})

    assert await state() == before


async def test_a_session_undoes_nothing_of_another_workspace(client_of, app):
    theirs = client_of(app, "b")
    await theirs.remember("queue", "use NATS")
    [entry] = (await theirs.run("timeline", {"include_audit": True}))["items"]

    with pytest.raises(NotFound):
        await client_of(app, "a").run("undo", {"journal_id": entry["id"]})
    swept = {"source": "agent", "since_unix_ms": 0, "dry_run": False}
    assert (await client_of(app, "a").run("undo", swept))["total"] == 0
    assert len(await theirs.recall("NATS")) == 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "source"),
        ({"source": "agent"}, "since_unix_ms"),
        ({"since_unix_ms": 1}, "source"),
        ({"journal_id": "jrn-1", "source": "agent"}, "journal_id"),
    ],
)
async def test_what_is_to_be_undone_must_be_said(client, arguments, field):
    with pytest.raises(InvalidInput, match=f"^{field}"):
        await client.run("undo", arguments)


async def test_an_unknown_entry_is_not_found(client):
    with pytest.raises(NotFound, match="jrn-000000000000"):
        await client.run("undo", {"journal_id": "jrn-000000000000"})


async def test_the_entry_of_an_undoing_names_what_it_undid(client, last):
    await client.remember("queue", "use NATS")
    made = await last()

    answer = await client.run("undo", {"journal_id": made})

    [entry, *_] = (await client.run("timeline", {"include_audit": True}))["items"]
    assert entry["id"] == answer["journal_ids"][0]
    assert json.loads(entry["acted_json"])["undid"] == [made]
    assert entry["event_type"] == "undo"
