"""Stores of the Rust program, copied whole."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import App
from mimir_py.errors import ForeignStore, KeyRefused, NotFound
from mimir_py.security import Trust
from tests.conftest import Client
from tests.importers.rust_files import KEY, RustStore, sealed

LEVELS = range(1, 11)


def _files(path: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in path.parent.iterdir()
    }


@pytest.mark.parametrize("level", LEVELS)
async def test_every_level_arrives_whole(
    app: App, client: Client, rust_store: Callable[..., Path], migrate: Any, level: int
) -> None:
    path = rust_store(level)
    before = _files(path)

    done = await migrate(app, path)

    assert (done.total, done.created, done.errors, done.missing) == (4, 4, [], 0)
    assert done.versions == (2 if level >= 4 else 0)
    assert (done.journal_entries, done.state_values) == (2, 1)
    assert _files(path) == before
    kept = await client.get("mem-000000000001")
    assert kept["body_json"] == '{"content":"use NATS"}'
    assert (kept["tags"], kept["layer"], kept["retrieval_count"]) == (["infra", "ü"], "core", 7)
    assert kept.get("workspace_hash", "") == ("w1" if level >= 3 else "")
    [(topic, verified, decay)] = await client.rows(
        "SELECT topic_path, verified, decay_score FROM entities WHERE key = 'queue'"
    )
    assert (topic, verified, decay) == ("infra/bus", 1, 0.25)
    assert await client.rows("SELECT target_id, relationship, weight FROM links") == [
        ("mem-000000000002", "depends_on", 0.7)
    ]
    found = await client.recall("NATS")
    assert [item["id"] for item in found] == ["mem-000000000001"]


@pytest.mark.parametrize("legacy", [False, True], ids=["present form", "older form"])
async def test_encrypted_texts_are_opened(
    app: App, client: Client, rust_store: Callable[..., Path], migrate: Any, legacy: bool
) -> None:
    done = await migrate(app, rust_store(encrypted=True, legacy=legacy), key=KEY)

    assert (done.created, done.versions, done.errors) == (4, 2, [])
    text = json.loads((await client.get("mem-000000000003"))["body_json"])
    assert text == {"content": "just a file\nof text"}
    assert [item["id"] for item in await client.recall("NATS")] == ["mem-000000000001"]


async def test_what_was_believed_and_what_happened_come_along(
    app: App, client: Client, rust_store: Callable[..., Path], migrate: Any
) -> None:
    await migrate(app, rust_store())

    versions = await client.run("history", {"category": "note", "key": "queue"})
    was = await client.run("as_of", {"category": "note", "key": "queue", "as_of_unix_ms": 1_500})
    lost = await client.run("as_of", {"category": "note", "key": "lost", "as_of_unix_ms": 1_500})
    events = await client.run("timeline", {})
    state = await client.run("state_get", {"key": "cursor"})
    verdict = await app.journal.verify()

    assert "use Kafka" in json.dumps(versions)
    assert "use Kafka" in json.dumps(was)
    assert "lost" in json.dumps(lost)
    assert {"jrn-0123456789ab", "jrn-ba9876543210"} <= {item["id"] for item in events["items"]}
    assert json.loads(state["value"]) == {"page": 3}
    assert verdict.fault is None
    assert await client.rows("SELECT id, summary FROM communities") == [
        ("com-0123456789abcdef", "messaging")
    ]


async def test_doing_it_again_changes_nothing_even_after_use(
    app: App, client: Client, rust_store: Callable[..., Path], migrate: Any
) -> None:
    path = rust_store()
    await migrate(app, path)
    await client.recall("NATS")
    await client.remember("queue", '{"content":"use Redis"}', workspace_hash="w1")
    before = await client.rows("SELECT count(*) FROM entity_history")

    again = await migrate(app, path)

    assert (again.created, again.updated, again.unchanged, again.errors) == (0, 0, 4, [])
    assert (again.journal_entries, again.state_values) == (0, 0)
    assert await client.rows("SELECT count(*) FROM entity_history") == before
    assert (await client.get("mem-000000000001"))["body_json"] == '{"content":"use Redis"}'


async def test_what_the_source_learned_since_comes_in_as_an_update(
    app: App, client: Client, tmp_path: Path, migrate: Any, clock: Any
) -> None:
    store = RustStore(tmp_path / "old.db")
    store.remember("mem-00000000000a", "queue", {"content": "use Kafka"})
    await migrate(app, tmp_path / "old.db")
    store.connection.execute(
        "UPDATE entities SET body_json = ?, recorded_at_unix_ms = ?",
        ('{"content":"use NATS"}', clock.now + 5),
    )

    done = await migrate(app, tmp_path / "old.db")

    store.close()
    assert (done.updated, done.errors) == (1, [])
    assert (await client.get("mem-00000000000a"))["body_json"] == '{"content":"use NATS"}'


async def test_what_cannot_be_read_is_named_and_the_rest_arrives(
    app: App, client: Client, tmp_path: Path, migrate: Any
) -> None:
    store = RustStore(tmp_path / "old.db")
    good = sealed('{"a":1}', "note", "good")
    store.remember("mem-good", "good", '{"a":1}', stored=good)
    store.remember("mem-moved", "moved", '{"a":1}', stored=good)
    store.remember("mem-zero", "zero", "a\0b")
    store.remember("mem-time", "time", "{}", at="yesterday")
    store.remember("mem-tags", "tags", '{"b":2}', tags="infra")
    store.connection.execute(
        "INSERT INTO entities (id, key, body_json, created_at_unix_ms, last_accessed_unix_ms)"
        " VALUES ('mem-utf8', 'utf8', CAST(x'ff' AS TEXT), 1, 1)"
    )
    # Not encrypted: its words are indexed as they stand.
    text = good[:-4] + "AAAA"
    store.remember("mem-b64", "b64", text, category="memories")
    store.close()

    done = await migrate(app, tmp_path / "old.db", key=KEY)

    assert done.total == 7
    assert (done.created, done.missing) == (3, 0)
    named = {error.partition(":")[0] for error in done.errors}
    assert named == {"mem-moved", "mem-zero", "mem-time", "mem-utf8", "mem-tags"}
    assert json.loads((await client.get("mem-b64"))["body_json"]) == {"content": text}


async def test_a_name_that_is_taken_here_is_reported(
    app: App, client: Client, rust_store: Callable[..., Path], migrate: Any
) -> None:
    await client.remember("queue", '{"content":"ours"}', workspace_hash="w1")

    done = await migrate(app, rust_store())

    assert (done.created, done.missing) == (3, 1)
    assert any(error.startswith("mem-000000000001: not stored") for error in done.errors)


@pytest.mark.parametrize("key", [None, bytes(32)], ids=["no key", "wrong key"])
async def test_an_encrypted_store_is_refused_without_its_key(
    app: App, client: Client, rust_store: Callable[..., Path], migrate: Any, key: bytes | None
) -> None:
    with pytest.raises(KeyRefused, match="encrypted"):
        await migrate(app, rust_store(encrypted=True), key=key)

    assert await client.rows("SELECT count(*) FROM entities") == [(0,)]


async def test_no_file_and_no_database_are_told_apart(
    app: App, tmp_path: Path, migrate: Any
) -> None:
    (tmp_path / "diary").write_text("Dear diary\n" * 40)

    with pytest.raises(NotFound, match="there is no file"):
        await migrate(app, tmp_path / "absent.db")
    with pytest.raises(ForeignStore, match="not a SQLite database"):
        await migrate(app, tmp_path / "diary")
    assert not (tmp_path / "absent.db").exists()


async def test_trust_is_that_of_the_channel_each_came_through(
    app: App, client: Client, rust_store: Callable[..., Path], migrate: Any
) -> None:
    await migrate(app, rust_store())

    trust = dict(await client.rows("SELECT id, trust FROM entities"))
    assert trust["mem-000000000001"] == Trust.AGENT
    assert trust["mem-000000000004"] == Trust.WEB


async def test_an_agent_gets_no_more_trust_into_the_store_than_an_import(
    client: Client, rust_store: Callable[..., Path]
) -> None:
    answer = await client.run("migrate", {"from_path": str(rust_store())})

    assert (answer["total_old_memories"], answer["entities_created"]) == (4, 4)
    trust = dict(await client.rows("SELECT id, trust FROM entities"))
    assert trust["mem-000000000001"] == Trust.IMPORT


async def test_memories_from_before_keys_get_keys_that_differ(
    app: App, client: Client, tmp_path: Path
) -> None:
    store = RustStore(tmp_path / "old.db", 1)
    run = store.connection.execute
    run("DROP TABLE entities")
    run(
        "CREATE TABLE memories (id TEXT, content TEXT, type TEXT, summary TEXT, relevance REAL,"
        " decay_score REAL, retrieval_count INT, layer TEXT, topic_path TEXT, created_at INT,"
        " last_accessed_at INT, workspace_hash TEXT, tags TEXT, links TEXT, source TEXT,"
        " verified INT)"
    )
    for number in "12":
        run(
            "INSERT INTO memories (id, content, summary, created_at, workspace_hash, tags)"
            " VALUES (?, ?, '', 7, 'w9', '[\"t\"]')",
            ("0123456789-0123456789-" + number, "text " + number),
        )
    run("INSERT INTO memories (id, content, created_at) VALUES ('other', 'x', 7)")
    store.close()

    answer = await client.run("migrate", {"from_path": str(tmp_path / "old.db")})

    assert (answer["entities_created"], answer["errors"]) == (3, [])
    keys = {key for (key,) in await client.rows("SELECT key FROM entities")}
    assert keys == {
        "migrated-0123456789-0123456789-1",
        "migrated-0123456789-0123456789-2",
        "migrated-other",
    }
    first = await client.get("0123456789-0123456789-1")
    assert json.loads(first["body_json"]) == {"content": "text 1", "summary": ""}
    assert first["tags"] == ["t", "workspace:w9"]
