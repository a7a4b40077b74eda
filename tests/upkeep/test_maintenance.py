"""Maintenance: what it finds and gives back, and that a dry run changes nothing."""

import pytest

from mimir_py.entities import Link
from mimir_py.entities import links as link_rows


@pytest.fixture
async def worn(client, app):
    """A store with a link and an event about nothing, and with free pages."""
    memory = await client.remember("x", "a memory that stays")
    for number in range(40):
        await client.remember(f"long{number}", f"{number} " + "much to say about it " * 200)
    for number in range(40):
        await client.forget(f"long{number}")
    await client.run("journal", {"event_type": "seen", "entity_id": "mem-of-nobody"})
    await client.run("journal", {"event_type": "seen", "entity_id": memory["id"]})
    await client.run("journal", {"event_type": "seen"})
    [(row_id,)] = await client.rows("SELECT row_id FROM entities WHERE key = 'x'")
    link = Link("mem-of-nobody", "knows")
    await app.database.write(lambda tx: link_rows.insert(tx, [(row_id, link)]))
    await app.database.write(lambda tx: tx.run("DELETE FROM main.entity_text WHERE row_id > 20"))
    return client


async def test_links_and_events_about_nothing_are_counted(worn):
    answer = await worn.run("maintenance", {"orphans": True})

    assert answer["orphan_links_found"] == answer["orphan_journal_entries_found"] == 1


async def test_vacuum_gives_free_pages_back(worn):
    answer = await worn.run("maintenance", {"vacuum": True})

    assert answer["vacuum_reclaimed_bytes"] >= answer["vacuum_reclaimable_bytes"] > 0
    assert (await worn.run("maintenance", {"vacuum": True}))["vacuum_reclaimable_bytes"] == 0


async def test_a_dry_run_of_everything_changes_no_byte(worn, app, store_path):
    assert await app.database.checkpoint()
    before = store_path.read_bytes()

    said = await worn.run("maintenance", {"all": True, "dry_run": True})

    assert await app.database.checkpoint()
    assert store_path.read_bytes() == before
    done = await worn.run("maintenance", {"all": True})
    changing = {"dry_run", "vacuum_reclaimed_bytes", "vacuum_reclaimable_bytes"}
    assert {name: said[name] for name in said.keys() - changing} == {
        name: done[name] for name in done.keys() - changing
    }
    assert [item["key"] for item in await worn.recall("memory that stays")] == ["x"]


async def test_a_name_in_two_workspaces_is_no_repeat(client):
    for workspace in ("a", "b"):
        await client.remember("x", "said in both", workspace_hash=workspace)

    answer = await client.run("maintenance", {"dedup": True})

    assert answer["dedup_archived"] == 0
    assert await client.rows("SELECT count(*) FROM entities WHERE archived = 0") == [(2,)]
