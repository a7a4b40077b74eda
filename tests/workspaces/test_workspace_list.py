"""The tool that lists what a store is divided into."""

import pytest


@pytest.fixture
async def divided(client):
    await client.remember("one", "first", category="decision")
    await client.remember("two", "second", workspace_hash="a")
    await client.remember("three", "third", workspace_hash="a", category="lesson")
    await client.remember("four", "fourth", workspace_hash="b")
    await client.forget("four")
    return client


async def test_categories_and_workspaces_with_live_memories_are_listed(divided):
    answer = await divided.run("workspace_list", {})

    assert answer == {
        "categories": ["decision", "lesson", "note"],
        "total": 3,
        "workspaces": [
            {"workspace_hash": "", "memories": 1},
            {"workspace_hash": "a", "memories": 2},
        ],
    }


async def test_a_scoped_session_sees_its_own_and_the_global_workspace(divided, client_of):
    answer = await client_of(divided.app, "b").run("workspace_list", {})

    assert answer == {
        "categories": ["decision"],
        "total": 1,
        "workspaces": [{"workspace_hash": "", "memories": 1}],
        "session_workspace": "b",
    }


@pytest.mark.parametrize(("named", "workspaces"), [("a", ["a"]), ("*", ["", "a"]), ("c", [])])
async def test_a_named_workspace_is_the_one_that_is_listed(divided, client_of, named, workspaces):
    answer = await client_of(divided.app, "b").run("workspace_list", {"workspace_hash": named})

    assert [entry["workspace_hash"] for entry in answer["workspaces"]] == workspaces


async def test_an_empty_store_has_nothing_to_list(client):
    assert await client.run("workspace_list", {}) == {
        "categories": [],
        "total": 0,
        "workspaces": [],
    }
