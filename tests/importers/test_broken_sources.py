"""Files of other programs that are broken in part: that is named, and the rest comes in."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import App
from tests.conftest import Client


async def _take(app: App, name: str, path: Path) -> Any:
    async def report(done: int) -> None:
        pass

    looked = await app.imports.look(name, path)
    taken = await app.imports.take(name, path, report=report)
    assert vars(looked) == vars(taken)
    return taken


def _database(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


async def test_an_id_that_cannot_be_stored_is_named_and_the_rest_comes_in(
    app: App, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"content": "half \\ud800"}\n{"content": "whole"}\n')

    taken = await _take(app, "jsonl", path)

    [why] = taken.problems.values()
    assert "lone surrogate" in why
    assert taken.created == 1


async def test_a_table_that_breaks_off_is_taken_up_to_there(app: App, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('content\none\ntwo\n"three')

    taken = await _take(app, "csv", path)

    assert taken.created == 2
    assert taken.problems == {"line 4 and what follows": "unexpected end of data"}


async def test_a_long_field_of_a_table_is_as_good_as_any(
    app: App, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"content\n{'x' * 200_000}\nshort\n")

    taken = await _take(app, "csv", path)

    assert (taken.created, taken.problems) == (2, {})


async def test_rows_before_the_damage_of_a_file_come_in(app: App, tmp_path: Path) -> None:
    rows = [f"INSERT INTO memories VALUES ('h{n}', '{'x' * 900}')" for n in range(400)]
    path = _database(
        tmp_path / "a.db", "CREATE TABLE memories (content_hash TEXT, content TEXT)", *rows
    )
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + b"\xff" * 8_192 + content[half + 8_192 :])

    taken = await _take(app, "mcp-memory-service", path)

    assert 100 < taken.created < 400
    [(place, why)] = taken.problems.items()
    assert place == f"memories, after row {taken.created}"
    assert "malformed" in why


_RMEM = (
    "CREATE TABLE memories (id, user_id, text)",
    "CREATE TABLE relations (user_id, source, destination)",
    "CREATE TABLE entities (user_id, name)",
    "INSERT INTO memories VALUES (1, 'ada', 'likes NATS')",
    "INSERT INTO relations VALUES ('ada', 'a', 'b')",
    "INSERT INTO entities VALUES ('ada', 'a')",
)
_MNEMO = (
    "CREATE TABLE memory_chunks (id, content)",
    "CREATE TABLE memory_chunk_entities (chunk_id)",
    "INSERT INTO memory_chunks VALUES (1, 'likes NATS')",
)


@pytest.mark.parametrize(
    ("name", "statements", "created", "problem"),
    [
        ("rmem", _RMEM, 2, ("relations", "the table has no column relation")),
        ("mnemo", _MNEMO, 1, ("memory_chunk_entities", "the table has no column entity_id")),
    ],
    ids=["rmem", "mnemo"],
)
async def test_a_table_without_a_column_is_named_and_the_others_come_in(
    app: App, tmp_path: Path, name: str, statements: Any, created: int, problem: tuple[str, str]
) -> None:
    taken = await _take(app, name, _database(tmp_path / "a.db", *statements))

    assert taken.created == created
    assert taken.problems == dict([problem])


async def test_fields_of_any_type_stop_nothing(app: App, tmp_path: Path) -> None:
    odd = (None, True, 5, -1.5, 10**30, "", "text", ["a", None], {"b": 1})
    items = [{"id": f"n-{n}", "memory": "text", "created_at": value, "user_id": value,
              "categories": value, "metadata": value, "agent_id": value}
             for n, value in enumerate(odd)]  # fmt: skip
    path = tmp_path / "mem0.json"
    path.write_text(json.dumps({"results": items}))

    taken = await _take(app, "mem0", path)

    assert (taken.created, taken.problems) == (len(odd), {})
