"""What other memory programs keep, taken in."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import App
from mimir_py.errors import ForeignStore, InvalidInput, TransferError
from mimir_py.importers.formats import FORMATS
from mimir_py.importers.formats.models import id_of, unix_ms
from mimir_py.security import Trust
from tests.conftest import Client

_AT = "2025-01-02T03:04:05Z"
_AT_MS = 1_735_787_045_000


def _lines(*items: object) -> str:
    return "\n".join(map(json.dumps, items)) + "\n"


def _graph(path: Path) -> Path:
    path.write_text(
        _lines(
            {
                "type": "entity",
                "name": "Ada",
                "entityType": "person",
                "observations": ["likes NATS"],
            },
            {"type": "entity", "name": "NATS", "entityType": "tool", "observations": ["a broker"]},
            {"type": "relation", "from": "Ada", "to": "NATS", "relationType": "uses"},
        )
    )
    return path


def _mem0(path: Path) -> Path:
    item = {"id": "m-1", "memory": "Ada likes NATS", "user_id": "ada", "created_at": _AT,
            "categories": ["preference"], "metadata": {"tags": ["infra"]}}  # fmt: skip
    path.write_text(json.dumps({"results": [item, {"id": "m-2", "memory": "likes tea"}]}))
    return path


def _notes(path: Path) -> Path:
    path.mkdir()
    (path / "brokers").mkdir()
    (path / "ada.md").write_text(
        f"---\ntitle: Ada\ntype: person\ntags: [people]\ncreated: {_AT}\n---\n# Ada\n\n"
        "- [preference] likes NATS #infra\n- uses [[NATS]]\n"
    )
    (path / "brokers" / "nats.md").write_text("---\ntitle: NATS\n---\nA broker, see [[Ada]].\n")
    return path


def _database(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    connection = sqlite3.connect(path)
    for name, rows in tables.items():
        connection.execute(f"CREATE TABLE {name} ({', '.join(rows[0])})")
        for row in rows:
            places = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {name} VALUES ({places})", list(row.values()))
    connection.commit()
    connection.close()
    return path


def _service(path: Path) -> Path:
    row = {"content_hash": "h1", "content": "Ada likes NATS", "tags": "infra,people",
           "memory_type": "preference", "metadata": "{}", "created_at": _AT_MS / 1000,
           "updated_at": _AT_MS / 1000, "deleted_at": None}  # fmt: skip
    rows = [row, {**row, "content_hash": "h2", "content": "a NATS cluster"}]
    return _database(path, {"memories": [*rows, {**row, "content_hash": "h3", "deleted_at": 1.0}]})


def _rmem(path: Path) -> Path:
    at = "2025-01-02 03:04:05"
    fact = {"id": "f1", "user_id": "ada", "text": "likes NATS", "category": "preference",
            "embedding": b"\0\xff", "created_at": at, "updated_at": at}  # fmt: skip
    person = {"id": 1, "user_id": "ada", "name": "Ada", "entity_type": "person", "created_at": at}
    return _database(
        path,
        {
            "memories": [fact],
            "archive": [{"id": "f0", "user_id": "ada", "text": "likes Kafka",
                         "archived_at": "2025-01-03 00:00:00", "original_created_at": at}],
            "entities": [person, {**person, "id": 2, "name": "NATS", "entity_type": "tool"}],
            "relations": [{"user_id": "ada", "source": "Ada", "relation": "uses",
                           "destination": "NATS", "valid": 1}],
        },
    )  # fmt: skip


def _mnemo(path: Path) -> Path:
    entity = {"id": "e1", "name": "Ada", "entity_type": '"person"', "aliases": '["A."]',
              "attributes": "{}", "confidence": 0.9, "created_at": _AT}  # fmt: skip
    return _database(
        path,
        {
            "memory_chunks": [{"id": "c1", "content": "Ada likes NATS", "session_id": "s1",
                               "embedding": "[]", "created_at": _AT}],
            "memory_chunk_entities": [{"chunk_id": "c1", "entity_id": "e1"}],
            "entities": [entity, {**entity, "id": "e2", "name": "NATS", "aliases": "[]"}],
            "relations": [{"id": "r", "from_id": "e1", "to_id": "e2",
                           "relation_type": '"uses"', "weight": 0.8}],
        },
    )  # fmt: skip


def _agent_files(path: Path) -> Path:
    path.mkdir()
    (path / "CLAUDE.md").write_text("# Rules\n\nUse NATS.\n\n## Tests\n\n```\n# no heading\n```\n")
    (path / "MEMORY.md").write_text("Ada likes NATS\n")
    return path


def _jsonl(path: Path) -> Path:
    path.write_text(_lines({"text": "Ada likes NATS", "tags": "a,b"}, {"key": "k", "content": "x"}))
    return path


def _csv(path: Path) -> Path:
    path.write_text('key,content,tags,created_at\nqueue,"use\nNATS",infra,2025-01-02\n')
    return path


# How many memories and links each example has.
EXAMPLES: Mapping[str, tuple[Callable[[Path], Path], int, int]] = {
    "mcp-memory": (_graph, 2, 1),
    "mem0": (_mem0, 2, 0),
    "basic-memory": (_notes, 2, 2),
    "mcp-memory-service": (_service, 2, 0),
    "rmem": (_rmem, 4, 1),
    "mnemo": (_mnemo, 3, 2),
    "claude": (_agent_files, 3, 0),
    "codex": (_agent_files, 3, 0),
    "jsonl": (_jsonl, 2, 0),
    "csv": (_csv, 1, 0),
}


async def _report(done: int) -> None:
    pass


def test_every_format_has_an_example() -> None:
    assert EXAMPLES.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_source_comes_in_marked_and_only_once(
    app: App, client: Client, tmp_path: Path, name: str
) -> None:
    make, memories, links = EXAMPLES[name]
    path = make(tmp_path / "source")
    looked = await app.imports.look(name, path)
    assert await client.rows("SELECT count(*) FROM entities") == [(0,)]

    first = await app.imports.take(name, path, report=_report)
    again = await app.imports.take(name, path, report=_report)

    assert (looked, first.created, first.problems) == (first, memories, {})
    assert (again.created, again.updated, again.unchanged) == (0, 0, memories)
    marks = set(await client.rows("SELECT source, trust FROM entities"))
    assert marks == {(f"import:{name}", Trust.IMPORT)}
    kept = await client.rows("SELECT count(*) FROM links l JOIN entities e ON e.id = l.target_id")
    assert kept == [(links,)]
    assert any("NATS" in item["body_json"] for item in await client.recall("NATS"))


@pytest.mark.parametrize("name", ["mem0", "basic-memory", "mcp-memory-service", "rmem", "mnemo"])
async def test_times_and_tags_are_those_of_the_source(
    app: App, client: Client, tmp_path: Path, name: str
) -> None:
    await app.imports.take(name, EXAMPLES[name][0](tmp_path / "source"), report=_report)

    rows = await client.rows("SELECT created_at_unix_ms, tags FROM entities")
    assert any(created == _AT_MS and json.loads(tags) for created, tags in rows)


async def test_what_changed_in_the_source_becomes_a_version(
    app: App, client: Client, tmp_path: Path, clock: Any
) -> None:
    path = _graph(tmp_path / "graph.jsonl")
    await app.imports.take("mcp-memory", path, report=_report)
    clock.advance()
    path.write_text(path.read_text().replace("likes NATS", "likes Kafka"))

    taken = await app.imports.take("mcp-memory", path, report=_report)

    assert (taken.created, taken.updated, taken.unchanged) == (0, 1, 1)
    ada = await client.get(id_of("mcp-memory", "Ada"))
    assert "likes Kafka" in ada["body_json"]
    versions = await client.rows("SELECT body_json FROM entity_history")
    assert ["likes NATS" in body for (body,) in versions] == [True]


async def test_what_was_edited_here_stays(app: App, client: Client, tmp_path: Path) -> None:
    path = _graph(tmp_path / "graph.jsonl")
    await app.imports.take("mcp-memory", path, report=_report)
    await client.run("remember", {"category": "person", "key": "Ada", "body_json": "ours now"})

    taken = await app.imports.take("mcp-memory", path, report=_report)

    assert (taken.unchanged, taken.problems) == (2, {})
    assert "ours now" in (await client.get(id_of("mcp-memory", "Ada")))["body_json"]


async def test_an_import_is_undone_as_a_whole_and_nothing_else(
    app: App, client: Client, tmp_path: Path
) -> None:
    await client.remember("own", "I like NATS")
    path = _graph(tmp_path / "graph.jsonl")
    await app.imports.take("mcp-memory", path, report=_report)

    undone = await app.imports.undo("mcp-memory", path)

    assert undone.undone == 2
    assert [item["key"] for item in await client.recall("NATS")] == ["own"]


async def _live(client: Client) -> list[tuple[Any, ...]]:
    said = "SELECT id, key, category, workspace_hash, body_json, tags, source, trust FROM entities"
    return sorted(await client.rows(f"{said} WHERE archived = 0"))


@pytest.mark.parametrize("name", EXAMPLES)
async def test_all_that_came_from_a_program_is_undone_as_a_batch(
    app: App, client: Client, tmp_path: Path, name: str
) -> None:
    await client.remember("own", "I like NATS")
    await client.remember("shared", "Ada likes NATS")
    before, found = await _live(client), await client.recall("NATS")
    taken = await app.imports.take(name, EXAMPLES[name][0](tmp_path / "source"), report=_report)

    undone = await app.imports.undo(name)
    again = await app.imports.undo(name)

    assert (undone.undone, again.undone) == (taken.created, 0)
    assert await _live(client) == before
    assert [item["id"] for item in await client.recall("NATS")] == [item["id"] for item in found]
    [(told,)] = await client.rows("SELECT acted_json FROM journal WHERE event_type = 'import'")
    assert json.loads(told)["from"] == f"import:{name}"


async def test_undoing_one_program_leaves_another_ones_and_what_was_edited_here(
    app: App, client: Client, tmp_path: Path
) -> None:
    await app.imports.take("mcp-memory", _graph(tmp_path / "graph.jsonl"), report=_report)
    await app.imports.take("mem0", _mem0(tmp_path / "mem0.json"), report=_report)
    await client.run("remember", {"category": "person", "key": "Ada", "body_json": "ours now"})

    undone = await app.imports.undo("mcp-memory")

    assert undone.undone == 1
    kept = await client.rows("SELECT key, source FROM entities WHERE archived = 0")
    assert ("Ada", "import:mcp-memory") in kept
    assert [source for _, source in kept].count("import:mem0") == 2
    assert len(kept) == 3


async def test_a_dry_run_tells_of_news_conflicts_and_secrets_what_the_real_one_does(
    app: App, client: Client, tmp_path: Path, clock: Any
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(_lines({"key": "a", "content": "one"}, {"key": "b", "content": "two"}))
    await app.imports.take("jsonl", path, report=_report)
    [(category,)] = await client.rows("SELECT DISTINCT category FROM entities")
    await client.run("remember", {"category": category, "key": "c", "body_json": "our own"})
    clock.advance()
    path.write_text(
        _lines(
            {"key": "a", "content": "one more"},
            {"key": "b", "content": "two"},
            {"key": "c", "content": "theirs"},
            {"key": "d", "content": "the key AKIAIOSFODNN7EXAMPLQ"},
            {"key": "e", "content": "a NUL \0"},
            {"key": "d", "content": "the key AKIAIOSFODNN7EXAMPLQ"},
        )
    )

    looked = await app.imports.look("jsonl", path)
    changed = await client.rows("SELECT count(*) FROM entity_history")
    taken = await app.imports.take("jsonl", path, report=_report)

    assert looked == taken
    assert changed == [(0,)]
    assert taken.problems.keys() > set()


async def test_a_broken_part_is_named_and_the_rest_comes_in(
    app: App, client: Client, tmp_path: Path
) -> None:
    path = _graph(tmp_path / "graph.jsonl")
    path.write_text(
        path.read_text()
        + '{"type": "entity"\n[1]\n{"type":"note"}\n'
        + '{"type":"entity","name":"nul","observations":["a\\u0000b"]}\n'
    )

    taken = await app.imports.take("mcp-memory", path, report=_report)

    assert taken.created == 2
    assert {"line 4", "line 5", "line 6", id_of("mcp-memory", "nul")} == set(taken.problems)


async def test_yaml_that_refers_to_itself_links_and_other_encodings_are_not_read(
    app: App, tmp_path: Path
) -> None:
    folder = _notes(tmp_path / "notes")
    (folder / "bomb.md").write_text("---\na: &a [x]\nb: [*a, *a]\n---\ntext\n")
    (folder / "latin.md").write_bytes(b"caf\xe9")
    (tmp_path / "outside.md").write_text("secret")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")

    taken = await app.imports.take("basic-memory", folder, report=_report)

    assert taken.created == 2
    assert len(taken.problems) == 3
    assert "references" in taken.problems["bomb.md"]


async def test_two_of_the_same_name_both_come_in(app: App, client: Client, tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    path.write_text(_lines({"id": 1, "key": "k", "text": "a"}, {"id": 2, "key": "k", "text": "b"}))

    await app.imports.take("jsonl", path, report=_report)

    assert {key for (key,) in await client.rows("SELECT key FROM entities")} == {"k", "k (2)"}


async def test_what_is_no_such_source_is_refused_by_name(app: App, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("Dear diary")
    other = _database(tmp_path / "other.db", {"places": [{"id": 1}]})

    with pytest.raises(InvalidInput, match="must be one of mcp-memory"):
        await app.imports.take("notion", text, report=_report)
    for name in ("rmem", "mnemo", "mcp-memory-service"):
        with pytest.raises(ForeignStore):
            await app.imports.take(name, text, report=_report)
        with pytest.raises(ForeignStore):
            await app.imports.take(name, other, report=_report)
    with pytest.raises(TransferError):
        await app.imports.take("mcp-memory", tmp_path, report=_report)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (_AT, _AT_MS),
        (_AT_MS, _AT_MS),
        (_AT_MS / 1000, _AT_MS),
        ("2025-01-02 03:04:05", _AT_MS),
        (str(_AT_MS), _AT_MS),
        ("soon", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_times_are_read_in_the_usual_forms(given: object, expected: int | None) -> None:
    assert unix_ms(given) == expected
