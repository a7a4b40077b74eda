"""Undoing a merge: the observation goes, its sources come back, and both in turn."""

import pytest

from mimir_py.errors import Conflict

_ALIKE = (
    "deploys to production go through the release train on tuesdays",
    "deploys to production go through the release train on tuesdays now",
    "all deploys to production go through the release train on tuesdays",
)
_SWEPT = {"source": "mimir_consolidate", "since_unix_ms": 0}


@pytest.fixture
async def merged(client, clock, live):
    """A merge of three memories: what was live before, its entry, and its observation."""
    for number, text in enumerate(_ALIKE):
        await client.remember(f"d{number}", text)
    await client.remember("other", "the cafeteria closes early on fridays")
    before = await live()
    clock.advance()
    answer = await client.run("consolidate", {"category": "note", "archive_sources": True})
    assert answer["sources_archived"] == 3
    clock.advance()
    [entry] = await client.rows("SELECT id FROM journal WHERE event_type = 'consolidate'")
    return before, entry[0], answer["observations"][0]["entity_id"]


async def test_undoing_a_merge_and_undoing_that_are_as_if_they_had_not_been(
    client, clock, live, merged
):
    before, entry, observation = merged
    states = [await live()]

    for _ in range(3):
        tried = await client.run("undo", {"journal_id": entry, "dry_run": True})
        assert await live() == states[-1]
        done = await client.run("undo", {"journal_id": entry})
        assert tried["undone"] == done["undone"]
        assert done["undone"][0]["entity_id"] == observation
        assert (done["total"], len(done["journal_ids"]), done["skipped"]) == (4, 4, [])
        [entry, *_] = done["journal_ids"]
        states.append(await live())
        clock.advance()

    assert states[1] == states[3] == before
    assert states[2] == states[0] != before


async def test_a_source_that_was_changed_since_is_left_and_said(client, merged, live):
    _, entry, observation = merged
    answer = await client.remember("d1", "deploys go out whenever they are ready")

    undone = await client.run("undo", {"journal_id": entry})

    actions = {step["key"]: step["action"] for step in undone["undone"]}
    assert actions.pop("d0") == actions.pop("d2") == "revived"
    assert list(actions.values()) == ["archived"]
    [left] = undone["skipped"]
    assert left["entity_id"] == answer["id"]
    assert "changed since" in left["why"]
    [held] = await client.recall("ready", mode="fts5")
    assert held["content"] == "deploys go out whenever they are ready"
    again = await client.run("undo", {"journal_id": undone["journal_ids"][0]})
    assert {step["key"] for step in again["undone"]} & {"d0", "d1", "d2"} == {"d0", "d2"}
    assert set(await live()) == {"other", "d1", (await client.get(observation))["key"]}


async def test_a_merge_that_was_built_on_is_not_undone(client, merged, live):
    _, entry, observation = merged
    held = await client.get(observation)
    await client.remember(held["key"], "deploys are on tuesdays", category="observation")
    before = await live()

    with pytest.raises(Conflict, match="changed since"):
        await client.run("undo", {"journal_id": entry})

    assert await live() == before


async def test_one_source_can_be_taken_back_alone_and_is_then_left(client, merged, live):
    _, entry, _ = merged
    rows = await client.rows(
        "SELECT id FROM journal WHERE event_type = 'forget' AND key = 'd1' ORDER BY seq"
    )
    await client.run("undo", {"journal_id": rows[-1][0]})

    undone = await client.run("undo", {"journal_id": entry})

    assert {step["key"] for step in undone["undone"]} >= {"d0", "d2"}
    assert [left["why"] for left in undone["skipped"]] == ["it was undone already"]
    assert {"d0", "d1", "d2", "other"} == set(await live())


async def test_what_was_erased_since_is_said(client, merged, live):
    _, entry, _ = merged
    await client.run("purge", {"category": "note", "key": "d1"})

    undone = await client.run("undo", {"journal_id": entry})

    [left] = undone["skipped"]
    assert left["why"].startswith("the memory is gone: it was erased")
    assert {"d0", "d2", "other"} == set(await live())


async def test_merges_of_a_time_are_undone_by_their_source(client, clock, merged, live):
    before, _, _ = merged
    after = await live()

    tried = await client.run("undo", _SWEPT)
    done = await client.run("undo", {**_SWEPT, "dry_run": False})

    assert tried["undone"] == done["undone"]
    assert (done["total"], done["skipped"]) == (4, [])
    assert await live() == before
    clock.advance()
    await client.run("undo", {"source": "mimir_undo", "since_unix_ms": 0, "dry_run": False})
    assert await live() == after


async def test_a_merge_that_was_undone_is_not_made_again(client, merged):
    _, entry, _ = merged
    await client.run("undo", {"journal_id": entry})

    again = await client.run("consolidate", {"category": "note", "archive_sources": True})

    assert again["observations_created"] == 0


async def test_a_merge_that_kept_its_sources_is_undone_by_forgetting_the_observation(
    client, live, last
):
    for number, text in enumerate(_ALIKE):
        await client.remember(f"d{number}", text)
    before = await live()
    await client.run("consolidate", {"category": "note"})

    undone = await client.run("undo", {"journal_id": await last()})

    assert [step["action"] for step in undone["undone"]] == ["archived"]
    assert await live() == before


async def test_a_source_comes_back_under_every_key_it_had(client, clock):
    for number, text in enumerate(_ALIKE):
        await client.remember(f"d{number}", text)
    await client.remember("d0-too", _ALIKE[0])
    clock.advance()
    await client.run("consolidate", {"category": "note", "archive_sources": True})
    [(entry,)] = await client.rows("SELECT id FROM journal WHERE event_type = 'consolidate'")
    clock.advance()

    await client.run("undo", {"journal_id": entry})

    assert await client.rows("SELECT key FROM aliases") == [("d0-too",)]
