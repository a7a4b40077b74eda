"""Text that changed on the disk is never served as what was stored."""

import pytest

from mimir_py.errors import DamagedStore


async def _flip(app, table: str, old: str, new: str) -> None:
    """Change text where it lies, as a disk does: no checksum follows."""
    await app.database.write(
        lambda tx: tx.run(
            f"UPDATE main.{table} SET body_json = replace(body_json, ?, ?)", (old, new)
        )
    )


async def test_a_body_that_changed_on_the_disk_is_refused_by_name(client):
    stored = await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    await _flip(client.app, "entities", "Friday", "Fridax")

    with pytest.raises(DamagedStore, match=stored["id"]):
        await client.get(stored["id"])


async def test_recall_leaves_a_damaged_memory_out_and_says_which(client):
    damaged = await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    whole = await client.remember("release", '{"content":"releases happen on Monday"}')
    await _flip(client.app, "entities", "Friday", "Fridax")

    for query in ("what happens on which day", ""):
        answer = await client.run("recall", {"query": query})

        assert [item["id"] for item in answer["items"]] == [whole["id"]]
        assert answer["damaged"] == [damaged["id"]]


async def test_an_undamaged_store_names_no_damage(client):
    await client.remember("deploy", '{"content":"deploys happen on Friday"}')

    answer = await client.run("recall", {"query": "deploys"})

    assert len(answer["items"]) == 1
    assert "damaged" not in answer


async def test_remembering_again_mends_a_memory_and_its_old_version_stays_damaged(client):
    stored = await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    await _flip(client.app, "entities", "Friday", "Fridax")

    again = await client.remember("deploy", '{"content":"deploys happen on Tuesday"}')

    assert again["action"] == "updated"
    assert "Tuesday" in (await client.get(stored["id"]))["body_json"]
    with pytest.raises(DamagedStore, match=stored["id"]):
        await client.run("history", {"category": "note", "key": "deploy"})


async def test_the_damaged_text_itself_remembered_again_is_a_new_version(client):
    stored = await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    await _flip(client.app, "entities", "Friday", "Fridax")

    await client.remember("deploy", '{"content":"deploys happen on Fridax"}')

    assert "Fridax" in (await client.get(stored["id"]))["body_json"]


async def test_an_old_version_that_changed_on_the_disk_is_refused(client):
    await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    await client.remember("deploy", '{"content":"deploys happen on Tuesday"}')
    await _flip(client.app, "entity_history", "Friday", "Fridax")

    with pytest.raises(DamagedStore):
        await client.run("history", {"category": "note", "key": "deploy"})


async def test_a_damaged_memory_can_be_forgotten(client):
    await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    await _flip(client.app, "entities", "Friday", "Fridax")

    assert await client.forget("deploy")


async def test_tags_that_are_no_longer_tags_are_damage_and_not_a_crash(client):
    stored = await client.remember("deploy", '{"content":"deploys"}', tags=["ops"])
    await client.app.database.write(lambda tx: tx.run("UPDATE main.entities SET tags = '[x'"))

    with pytest.raises(DamagedStore, match=stored["id"]):
        await client.get(stored["id"])


async def test_text_that_is_not_utf_8_is_damage_of_that_memory(client):
    stored = await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    await client.app.database.write(
        lambda tx: tx.run("UPDATE main.entities SET body_json = CAST(x'7b226122' || x'ff' AS TEXT)")
    )

    with pytest.raises(DamagedStore, match=stored["id"]):
        await client.get(stored["id"])


async def test_a_vector_cut_short_does_not_stop_recall(client):
    await client.remember("deploy", '{"content":"deploys happen on Friday"}')
    await client.remember("release", '{"content":"releases happen on Monday"}')
    await client.app.database.write(
        lambda tx: tx.run("UPDATE main.chunks SET vector = substr(vector, 1, 7) WHERE row_id = 1")
    )

    items = await client.recall("when do releases happen")

    assert {item["key"] for item in items} >= {"release"}
