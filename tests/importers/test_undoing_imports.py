"""Taking an import back by its source, as by the command."""

import json
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import App
from mimir_py.quality import undo
from tests.conftest import Client

_SOURCE = "import:jsonl"
_LIVE = "SELECT key, body_json FROM entities WHERE archived = 0 ORDER BY key"


async def _report(done: int) -> None:
    pass


def _write(path: Path, said: dict[str, str]) -> None:
    lines = (json.dumps({"key": key, "content": text, "id": key}) for key, text in said.items())
    path.write_text("\n".join(lines))


async def _take(app: App, path: Path, **said: str) -> None:
    _write(path, said)
    await app.imports.take("jsonl", path, report=_report)


async def _live(client: Client) -> dict[str, str]:
    return {key: json.loads(body)["content"] for key, body in await client.rows(_LIVE)}


async def test_the_tool_takes_back_what_the_command_would(
    app: App, client: Client, tmp_path: Path
) -> None:
    await client.remember("own", "I like NATS")
    await _take(app, tmp_path / "a.jsonl", one="1", two="2")

    tried = await client.run("undo", {"source": _SOURCE})
    looked = await _live(client)
    done = await client.run("undo", {"source": _SOURCE, "dry_run": False})
    after = await app.imports.undo("jsonl")

    assert tried["dry_run"] is True
    assert set(looked) == {"own", "one", "two"}
    assert tried["undone"] == done["undone"]
    assert {(step["key"], step["action"]) for step in done["undone"]} == {
        ("one", "archived"),
        ("two", "archived"),
    }
    assert (done["total"], len(done["journal_ids"]), after.undone) == (2, 2, 0)
    assert set(await _live(client)) == {"own"}


async def test_only_what_came_since_is_taken_back_and_what_it_changed_is_as_before(
    app: App, client: Client, tmp_path: Path, clock: Any
) -> None:
    await _take(app, tmp_path / "a.jsonl", one="1", two="2")
    before = await _live(client)
    clock.advance()
    since = clock.now
    await _take(app, tmp_path / "a.jsonl", one="1", two="another", three="3")
    taken = await _live(client)

    done = await client.run("undo", {"source": _SOURCE, "since_unix_ms": since, "dry_run": False})

    assert taken == {"one": "1", "two": "another", "three": "3"}
    actions = {step["key"]: step["action"] for step in done["undone"]}
    assert actions == {"two": "restored", "three": "archived"}
    assert await _live(client) == before
    assert [item["key"] for item in await client.recall("another", mode="fts5")] == []


async def test_undoing_an_import_can_be_undone(app: App, client: Client, tmp_path: Path) -> None:
    await _take(app, tmp_path / "a.jsonl", one="1", two="2")
    before = await _live(client)
    await client.run("undo", {"source": _SOURCE, "dry_run": False})

    sweep = {"source": "mimir_undo", "since_unix_ms": 0, "dry_run": False}
    await client.run("undo", sweep)

    assert await _live(client) == before


async def test_what_was_changed_here_since_is_left_and_named(
    app: App, client: Client, tmp_path: Path, clock: Any
) -> None:
    await _take(app, tmp_path / "a.jsonl", one="1", two="2")
    clock.advance()
    ours = await client.remember("one", "ours now", category="general")

    done = await client.run("undo", {"source": _SOURCE, "dry_run": False})

    assert done["skipped"] == [{"entity_id": ours["id"], "why": "was changed by others since"}]
    assert await _live(client) == {"one": "ours now"}


async def test_a_version_that_no_entry_tells_of_keeps_an_import_from_being_undone(
    app: App, client: Client, tmp_path: Path, clock: Any
) -> None:
    await _take(app, tmp_path / "a.jsonl", one="1")
    clock.advance()
    [(id,)] = await client.rows("SELECT id FROM entities")
    line = {"id": id, "category": "general", "key": "one", "body_json": '{"content":"a backup"}'}
    await app.vault.import_lines([json.dumps(line)], replace=True, report=_report)

    done = await client.run("undo", {"source": _SOURCE, "dry_run": False})

    assert [left["entity_id"] for left in done["skipped"]] == [id]
    assert await _live(client) == {"one": "a backup"}


async def test_a_session_takes_back_nothing_of_another_workspace(
    client_of: Any, app: App, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"key": "one", "content": "1"}))
    await app.imports.take("jsonl", path, workspace="b", report=_report)

    theirs = await client_of(app, "a").run("undo", {"source": _SOURCE, "dry_run": False})
    own = await client_of(app, "b").run("undo", {"source": _SOURCE, "dry_run": False})

    assert (theirs["total"], own["total"]) == (0, 1)


async def test_a_large_import_is_undone_whole_and_listed_in_part(
    app: App, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "_AT_ONCE", 2)
    monkeypatch.setattr(undo, "_MOST_LISTED", 3)
    await _take(app, tmp_path / "a.jsonl", **{f"k{n}": str(n) for n in range(7)})

    done = await client.run("undo", {"source": _SOURCE, "dry_run": False})

    assert done["total"] == 7
    assert (len(done["undone"]), len(done["journal_ids"])) == (3, 3)
    assert await _live(client) == {}
