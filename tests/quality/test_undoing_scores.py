"""Undoing a score: what a memory was worth before, to the last digit."""

import json

import pytest

from mimir_py.errors import Conflict, InvalidInput
from mimir_py.journal import AUDIT, Entry

_NAME = {"category": "note", "key": "queue"}
_AGENT = {"source": "agent", "since_unix_ms": 0, "dry_run": False}


@pytest.fixture
def worth(client):
    async def read():
        [found] = await client.rows(
            "SELECT decay_score, importance, verified FROM entities WHERE key = 'queue'"
        )
        return found

    return read


async def test_a_score_is_undone_and_that_as_well(client, clock, worth, last):
    await client.remember("queue", "use NATS", importance=0.1 + 0.2)
    before = await worth()
    await client.run("score", {**_NAME, "score": 0.9})
    after = await worth()
    clock.advance()

    undone = await client.run("undo", {"journal_id": await last()})

    assert [step["action"] for step in undone["undone"]] == ["scored"]
    assert await worth() == before != after
    clock.advance()
    await client.run("undo", {"journal_id": await last()})
    assert await worth() == after


async def test_a_score_is_undone_for_a_memory_that_was_forgotten_when_it_was_given(
    client, clock, worth, last
):
    await client.remember("queue", "use NATS")
    before = await worth()
    await client.forget("queue")
    await client.run("score", {**_NAME, "score": 0.9})

    await client.run("undo", {"journal_id": await last()})

    assert await worth() == before


async def test_a_change_before_a_score_is_not_undone_over_it(client, clock, worth, last):
    await client.remember("queue", "use NATS")
    clock.advance()
    await client.remember("queue", "use Kafka")
    changed = await last()
    clock.advance()
    await client.run("score", {**_NAME, "score": 0.9})
    scored = await last()

    with pytest.raises(Conflict, match="undo the later change first"):
        await client.run("undo", {"journal_id": changed})
    clock.advance()
    await client.run("undo", {"journal_id": scored})
    await client.run("undo", {"journal_id": changed})

    assert [item["content"] for item in await client.recall("queue")] == ["use NATS"]


@pytest.mark.parametrize("order", ["text first", "score first"])
async def test_a_sweep_takes_back_text_and_score(client, clock, worth, order, live):
    await client.remember("queue", "use NATS", importance=0.3)
    before, was_worth = await live(), await worth()
    clock.advance()
    since = clock.now
    steps = [
        ("remember", {**_NAME, "body_json": "use Kafka", "importance": 0.6}),
        ("score", {**_NAME, "score": 0.9}),
    ]
    for tool, arguments in steps if order == "text first" else reversed(steps):
        await client.run(tool, arguments)
        clock.advance()
    after, is_worth = await live(), await worth()

    done = await client.run("undo", {**_AGENT, "since_unix_ms": since})

    assert {step["action"] for step in done["undone"]} == {"restored", "scored"}
    assert (await live(), (await worth())[1:]) == (before, was_worth[1:])
    clock.advance()
    await client.run("undo", {**_AGENT, "source": "mimir_undo", "since_unix_ms": since})
    assert (await live(), (await worth())[1:]) == (after, is_worth[1:])


async def test_a_score_that_does_not_say_what_was_before_is_refused_and_skipped(
    client, app, clock, worth
):
    memory = await client.remember("queue", "use NATS")
    said = json.dumps({"score": 0.9})
    entry = Entry("score", kind=AUDIT, entity_id=memory["id"], acted_json=said)
    recorded = await app.journal.record(entry)
    instead = "score the memory again"

    with pytest.raises(InvalidInput, match=f"journal_id.*{instead}"):
        await client.run("undo", {"journal_id": recorded.id})

    swept = await client.run("undo", _AGENT)
    assert [(left["journal_id"], left["why"].endswith(instead)) for left in swept["skipped"]] == [
        (recorded.id, True)
    ]
    assert [step["action"] for step in swept["undone"]] == ["archived"]
