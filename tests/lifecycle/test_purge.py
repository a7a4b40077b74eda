"""Erasing for good."""

import asyncio
from pathlib import Path

import pytest

from mimir_py.entities import Link, links
from mimir_py.errors import InvalidInput
from mimir_py.storage.backup import back_up, backup_folder, dated


async def _purge(client, **arguments):
    return await client.run("purge", arguments)


async def _counts(client) -> dict[str, int]:
    tables = ("entities", "entity_history", "aliases", "entity_text", "chunks")
    return {table: (await client.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in tables}


def _numbers(answer) -> tuple[int, int, int]:
    return (
        answer["entities_deleted"],
        answer["history_rows_deleted"],
        answer["aliases_deleted"],
    )


def _files(path: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes()
        for file in path.parent.iterdir()
        if file.is_file() and file.suffix != ".db-shm"
    }


@pytest.fixture
async def stocked(client):
    """One live memory, a forgotten one with two versions, and one that never changed."""
    await client.remember("live", "the harbour opens at nine in the morning")
    for hour in ("six", "seven", "eight"):
        await client.remember("gone", f"the old ferry left the harbour at {hour} sharp")
    await client.remember("other", "a forgotten memory without versions")
    await client.forget("gone")
    await client.forget("other")
    return client


async def test_what_was_forgotten_is_erased_and_the_rest_stays(stocked):
    answer = await _purge(stocked)

    assert _numbers(answer) == (2, 2, 0)
    assert answer["finished"] is True
    assert answer["backups_holding"] == []
    assert await _counts(stocked) == {
        "entities": 1, "entity_history": 0, "aliases": 0, "entity_text": 1, "chunks": 1,
    }  # fmt: skip
    assert [item["key"] for item in await stocked.recall("harbour")] == ["live"]


async def test_purging_again_does_nothing(stocked):
    await _purge(stocked)

    answer = await _purge(stocked)

    assert (_numbers(answer), answer["bytes_freed"]) == ((0, 0, 0), 0)


async def test_a_dry_run_says_what_the_run_does_and_changes_no_byte(stocked, store_path):
    before = _files(store_path)

    said = await _purge(stocked, dry_run=True)

    assert _files(store_path) == before
    assert (said["dry_run"], said["bytes_freed"]) == (True, 0)
    assert _numbers(said) == _numbers(await _purge(stocked))


async def test_a_live_memory_is_erased_by_its_id(stocked):
    [(memory_id,)] = await stocked.rows("SELECT id FROM entities WHERE key = 'live'")

    answer = await _purge(stocked, id=memory_id)

    assert _numbers(answer) == (1, 0, 0)
    assert await stocked.recall("harbour nine") == []
    assert (await _counts(stocked))["entities"] == 2


async def test_a_memory_is_erased_by_its_name_in_every_workspace_unless_one_is_named(client):
    for workspace in ("a", "b", "c"):
        await client.remember("x", f"said in {workspace}", workspace_hash=workspace)

    one = await _purge(client, category="note", key="x", workspace_hash="b")
    rest = await _purge(client, category="note", key="x")

    assert [_numbers(one), _numbers(rest)] == [(1, 0, 0), (2, 0, 0)]


async def test_a_session_of_a_project_purges_that_project_only(client, app, client_of):
    for workspace in ("a", "b"):
        await client.remember("x", f"said in {workspace}", workspace_hash=workspace)
    await client.forget("x")

    answer = await _purge(client_of(app, "a"))

    assert _numbers(answer) == (1, 0, 0)
    assert _numbers(await _purge(client_of(app, "a"), workspace_hash="*")) == (1, 0, 0)


async def test_other_keys_of_a_memory_go_with_it(client):
    first = await client.remember("first", "the very same sentence under two keys")
    await client.remember("second", "the very same sentence under two keys")

    answer = await _purge(client, id=first["id"])

    assert _numbers(answer) == (1, 0, 1)
    assert await client.recall("very same sentence") == []
    assert set((await _counts(client)).values()) == {0}


@pytest.mark.plain
async def test_versions_whose_memory_is_gone_are_erased_too(client, app):
    memory = await client.remember("x", "as it was first")
    await client.remember("x", "as it was then")

    def orphan(tx):
        tx.run("UPDATE main.entity_history SET id = 'mem-of-nobody'")

    await app.database.write(orphan)

    assert _numbers(await _purge(client, dry_run=True)) == (0, 1, 0)
    assert _numbers(await _purge(client)) == (0, 1, 0)
    assert await client.get(memory["id"])


async def test_a_memory_remembered_again_meanwhile_is_not_purged(client, app):
    await client.remember("x", "back again")
    await client.forget("x")
    await client.remember("x", "back again")

    assert _numbers(await _purge(client)) == (0, 0, 0)


async def test_memories_that_repeat_the_text_are_named(client):
    gone = await client.remember("x", "the vault opens with four turns")
    summary = await client.remember(
        "summary", "We learned that the vault opens with four turns, and wrote it down elsewhere."
    )

    answer = await _purge(client, id=gone["id"])

    assert answer["quoted_in"] == [summary["id"]]


async def test_backups_that_still_have_it_are_named(client, app, store_path):
    folder = backup_folder(store_path)
    engine = app.database.engine
    before, with_it, edited = (dated(store_path, folder, number * 1_000) for number in (1, 2, 3))
    await client.remember("other", "something else")
    back_up(store_path, before, engine, 5_000)
    gone = await client.remember("x", "a secret kept in two backups")
    back_up(store_path, with_it, engine, 5_000)
    await client.forget("x")
    back_up(store_path, edited, engine, 5_000)

    said = await _purge(client, dry_run=True)
    done = await _purge(client)
    later = await _purge(client, id=gone["id"])
    by_name = await _purge(client, category="note", key="x")

    assert done["backups_holding"] == [str(edited), str(with_it)]
    assert all(a["backups_holding"] == done["backups_holding"] for a in (said, later, by_name))


async def test_half_a_name_is_refused(stocked):
    with pytest.raises(InvalidInput, match="category"):
        await _purge(stocked, key="gone")

    assert (await _counts(stocked))["entities"] == 3


async def test_a_purge_of_many_lets_others_write_meanwhile(client, app, open_store, client_of):
    for number in range(160):
        await client.remember(f"k{number}", f"numbered {number} and soon to be gone")
        await client.forget(f"k{number}")

    async with open_store() as other:
        purging = asyncio.create_task(_purge(client))
        await client_of(other).remember("meanwhile", "written while others were erased")
        answer = await purging

    assert _numbers(answer) == (160, 0, 0)
    assert [item["key"] for item in await client.recall("erased meanwhile")] == ["meanwhile"]


@pytest.mark.plain
async def test_an_erasure_that_was_cut_short_is_finished_by_the_next(client, app, store_path):
    gone = await client.remember("x", "the unfinished zanzibarword")
    [(row_id,)] = await client.rows("SELECT row_id FROM entities")
    await app.database.checkpoint()

    def cut_short(tx):
        app.lifecycle._erase_some(tx, [row_id], only_archived=False)

    await app.database.write(cut_short)
    assert b"zanzibarword" in b"".join(_files(store_path).values())

    assert await app.lifecycle.finish()

    assert gone["id"]
    assert b"zanzibarword" not in b"".join(_files(store_path).values())


async def test_a_reader_that_keeps_the_log_is_told_of_and_waited_for(client, app, store_path):
    await client.remember("x", "held in the log by a reader")
    reading = app.database.engine.dbapi.connect(store_path, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM entities").fetchone()

    answer = await _purge(client, category="note", key="x")
    reading.close()

    assert (_numbers(answer), answer["finished"]) == ((1, 0, 0), False)
    assert await app.lifecycle.finish()
    assert b"held in the log" not in b"".join(_files(store_path).values())


async def test_what_the_journal_says_of_it_is_erased_and_the_chain_holds(client, app):
    gone = await client.remember("x", "to be erased")
    await client.run("journal", {"event_type": "seen", "entity_id": gone["id"], "key": "x"})
    await client.run("journal", {"event_type": "seen", "category": "note", "key": "other"})

    said = await _purge(client, id=gone["id"], dry_run=True)
    done = await _purge(client, id=gone["id"])

    assert said["journal_rows_redacted"] == done["journal_rows_redacted"] >= 1
    assert (await _purge(client, id=gone["id"]))["journal_rows_redacted"] == 0
    kept = await client.run("timeline", {})
    assert [item["event_type"] for item in kept["items"]] == ["seen", "redacted"]
    assert (await app.journal.verify()).fault is None


async def test_memories_linked_with_it_are_named(client, app):
    summary = await client.remember("summary", "what was learned from it")
    gone = await client.remember("x", "the source of the summary")
    [(row_id,)] = await client.rows("SELECT row_id FROM entities WHERE id = ?", (gone["id"],))
    link = Link(summary["id"], "evidence_for")
    await app.database.write(lambda tx: links.insert(tx, [(row_id, link)]))

    answer = await _purge(client, id=gone["id"])

    assert answer["linked_with"] == [summary["id"]]


@pytest.mark.parametrize("erased", ["live", "gone"])
async def test_erasing_either_end_of_a_link_leaves_none_of_its_words(stocked, store_path, erased):
    remembered = await stocked.remember("gone", "the old ferry left again")
    words = {"relationship": "zanzibarquux", "note": "quuxzanzibar"}
    named = {"from_category": "note", "from_key": "live", "to_id": remembered["id"]}
    for _ in range(2):
        await stocked.run("link", {**named, **words})
        await stocked.run("unlink", named)
    await stocked.run("link", {**named, **words})

    await _purge(stocked, category="note", key=erased)

    for name, held in _files(store_path).items():
        assert not [word for word in words.values() if word.encode() in held], name
