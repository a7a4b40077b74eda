"""What an entry says can be erased; that it was there cannot."""

import pytest

_WORD = "heliotrope"


async def _entry(app, seq):
    [item] = await app.database.read(
        lambda reader: reader.all("SELECT * FROM journal WHERE seq = :seq", {"seq": seq})
    )
    return item


@pytest.fixture
async def said(app, client):
    """A store whose entries 1, 3 and 4 are about a memory, and its id. The word is in 3 and 4."""
    written = await client.remember("flower", "which is blue", agent_id="ann")
    await client.run("journal", {"acted": "other", "key": "other"})
    await client.run("journal", {"acted": {"x": _WORD}, "entity_id": written["id"]})
    await client.run("journal", {"category": "note", "key": "flower", "evaluated": _WORD})
    return written["id"]


async def test_erasing_a_memory_erases_what_entries_say_of_it(app, client, said, store_path):
    assert await app.memories.delete(said)

    verdict = await app.journal.verify()
    await app.database.checkpoint()

    assert (verdict.intact, verdict.erased) == (True, 3)
    assert _WORD.encode() not in store_path.read_bytes()
    erased = await _entry(app, 4)
    assert erased["event_type"] == "redacted"
    assert (erased["evaluated_json"], erased["acted_json"]) == ("{}", "null")
    assert (erased["category"], erased["key"], erased["entity_id"]) == ("", "", "")
    assert (await _entry(app, 2))["key"] == "other"


@pytest.mark.plain
async def test_the_word_was_there_before(app, said, store_path):
    await app.database.checkpoint()

    assert _WORD.encode() in store_path.read_bytes()


async def test_who_wrote_an_erased_entry_and_when_stays(app, said):
    before = await _entry(app, 1)

    await app.memories.delete(said)

    after = await _entry(app, 1)
    for name in ("id", "kind", "created_at_unix_ms", "agent_id", "workspace_hash", "hash"):
        assert after[name] == before[name]


async def test_entries_of_another_workspace_under_the_same_name_stay(app, client, said):
    await client.run("journal", {"category": "note", "key": "flower", "workspace_hash": "w"})

    await app.memories.delete(said)

    assert (await _entry(app, 5))["key"] == "flower"


async def test_erasing_twice_is_recorded_once(app, said):
    first = await app.database.write(lambda tx: app.journal.erase(tx, [2]))
    again = await app.database.write(lambda tx: app.journal.erase(tx, [2]))

    verdict = await app.journal.verify()
    assert (first, again, verdict.erased) == (1, 0, 1)
    assert (verdict.intact, verdict.head.seq) == (True, 5)


async def test_what_was_erased_cannot_be_said_anew(app, said, tamper, open_store):
    await app.database.write(lambda tx: app.journal.erase(tx, [2]))

    await app.database.write(
        lambda tx: tx.update_row("journal", 2, {"acted_json": '"something else"'})
    )

    assert (await app.journal.verify()).fault.seq == 2
