"""Links lead no tool to tell of foreign or archived memories, or of damaged ones what they say."""

import json

import pytest

_HERE = {"category": "note", "key": "a"}
_CALLS = [
    ("recall", {"query": "the tale of a"}),
    ("recall", {"query": ""}),
    ("recall", {"query": "tale", "mode": "fts5"}),
    ("recall", {"query": "tale", "mode": "dense"}),
    ("recall_when", {"context": "about to sail the ferry"}),
    ("history", _HERE),
    ("traverse", _HERE),
    ("traverse", {**_HERE, "direction": "both", "max_depth": 3}),
    ("purge", {**_HERE, "dry_run": True}),
]


@pytest.fixture
async def linked(client, world):
    """A memory of a team with links to its own, a foreign, an archived and a global one; ids."""
    ids = await world("a@team own@team foreign@other gone@team everyone")
    body = json.dumps({"content": "the tale of a", "recall_when": ["sail the ferry"]})
    for key in ("own", "foreign", "gone", "everyone"):
        link = {"from_category": "note", "from_key": "a", "to_id": ids[key]}
        await client.run("link", link)
    await client.remember("a", body, workspace_hash="team")
    await client.run("forget", {"category": "note", "key": "gone", "workspace_hash": "team"})
    return ids


@pytest.mark.parametrize(("tool", "arguments"), _CALLS, ids=lambda value: str(value)[:50])
async def test_links_are_shown_to_what_the_asker_may_see_alone(
    app, client_of, linked, tool, arguments
):
    scoped = json.dumps(await client_of(app, "team").run(tool, arguments))
    unscoped = json.dumps(await client_of(app).run(tool, {**arguments, "workspace_hash": "*"}))

    assert linked["own"] in scoped
    assert linked["everyone"] in scoped
    assert linked["foreign"] not in scoped
    # What shows nothing to anybody would pass as well.
    assert linked["foreign"] in unscoped
    if tool != "purge":
        assert linked["gone"] not in scoped + unscoped


async def test_no_way_leads_through_another_workspace(app, client_of, client, linked):
    link = {"from_category": "note", "from_key": "foreign", "to_id": linked["own"]}
    await client.run("link", link)

    answers = [
        await client_of(app, "team").run("path", {"from_id": linked["a"], "to_id": linked["own"]}),
        await client_of(app, "team").run("related", {"ids": [linked["a"]]}),
        await client_of(app, "team").run("communities", {"min_size": 0}),
    ]

    assert linked["own"] in json.dumps(answers)
    assert linked["foreign"] not in json.dumps(answers)


async def test_what_a_foreign_memory_superseded_does_not_tell_its_id(app, client_of, client, world):
    ids = await world("a@team foreign@other")
    names = {"from_category": "note", "from_key": "a", "to_category": "note", "to_key": "foreign"}
    await client.run("supersede", names)

    asked = {"query": "", "status": "deprecated", "limit": 10}
    shown, whole = [await client_of(app, scope).run("recall", asked) for scope in ("team", None)]

    assert [item["key"] for item in shown["items"]] == ["a"]
    assert ids["foreign"] not in json.dumps(shown)
    assert ids["foreign"] in json.dumps(whole)


@pytest.mark.plain
async def test_a_body_that_changed_on_the_disk_is_named_and_not_told(client, world):
    ids = await world("a b c", ["a b", "b c", "c a"])

    def damage(tx):
        tx.run("UPDATE main.entities SET body_json = replace(body_json, 'tale', 'lie!')")

    await client.app.database.write(damage)
    walked = await client.run("traverse", {"category": "note", "key": "a"})
    path = await client.run("path", {"from_id": ids["a"], "to_id": ids["c"]})
    related = await client.run("related", {"ids": [ids["a"]]})
    await client.run("communities", {})
    told = await client.run("global_recall", {"query": "tale lie"})

    assert len(walked["traversed"]) == 2
    assert len(path["path"]) == 2
    assert len(related["related"]) == 2
    for one in (walked["entity"], *walked["traversed"], *path["path"], *related["related"]):
        assert one["damaged"]
    assert "lie!" not in json.dumps([walked, path, related, told])
