"""What the commands on files do, and what they never do."""

import asyncio

import pytest

from mimir_py.errors import InvalidInput, NotFound
from mimir_py.values import GLOBAL_WORKSPACE


@pytest.fixture
def files(client):
    async def run(command, path="", **more):
        given = {"path": path} if path else {}
        return await client.run("memories", {"command": command, **given, **more})

    return run


@pytest.fixture
def text(files):
    async def read(path):
        shown = (await files("view", path))["content"]
        return [line.split("\t", 1)[1] for line in shown.splitlines()]

    return read


async def _memory(client, key):
    [found] = await client.app.memories.named("memories", key, None)
    return found


async def test_a_file_is_a_memory_like_others(client, files):
    await files("create", "notes/queue.md", file_text="we use NATS\n")

    [item] = await client.recall("NATS")

    assert (item["category"], item["key"], item["content"]) == (
        "memories",
        "notes/queue.md",
        "we use NATS\n",
    )
    assert item["id"].startswith("memf-")
    assert (item["type"], item["tags"], item["layer"]) == ("file", ["memories"], "working")
    assert item["source"] == "memories-adapter"


async def test_files_that_say_the_same_are_two_files(client, files):
    await client.remember("fact", "we use NATS", category="memories")
    for path in ("a.md", "b.md"):
        await files("create", path, file_text="we use NATS")
        await client.recall("NATS")

    assert (await files("view"))["files"] == ["a.md", "b.md", "fact"]


async def test_a_directory_lists_what_is_in_it(files):
    for path in ("b.md", "d/x.md", "d/e/y.md", "da/z.md"):
        await files("create", path, file_text="x")

    root, directory = await files("view", "/memories/"), await files("view", "/memories/d")

    assert root["files"] == ["b.md", "d/e/y.md", "d/x.md", "da/z.md"]
    assert root["directories"] == ["d", "d/e", "da"]
    assert directory == {
        "directory": "/memories/d",
        "files": ["d/e/y.md", "d/x.md"],
        "directories": ["d/e"],
        "total": 2,
    }


@pytest.mark.parametrize(
    ("view_range", "shown"),
    [
        ([2, 3], "     2\tb\n     3\tc\n"),
        ([3, -1], "     3\tc\n     4\td\n"),
        ([4, 99], "     4\td\n"),
        ([1, 1], "     1\ta\n"),
    ],
)
async def test_a_range_of_lines_is_shown(files, view_range, shown):
    await files("create", "a.md", file_text="a\nb\nc\nd\n")

    assert (await files("view", "a.md", view_range=view_range))["content"] == shown


@pytest.mark.parametrize("view_range", [[0, 1], [3, 2], [5, -1], [-1, -1], [1], [1, 2, 3]])
async def test_a_range_outside_the_file_is_refused(files, view_range):
    await files("create", "a.md", file_text="a\nb\nc\nd\n")

    with pytest.raises(InvalidInput, match="view_range"):
        await files("view", "a.md", view_range=view_range)


@pytest.mark.parametrize(
    "text_of_file", ["", "\n", "a", "a\n", "a\n\n\nb", "\tx \r\ny\x0bz\u2028w"]
)
async def test_a_text_is_kept_as_it_is(client, files, text_of_file):
    await files("create", "a.md", file_text=text_of_file)

    [entity] = await client.app.memories.named("memories", "a.md", None)
    assert (await client.app.files.view("a.md", GLOBAL_WORKSPACE)).text == text_of_file
    assert entity.category == "memories"


async def test_only_the_one_occurrence_is_replaced(files, text):
    await files("create", "a.md", file_text="port 80\nport 8080\nhost x\n")

    await files("str_replace", "a.md", old_str="host x", new_str="host y\nhost z")

    assert await text("a.md") == ["port 80", "port 8080", "host y", "host z"]
    with pytest.raises(InvalidInput, match=r"old_str: occurs 2 times \(lines 1, 2\)"):
        await files("str_replace", "a.md", old_str="port", new_str="x")
    with pytest.raises(InvalidInput, match="old_str: not found"):
        await files("str_replace", "a.md", old_str="Port", new_str="x")
    with pytest.raises(InvalidInput, match="old_str: is empty"):
        await files("str_replace", "a.md", new_str="x")
    assert await text("a.md") == ["port 80", "port 8080", "host y", "host z"]


@pytest.mark.parametrize(
    ("before", "line", "more", "after", "at"),
    [
        ("a\nb\n", 1, "x", "a\nx\nb\n", 1),
        ("a\nb\n", 0, "x\n", "x\na\nb\n", 0),
        ("a\nb\n", 2, "x", "a\nb\nx\n", 2),
        ("a\nb", 9, "x", "a\nb\nx", 2),
        ("a\nb", -4, "x\ny", "x\ny\na\nb", 0),
        ("", 0, "x\n", "x\n", 0),
        ("a\n", 1, "", "a\n\n", 1),
    ],
)
async def test_lines_are_inserted_after_the_line(client, files, before, line, more, after, at):
    await files("create", "a.md", file_text=before)

    answer = await files("insert", "a.md", insert_line=line, insert_text=more)

    assert answer["at_line"] == at
    assert (await client.app.files.view("a.md", GLOBAL_WORKSPACE)).text == after


async def test_every_edit_is_a_version(client, clock, files):
    await files("create", "a.md", file_text="one")
    clock.advance(10)
    await files("str_replace", "a.md", old_str="one", new_str="two")
    clock.advance(10)
    await files("create", "a.md", file_text="three")

    versions = (await client.run("history", {"category": "memories", "key": "a.md"}))["versions"]

    assert [version["content"] for version in versions] == ["two", "one"]


async def test_a_deleted_file_is_gone_and_can_be_made_again(client, files):
    await files("create", "a.md", file_text="one")
    await files("delete", "a.md")

    assert (await files("view"))["files"] == []
    assert await client.recall("one") == []
    with pytest.raises(NotFound, match="file not found"):
        await files("view", "a.md")
    await files("create", "a.md", file_text="two")
    assert (await files("view"))["files"] == ["a.md"]


async def test_a_directory_is_deleted_with_all_that_is_in_it(files):
    for path in ("d/x.md", "d/e/y.md", "da.md"):
        await files("create", path, file_text="x")

    answer = await files("delete", "d")

    assert answer == {"path": "/memories/d", "action": "deleted", "total": 2}
    assert (await files("view"))["files"] == ["da.md"]


async def test_history_follows_a_file_to_its_new_path(client, clock, files):
    await files("create", "a.md", file_text="one")
    made = await _memory(client, "a.md")
    clock.advance(10)
    await files("create", "a.md", file_text="two")
    then = clock.advance(10)
    await files("rename", old_path="a.md", new_path="d/b.md")
    clock.advance(10)
    await files("create", "d/b.md", file_text="three")

    versions = await client.run("history", {"category": "memories", "key": "d/b.md"})
    named = await client.run(
        "as_of", {"category": "memories", "key": "a.md", "as_of_unix_ms": then - 1}
    )
    gone = await client.run("as_of", {"category": "memories", "key": "a.md", "as_of_unix_ms": then})

    assert [version["content"] for version in versions["versions"]] == ["two", "two", "one"]
    assert versions["total"] == 3
    assert (named["found"], gone["found"]) == (True, False)
    assert (await _memory(client, "d/b.md")).id == made.id
    assert (await files("view"))["files"] == ["d/b.md"]
    assert [item["key"] for item in await client.recall("three", mode="fts5")] == ["d/b.md"]


async def test_a_file_may_take_the_path_of_a_deleted_one_whose_past_stays(client, clock, files):
    await files("create", "b.md", file_text="old")
    then = clock.advance(10)
    await files("delete", "b.md")
    clock.advance(10)
    await files("create", "a.md", file_text="new")
    clock.advance(10)

    await files("rename", old_path="a.md", new_path="b.md")

    asked = {"category": "memories", "key": "b.md"}
    past = await client.run("as_of", {**asked, "as_of_unix_ms": then - 1})
    between = await client.run("as_of", {**asked, "as_of_unix_ms": then + 1})
    now = await client.run("as_of", {**asked, "as_of_unix_ms": clock.now})
    assert (past["body_json"], between["found"]) == ('{"content": "old"}', False)
    assert now["body_json"] == '{"content": "new"}'
    assert [item["key"] for item in await client.recall("new", mode="fts5")] == ["b.md"]


async def test_a_directory_is_renamed_with_all_that_is_in_it(files):
    for path in ("d/x.md", "d/e/y.md", "da.md"):
        await files("create", path, file_text="x")

    answer = await files("rename", old_path="d", new_path="f/g")

    assert answer["total"] == 2
    assert (await files("view"))["files"] == ["da.md", "f/g/e/y.md", "f/g/x.md"]


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("a.md", "d/b.md", "already exists"),
        ("a.md", "d", "already exists"),
        ("a.md", "a.md", "already exists"),
        ("d", "d/e", "inside"),
        ("d", "a.md/d", "is a file"),
    ],
)
async def test_a_rename_overwrites_and_mixes_nothing(files, old, new, match):
    await files("create", "a.md", file_text="a")
    await files("create", "d/b.md", file_text="b")

    with pytest.raises(InvalidInput, match=match):
        await files("rename", old_path=old, new_path=new)

    assert (await files("view"))["files"] == ["a.md", "d/b.md"]


@pytest.mark.parametrize("path", ["d", "d/b.md/c.md"])
async def test_a_path_is_a_file_or_a_directory(files, path):
    await files("create", "d/b.md", file_text="b")

    with pytest.raises(InvalidInput, match="directory"):
        await files("create", path, file_text="x")

    assert (await files("view"))["files"] == ["d/b.md"]


@pytest.mark.parametrize(
    "path",
    ["..", "../x", "a/../b", "a//b", "./a", "a/.", "%2e%2e/x", "%252e%252e/x", "a%2f..%2fb",
     "..\\x", "C:\\..\\x", "a\nb", "a\x7fb", "a/ /b", "//a", "/memories/../x", "\u202ea"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["view", "create", "delete"])
async def test_no_path_leads_out_of_the_directory(files, command, path):
    with pytest.raises(InvalidInput, match="invalid path"):
        await files(command, path)


async def test_workspaces_have_files_of_their_own(client_of, app):
    ours, theirs = client_of(app, "a"), client_of(app, "b")
    create = {"command": "create", "path": "a.md", "file_text": "secret"}
    await ours.run("memories", create)

    assert (await theirs.run("memories", {"command": "view"}))["files"] == []
    with pytest.raises(NotFound):
        await theirs.run("memories", {"command": "delete", "path": "a.md"})
    assert (await ours.run("memories", {"command": "view"}))["files"] == ["a.md"]


async def test_edits_at_once_are_all_kept(files, text):
    await files("create", "a.md", file_text="")

    await asyncio.gather(
        *(files("insert", "a.md", insert_line=0, insert_text=f"line {n}") for n in range(8))
    )

    assert sorted(await text("a.md")) == [f"line {n}" for n in range(8)]


async def test_a_long_file_is_read_on_where_the_answer_ends(client_of, app):
    capped = client_of(app, max_answer_bytes=2_000)
    lines = [f"line {n} " + "x" * 50 for n in range(200)]
    create = {"command": "create", "path": "a.md", "file_text": "\n".join(lines)}
    await capped.run("memories", create)

    shown, start = "", 1
    while start:
        view = {"command": "view", "path": "a.md", "view_range": [start, -1]}
        page = await capped.run("memories", view)
        shown += page["content"]
        start = page.get("next_line", 0)

    assert [line.split("\t")[1] for line in shown.splitlines()] == lines


async def test_a_secret_in_a_file_is_taken_out(client, files, text):
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"

    await files("create", "a.md", file_text=f"token {token}")

    assert token not in (await text("a.md"))[0]
