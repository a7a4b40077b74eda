"""Linking and unlinking: what is stored, what it survives, what is refused."""

import pytest

from mimir_py.errors import InvalidInput, NotFound


def _ends(source, target, **more):
    return {"from_category": "note", "from_key": source, "to_id": target, **more}


async def _links(client, key, **more):
    [item] = [item for item in await client.recall("", limit=50, **more) if item["key"] == key]
    return [(link["target_id"], link["relationship"], link["weight"]) for link in item["links"]]


async def test_a_link_is_stored_once_however_often_it_is_made(client, world):
    ids = await world("a b")

    answers = [await client.run("link", _ends("a", ids["b"])) for _ in range(3)]

    assert [answer["created"] for answer in answers] == [True, False, False]
    assert await _links(client, "a") == [(ids["b"], "related", 0.5)]


async def test_linking_again_leaves_the_file_as_it_is(client, world):
    ids = await world("a b", ["a b uses"])
    seen = "SELECT max(seq) FROM changes"
    before = await client.rows(seen), await client.rows("SELECT * FROM entities")

    await client.run("link", _ends("a", ids["b"], relationship="uses"))
    await client.run("unlink", _ends("b", ids["a"]))

    assert (await client.rows(seen), await client.rows("SELECT * FROM entities")) == before


async def test_memories_may_be_linked_in_more_than_one_way(client, world):
    ids = await world("a b", ["a b uses", "a b owns"])

    assert await _links(client, "a") == [(ids["b"], "uses", 0.5), (ids["b"], "owns", 0.5)]

    await client.run("unlink", _ends("a", ids["b"], relationship="uses"))
    assert await _links(client, "a") == [(ids["b"], "owns", 0.5)]


async def test_a_walk_over_links_of_a_kind_shows_those(client, world):
    ids = await world("a b c", ["a b uses", "a c owns"])

    wanted = {"category": "note", "key": "a", "relationships": ["uses"]}
    shown = (await client.run("traverse", wanted))["entity"]["links"]

    assert [(link["target_id"], link["relationship"]) for link in shown] == [(ids["b"], "uses")]


async def test_unlinking_takes_out_every_kind_of_link_to_that_memory_and_no_other(client, world):
    ids = await world("a b c", ["a b uses", "a b owns", "a c", "b a"])

    first = await client.run("unlink", _ends("a", ids["b"]))
    again = await client.run("unlink", _ends("a", ids["b"]))

    assert (first["removed"], again["removed"]) == (2, 0)
    assert first["success"] is again["success"] is True
    assert await _links(client, "a") == [(ids["c"], "related", 0.5)]
    assert await _links(client, "b") == [(ids["a"], "related", 0.5)]


async def test_a_weight_and_a_note_are_kept_until_others_are_given(client, world):
    ids = await world("a b", ["a b uses 0.25"])

    await client.run("link", _ends("a", ids["b"], relationship="uses", note="by phone"))
    await client.run("link", _ends("a", ids["b"], relationship="uses"))
    await client.run("link", _ends("a", ids["b"], relationship="uses", weight=0.75))

    [step] = (await client.run("traverse", {"category": "note", "key": "a"}))["traversed"]
    assert (step["weight"], step["note"]) == (0.75, "by phone")


@pytest.mark.parametrize("weight", [0.0, 1.0, 1 / 3, 0.1 + 0.2, 5e-324])
async def test_a_weight_comes_back_to_the_last_digit(client, world, weight):
    ids = await world("a b")

    await client.run("link", _ends("a", ids["b"], weight=weight))

    assert await _links(client, "a") == [(ids["b"], "related", weight)]


async def test_a_link_to_itself_is_stored_and_leads_nowhere(client, world):
    ids = await world("a", ["a a"])

    answer = await client.run("traverse", {"category": "note", "key": "a"})

    assert answer["entity"]["links"] == [{"target_id": ids["a"], "relationship": "related"}]
    assert answer["traversed"] == []


async def test_links_are_found_from_both_ends_by_an_index(client):
    for column in ("source_row_id", "target_id"):
        plan = await client.rows(
            f"EXPLAIN QUERY PLAN SELECT link_id FROM main.links WHERE {column} = 1"
        )
        assert "USING" in plan[0][3]
        assert "INDEX idx_links" in plan[0][3]


@pytest.mark.parametrize("tool", ["link", "unlink"])
async def test_an_unknown_source_is_refused(client, world, tool):
    ids = await world("a")

    with pytest.raises(NotFound, match="Source entity not found: note/zzz"):
        await client.run(tool, _ends("zzz", ids["a"]))


async def test_a_target_that_is_unknown_forgotten_or_purged_is_refused(client, world):
    ids = await world("a b c")
    await client.forget("b")
    await client.app.memories.delete(ids["c"])

    for target in ("mem-none", ids["b"], ids["c"]):
        with pytest.raises(NotFound, match=f"Target entity not found: {target}"):
            await client.run("link", _ends("a", target))
    assert await _links(client, "a") == []


async def test_words_over_the_limit_are_refused_by_name(client, world):
    ids = await world("a b")

    for field in ("relationship", "note"):
        with pytest.raises(InvalidInput, match=field):
            await client.run("link", _ends("a", ids["b"], **{field: "x" * 2_000}))
    assert await _links(client, "a") == []


async def test_secrets_are_taken_out_of_a_note(client, world):
    ids = await world("a b")
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"

    answer = await client.run("link", _ends("a", ids["b"], note=f"the token is {secret}"))

    assert answer["redacted"]
    [step] = (await client.run("traverse", {"category": "note", "key": "a"}))["traversed"]
    assert secret not in step["note"]


# What links survive


async def test_links_stay_when_their_memories_change(client, world, clock):
    ids = await world("a b", ["a b uses"])
    clock.advance(5)

    await client.remember("a", "another tale", tags=["new"])
    await client.remember("b", "a third tale")

    assert await _links(client, "a") == [(ids["b"], "uses", 0.5)]
    [version] = (await client.run("history", {"category": "note", "key": "a"}))["versions"]
    assert [link["target_id"] for link in version["links"]] == [ids["b"]]


async def test_linking_makes_no_version(client, world):
    await world("a b", ["a b uses"])

    assert (await client.run("history", {"category": "note", "key": "a"}))["total"] == 0


async def test_a_purged_memory_leaves_no_link_behind(client, world):
    ids = await world("a b c", ["a b", "b c", "c a"])

    await client.app.memories.delete(ids["b"])

    assert await _links(client, "a") == []
    assert await client.rows("SELECT count(*) FROM links") == [(1,)]
    assert await _links(client, "c") == [(ids["a"], "related", 0.5)]


async def test_links_of_a_forgotten_memory_come_back_with_it(client, world):
    ids = await world("a b", ["a b uses", "b a"])
    await client.forget("b")
    hidden = await client.run("traverse", {"category": "note", "key": "a", "direction": "both"})

    await client.remember("b", "the tale of b")
    seen = await client.run("traverse", {"category": "note", "key": "a", "direction": "both"})

    assert (hidden["entity"]["links"], hidden["traversed"]) == ([], [])
    assert [step["id"] for step in seen["traversed"]] == [ids["b"]]


async def test_another_connection_sees_links_at_once(client, other_client, world):
    ids = await world("a b c", ["a b"])

    await other_client.run("link", _ends("b", ids["c"]))
    await client.run("unlink", _ends("a", ids["b"]))
    await client.run("link", _ends("c", ids["a"]))

    for each in (client, other_client):
        found = await each.run("traverse", {"category": "note", "key": "b"})
        assert [step["key"] for step in found["traversed"]] == ["c", "a"]


async def test_a_link_tells_other_processes_that_the_memory_changed(client, world):
    ids = await world("a b", ["a b"])

    kinds = await client.rows(
        "SELECT kind FROM changes WHERE entity_id = ? ORDER BY seq", (ids["a"],)
    )

    assert [kind for (kind,) in kinds] == ["create", "link"]


async def test_recall_finds_what_was_linked_a_moment_ago(client, world):
    ids = await world("harbour lantern")
    await client.run("link", _ends("harbour", ids["lantern"]))

    found = await client.recall("harbour", explain=True, mode="hybrid")

    [lantern] = [item for item in found if item["key"] == "lantern"]
    assert lantern["explanation"]["is_linked"]


# Workspaces


async def test_a_link_across_workspaces_is_named_as_one(client, world):
    ids = await world("a@one b@two")

    answer = await client.run("link", _ends("a", ids["b"]))

    assert answer["crosses_workspaces"] is True


async def test_a_scoped_session_links_to_no_other_workspace(app, client_of, client, world):
    ids = await world("a@one b@two c")
    session = client_of(app, "one")

    with pytest.raises(NotFound, match="Target"):
        await session.run("link", _ends("a", ids["b"]))
    with pytest.raises(NotFound, match="Source"):
        await session.run("link", _ends("b", ids["a"]))
    answer = await session.run("link", _ends("a", ids["c"]))

    assert answer["crosses_workspaces"] is True
    with pytest.raises(NotFound, match="Target"):
        await client.run("link", _ends("a", ids["c"], workspace_hash="one"))


async def test_the_source_is_that_of_the_workspace_named(client, world):
    ids = await world("c")
    for workspace in ("one", "two"):
        await client.remember("a", f"in {workspace}", workspace_hash=workspace)
    await client.remember("b", "in two", workspace_hash="two")
    target = (await client.recall("", workspace_hash="two"))[0]["id"]

    await client.run("link", _ends("a", target, workspace_hash="two"))

    assert await _links(client, "a", workspace_hash="one") == []
    assert await _links(client, "a", workspace_hash="two") == [(target, "related", 0.5)]
    assert ids["c"] != target
