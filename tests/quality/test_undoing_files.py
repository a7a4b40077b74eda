"""Undoing what was done to files: each is again where it was and says what it said."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.errors import Conflict, InvalidInput, NotFound

_PATHS = ("a.md", "b.md", "d/a.md", "d/e/a.md")
_PLACES = (*_PATHS, "d", "d/e", "f")
_PATH, _PLACE = st.sampled_from(_PATHS), st.sampled_from(_PLACES)
_STEPS = st.one_of(
    st.tuples(st.just("create"), _PATH, st.sampled_from(["one", "two", "three"])),
    st.tuples(st.just("rename"), _PLACE, _PLACE),
    st.tuples(st.just("rename"), _PLACE, _PLACE),
)
_MADE = "SELECT id FROM journal WHERE seq > ? AND kind = 'audit' ORDER BY seq DESC"
_SOURCE = "memories-adapter"


@pytest.fixture
def files(client):
    async def run(command, **arguments):
        return await client.run("memories", {"command": command, **arguments})

    return run


@pytest.fixture
def tree(client):
    """What the files of a workspace say, by path."""

    async def read(workspace=""):
        rows = await client.rows(
            "SELECT key, body_json FROM entities WHERE archived = 0 AND workspace_hash = ?",
            (workspace,),
        )
        return dict(rows)

    return read


@pytest.fixture
async def renamed(files, clock, last):
    """A file that was renamed from a.md to d/b.md; the entry of that."""
    await files("create", path="a.md", file_text="one")
    clock.advance()
    await files("create", path="a.md", file_text="two")
    clock.advance()
    await files("rename", old_path="a.md", new_path="d/b.md")
    clock.advance()
    return await last()


async def test_a_renamed_file_goes_back_with_its_versions_and_there_again(
    client, files, tree, renamed, last, clock
):
    before = {"a.md": '{"content": "two"}'}
    after = {"d/b.md": '{"content": "two"}'}

    undone = await client.run("undo", {"journal_id": renamed})

    [step] = undone["undone"]
    assert (step["action"], step["key"], step["new_key"]) == ("renamed", "d/b.md", "a.md")
    assert await tree() == before
    assert (await files("view", path="a.md"))["id"] == step["entity_id"]
    assert [item["key"] for item in await client.recall("a.md two", mode="fts5")] == ["a.md"]
    versions = await client.run("history", {"category": "memories", "key": "a.md"})
    assert [version["content"] for version in versions["versions"]] == ["two", "two", "one"]
    clock.advance()
    await client.run("undo", {"journal_id": await last()})
    assert await tree() == after


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("a.md", "something else is at /memories/a.md now"),
        ("a.md/b.md", "/memories/a.md is a directory now"),
    ],
)
async def test_a_file_whose_place_is_taken_stays_and_that_is_said(
    client, files, tree, renamed, path, why
):
    await files("create", path=path, file_text="another")
    before = await tree()

    with pytest.raises(Conflict, match=why):
        await client.run("undo", {"journal_id": renamed})
    assert await tree() == before


async def test_a_file_in_what_is_a_file_now_stays(client, files, renamed, last):
    await files("rename", old_path="d/b.md", new_path="c.md")
    moved = await last()
    await files("create", path="d", file_text="another")

    with pytest.raises(Conflict, match="/memories/d is a file now"):
        await client.run("undo", {"journal_id": moved})


async def test_files_that_changed_places_change_back_in_a_sweep(client, files, tree, clock):
    await files("create", path="a.md", file_text="one")
    await files("create", path="b.md", file_text="two")
    before, since = await tree(), clock.advance()
    for old, new in (("a.md", "c.md"), ("b.md", "a.md"), ("c.md", "b.md")):
        await files("rename", old_path=old, new_path=new)
        clock.advance()
    after = await tree()
    wanted = {"source": _SOURCE, "since_unix_ms": since}

    tried = await client.run("undo", wanted)
    done = await client.run("undo", {**wanted, "dry_run": False})

    assert tried["undone"] == done["undone"]
    assert (done["total"], done["skipped"]) == (3, [])
    assert await tree() == before
    clock.advance()
    again = {**wanted, "source": "mimir_undo", "dry_run": False}
    await client.run("undo", again)
    assert await tree() == after != before


async def test_a_sweep_leaves_a_file_whose_place_is_taken_and_takes_back_the_rest(
    client, files, tree, renamed
):
    await client.remember("a.md", "what the user says", category="memories")

    done = await client.run("undo", {"source": _SOURCE, "since_unix_ms": 0, "dry_run": False})

    [left] = done["skipped"]
    assert (left["journal_id"], left["why"]) == (renamed, "something else is at /memories/a.md now")
    assert set(await tree()) == {"a.md", "d/b.md"}


@given(steps=st.lists(_STEPS, min_size=2, max_size=8), kept=st.integers(0, 3))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_undone_is_as_if_it_had_not_been(client, clock, files, tree, steps, kept):
    [(rows,)] = await client.rows("SELECT coalesce(max(row_id), 0) FROM entities")
    workspace = f"w{rows}"

    async def done(command, path, more):
        [(seq,)] = await client.rows("SELECT coalesce(max(seq), 0) FROM journal")
        own = {"path": path, "file_text": more}
        said = own if command == "create" else {"old_path": path, "new_path": more}
        try:
            await files(command, **said, workspace_hash=workspace)
        except (InvalidInput, NotFound):
            return []
        clock.advance()
        return [id for (id,) in await client.rows(_MADE, (seq,))]

    states, entries = [await tree(workspace)], []
    times = [clock.now]
    for step in steps:
        entries.append(await done(*step))
        states.append(await tree(workspace))
        times.append(clock.now)
    place = min(kept, len(steps))

    swept = {"source": _SOURCE, "since_unix_ms": times[place], "workspace_hash": workspace}
    await client.run("undo", {**swept, "dry_run": False})
    clock.advance()
    assert await tree(workspace) == states[place]
    for number in reversed(range(place)):
        for id in entries[number]:
            await client.run("undo", {"journal_id": id})
            clock.advance()
        assert await tree(workspace) == states[number]
