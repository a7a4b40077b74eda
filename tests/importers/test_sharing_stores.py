"""Copies of memories in other stores."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import App
from mimir_py.config import load
from mimir_py.errors import (
    ForeignStore,
    InvalidInput,
    KeyRefused,
    NotFound,
    StorageError,
    StoreTooNew,
)
from mimir_py.importers import OtherStore
from mimir_py.security.keys import Secret, from_key_file, make_key_file
from mimir_py.security.unlocking import unlocking
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine
from mimir_py.storage.lock import WriteLock
from tests.conftest import Client, OpenStore

_SECRET = Secret("file", bytes(range(1, 33)))


@pytest.fixture
async def other(tmp_path: Path, open_store: OpenStore) -> Path:
    """An empty store, sealed if those of the run are."""
    path = tmp_path / "other.db"
    async with open_store(path):
        pass
    return path


@pytest.fixture
def share_with(other: Path, request: pytest.FixtureRequest) -> OtherStore:
    sealed = request.config.getoption("--sealed")
    return OtherStore(other, Secret("file", bytes(range(32))) if sealed else None)


async def _fill(client: Client, clock: Any) -> tuple[str, str]:
    first = await client.remember("a", "use Kafka", workspace_hash="w1", tags=["bus"])
    second = await client.remember("b", "a broker", workspace_hash="w1")
    await client.remember("c", "somebody else's", workspace_hash="w2")
    link = {"from_category": "note", "from_key": "a", "relationship": "needs"}
    await client.run("link", {**link, "to_id": second["id"]})
    clock.advance()
    await client.remember("a", "use NATS", workspace_hash="w1")
    return first["id"], second["id"]


async def _exported(app: App) -> list[str]:
    return [line async for line in app.vault.export()]


async def test_the_same_workspace_of_another_store_gets_the_same_memories_with_all_they_are(
    app: App,
    client: Client,
    client_of: Callable[..., Client],
    clock: Any,
    share_with: OtherStore,
    open_store: OpenStore,
) -> None:
    first, second = await _fill(client, clock)

    done = await app.sharing.federate("w1", "w1", share_with)
    again = await app.sharing.federate("w1", "w1", share_with)

    assert (done.found, done.stored, done.errors) == (2, 2, [])
    assert (again.stored, again.errors) == (0, [])
    async with open_store(share_with.path) as there:
        copied = client_of(there)
        history = await copied.run("history", {"category": "note", "key": "a"})
        said = [version["body_json"] for version in history["versions"]]
        assert [text for text in said if "Kafka" in text]
        copy = await copied.get(first)
        assert "NATS" in copy["body_json"]
        assert copy["tags"] == ["bus"]
        assert await copied.rows("SELECT target_id FROM links") == [(second,)]
        trusted = await copied.rows("SELECT DISTINCT trust FROM entities")
        older = await copied.rows("SELECT DISTINCT trust FROM entity_history")
        assert trusted == older == [(3,)]
        assert await copied.rows("SELECT count(*) FROM entities") == [(2,)]


async def test_another_workspace_of_another_store_gets_memories_of_its_own(
    app: App,
    client: Client,
    client_of: Callable[..., Client],
    clock: Any,
    share_with: OtherStore,
    open_store: OpenStore,
) -> None:
    first, second = await _fill(client, clock)

    await app.sharing.federate("w1", "w9", share_with)
    again = await app.sharing.federate("w1", "w9", share_with)

    assert again.stored == 0
    async with open_store(share_with.path) as there:
        copied = client_of(there)
        ids = dict(await copied.rows("SELECT key, id FROM entities WHERE workspace_hash = 'w9'"))
        assert not {first, second} & set(ids.values())
        assert await copied.rows("SELECT target_id FROM links") == [(ids["b"],)]
        [(before,)] = await copied.rows("SELECT superseded_by FROM entity_history")
        assert before == ids["a"]


async def test_news_come_along_once_and_the_version_before_is_not_doubled(
    app: App, client: Client, clock: Any, share_with: OtherStore, open_store: OpenStore
) -> None:
    await _fill(client, clock)
    await app.sharing.federate("w1", "w1", share_with)
    clock.advance()
    await client.remember("a", "use Redis", workspace_hash="w1")
    clock.advance()
    await client.remember("a", "use Pulsar", workspace_hash="w1")

    done = await app.sharing.federate("w1", "w1", share_with)
    again = await app.sharing.federate("w1", "w1", share_with)

    assert (done.stored, again.stored) == (1, 0)
    async with open_store(share_with.path) as there:
        versions = await there.database.read(
            lambda r: r.tuples(
                "SELECT history_id, body_json, recorded_at_unix_ms, invalidated_at_unix_ms"
                " FROM entity_history ORDER BY recorded_at_unix_ms"
            )
        )
    here = await client.rows(
        "SELECT history_id, body_json, recorded_at_unix_ms, invalidated_at_unix_ms"
        " FROM entity_history WHERE key = 'a' ORDER BY recorded_at_unix_ms"
    )
    assert versions == here
    assert len(here) == 3


async def test_one_memory_is_shared_into_another_store_and_again_without_a_new_version(
    app: App,
    client: Client,
    client_of: Callable[..., Client],
    clock: Any,
    share_with: OtherStore,
    open_store: OpenStore,
) -> None:
    await _fill(client, clock)
    async with open_store(share_with.path) as there:
        own = await client_of(there).remember("a", "use RabbitMQ", workspace_hash="w1")
    clock.advance()

    shared = await app.sharing.share("note", "a", "w1", None, share_with)
    async with open_store(share_with.path) as there:
        copied = client_of(there)
        await copied.recall("NATS")
        await there.usage.flush()
        before = await copied.rows("SELECT history_id, id FROM entity_history")
    clock.advance()
    again = await app.sharing.share("note", "a", "w1", None, share_with)

    assert shared == again
    assert (shared.id, shared.action, shared.from_workspace) == (own["id"], "updated", "w1")
    async with open_store(share_with.path) as there:
        assert await client_of(there).rows("SELECT history_id, id FROM entity_history") == before
    assert {id for _, id in before} == {own["id"]}
    assert len(before) == 2


async def test_both_journals_tell_of_it(
    app: App, client: Client, clock: Any, share_with: OtherStore, open_store: OpenStore
) -> None:
    await _fill(client, clock)

    await app.sharing.federate("w1", "w1", share_with)
    await app.sharing.federate("w1", "w1", share_with)

    told = "SELECT acted_json FROM journal WHERE event_type = ?"
    gone = await client.rows(told, ("share",))
    assert gone == [('{"to": "other.db", "workspace_hash": "w1", "memories": 2}',)]
    async with open_store(share_with.path) as there:
        [(came,)] = await there.database.read(lambda r: r.tuples(told, ("import",)))
        assert (await there.journal.verify()).fault is None
    said = {"created": 2, "replaced": 0, "from": "mimir.db"}
    assert said.items() <= json.loads(came).items()


async def test_a_repeated_call_is_answered_and_kept_at_home(
    client: Client, clock: Any, share_with: OtherStore, open_store: OpenStore
) -> None:
    if share_with.secret is not None:
        pytest.skip("the tool takes a key file")
    await _fill(client, clock)
    call = {
        "from_workspace": "w1",
        "to_workspace": "w1",
        "to_db": str(share_with.path),
        "idempotency_key": "once",
    }

    done = await client.run("federate", call)
    again = await client.run("federate", call)

    assert (done["imported"], again["imported"], again["replayed"]) == (2, 2, True)
    assert await client.rows("SELECT count(*) FROM idempotency") == [(1,)]
    async with open_store(share_with.path) as there:
        kept = await there.database.read(lambda r: r.value("SELECT count(*) FROM idempotency"))
    assert kept == 0


def _digest(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def _sqlite(path: Path, application_id: int, user_version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.execute(f"PRAGMA application_id={application_id}")
    connection.execute(f"PRAGMA user_version={user_version}")
    connection.commit()
    connection.close()


_FOREIGN = {
    "missing": (lambda path: None, NotFound, "there is no store"),
    "a folder": (lambda path: path.mkdir(), NotFound, "there is no store"),
    "empty": (lambda path: path.touch(), ForeignStore, "no store of Mimir's"),
    "text": (lambda path: path.write_text("hello " * 50), ForeignStore, "not a SQLite"),
    "another program's": (lambda path: _sqlite(path, 7, 1), ForeignStore, "another program"),
    "the Rust program's": (lambda path: _sqlite(path, 0, 10), ForeignStore, "Rust program"),
    "a newer Mimir's": (lambda path: _sqlite(path, 0x4D696D52, 999), StoreTooNew, "newer Mimir"),
}


@pytest.mark.parametrize("kind", _FOREIGN)
async def test_what_is_no_store_is_refused_by_name_and_left_untouched(
    app: App, client: Client, clock: Any, tmp_path: Path, kind: str
) -> None:
    make, error, why = _FOREIGN[kind]
    await _fill(client, clock)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    path = folder / "x.db"
    make(path)
    before = _digest(folder)

    with pytest.raises(error, match=why) as raised:
        await app.sharing.federate("w1", "w1", OtherStore(path, plain=True))

    assert str(path) in str(raised.value)
    assert _digest(folder) == before
    assert await client.rows("SELECT count(*) FROM journal WHERE event_type = 'share'") == [(0,)]


@pytest.mark.skipif(os.name != "posix", reason="links")
async def test_the_store_itself_is_no_other_one_by_any_name(
    app: App, client: Client, clock: Any, store_path: Path, tmp_path: Path
) -> None:
    await _fill(client, clock)
    (tmp_path / "link.db").symlink_to(store_path)
    (tmp_path / "hard.db").hardlink_to(store_path)

    for path in (store_path, tmp_path / "link.db", tmp_path / "hard.db"):
        with pytest.raises(InvalidInput, match="to_db: is this store itself"):
            await app.sharing.federate("w1", "w3", OtherStore(path, plain=True))


async def test_a_store_that_others_write_is_waited_for_and_named(
    client: Client, clock: Any, share_with: OtherStore, open_store: OpenStore, tmp_path: Path
) -> None:
    async with open_store(tmp_path / "own.db", busy_timeout_ms=50) as app:
        await _fill(Client(app), clock)
        lock = WriteLock(share_with.path, 50)
        lock.acquire_blocking()
        try:
            with pytest.raises(StorageError, match=r"other\.db: other processes kept"):
                await app.sharing.federate("w1", "w1", share_with)
        finally:
            lock.release()
            lock.close()
        assert (await app.sharing.federate("w1", "w1", share_with)).stored == 2


@pytest.mark.plain
async def test_a_sealed_store_takes_its_own_key_and_nothing_else(
    app: App, client: Client, clock: Any, tmp_path: Path
) -> None:
    await _fill(client, clock)
    path, key, wrong = tmp_path / "sealed.db", tmp_path / "its.key", tmp_path / "wrong.key"
    make_key_file(key)
    make_key_file(wrong)

    await app.sharing.federate("w1", "w1", OtherStore(path, from_key_file(key), create=True))
    call = {"category": "note", "key": "c", "to_workspace": "w2", "to_db": str(path)}

    assert b"NATS" not in path.read_bytes()
    with pytest.raises(KeyRefused, match=r"sealed\.db is sealed"):
        await client.run("share", call)
    with pytest.raises(KeyRefused, match=r"sealed\.db: this key does not open"):
        await client.run("share", {**call, "to_key": str(wrong)})
    shared = await client.run("share", {**call, "to_key": str(key)})
    assert shared["action"] == "created"


@pytest.mark.plain
async def test_a_sealed_stores_memories_go_into_a_plain_one_only_when_told(
    open_store: OpenStore,
    client_of: Callable[..., Client],
    clock: Any,
    new_id: Any,
    embedder: Any,
    tmp_path: Path,
) -> None:
    plain, engine = tmp_path / "plain.db", load_engine("auto")
    async with open_store(plain):
        pass
    unlock = unlocking(_SECRET, seal_names=False)
    async with open_database(tmp_path / "sealed.db", engine, 1_000, unlock) as database:
        app = App(database, embedder, embedder, load({}, {}), clock, new_id)
        await _fill(client_of(app), clock)
        with pytest.raises(InvalidInput, match=r"plain: this store is sealed.*plain\.db"):
            await app.sharing.federate("w1", "w1", OtherStore(plain))
        done = await app.sharing.federate("w1", "w1", OtherStore(plain, plain=True))

    assert done.stored == 2
