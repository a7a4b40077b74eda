"""Files that are not ours to touch."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mimir_py.errors import ForeignStore, MimirError, StorageError, StoreTooNew
from mimir_py.storage.database import open_database
from mimir_py.storage.files import APPLICATION_ID

# The columns of the compatibility contract, 3.1.
_RUST_ENTITIES = """
    CREATE TABLE entities (
        id TEXT PRIMARY KEY, category TEXT NOT NULL DEFAULT 'general', key TEXT NOT NULL,
        body_json TEXT NOT NULL DEFAULT '{}', status TEXT DEFAULT 'active',
        type TEXT DEFAULT 'insight', tags TEXT DEFAULT '[]', decay_score REAL DEFAULT 1.0,
        retrieval_count INT DEFAULT 0, layer TEXT DEFAULT 'working', topic_path TEXT DEFAULT '',
        archived INT DEFAULT 0, archive_reason TEXT DEFAULT '', links TEXT DEFAULT '[]',
        verified INT DEFAULT 0, source TEXT DEFAULT 'agent', created_at_unix_ms INT NOT NULL,
        last_accessed_unix_ms INT NOT NULL, embedding BLOB, emb_sig BLOB,
        always_on INT DEFAULT 0, certainty REAL DEFAULT 0.5, importance REAL DEFAULT 0.0,
        workspace_hash TEXT DEFAULT '', agent_id TEXT DEFAULT '',
        visibility TEXT DEFAULT 'workspace', valid_from_unix_ms INT, valid_to_unix_ms INT,
        recorded_at_unix_ms INT, invalidated_at_unix_ms INT, supersedes TEXT DEFAULT '',
        superseded_by TEXT DEFAULT '', follow_count INT DEFAULT 0, miss_count INT DEFAULT 0,
        follow_rate REAL DEFAULT 0, efficacy_status TEXT DEFAULT 'unverified'
    )
"""

Make = Callable[[Path, object], None]


def _sqlite_file(path: Path, engine, *statements: str) -> None:
    connection = engine.dbapi.connect(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _rust_store(path: Path, engine) -> None:
    _sqlite_file(
        path,
        engine,
        "PRAGMA journal_mode=WAL",
        _RUST_ENTITIES,
        "INSERT INTO entities (id, key, created_at_unix_ms, last_accessed_unix_ms)"
        " VALUES ('mem-3f9a1c0d77e2', 'queue', 1, 1)",
        "PRAGMA user_version=10",
    )


def _old_rust_store(path: Path, engine) -> None:
    _sqlite_file(path, engine, _RUST_ENTITIES, "PRAGMA user_version=3")


def _other_database(path: Path, engine) -> None:
    _sqlite_file(path, engine, "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)")


def _marked_database(path: Path, engine) -> None:
    _sqlite_file(
        path, engine, "PRAGMA application_id=252006674", "PRAGMA user_version=1", _RUST_ENTITIES
    )


def _text_file(path: Path, engine) -> None:
    path.write_text("Dear diary,\n" * 40)


def _short_file(path: Path, engine) -> None:
    path.write_bytes(b"SQLite format 3\x00")


def _newer_store(path: Path, engine) -> None:
    _sqlite_file(
        path,
        engine,
        f"PRAGMA application_id={APPLICATION_ID}",
        "PRAGMA user_version=2000",
        "CREATE TABLE entities (id TEXT)",
    )


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (_rust_store, ForeignStore, "Rust program"),
        (_old_rust_store, ForeignStore, "Rust program"),
        (_other_database, ForeignStore, "another program"),
        (_marked_database, ForeignStore, "another program"),
        (_text_file, ForeignStore, "not a SQLite database"),
        (_short_file, ForeignStore, "not a SQLite database"),
        (_newer_store, StoreTooNew, "newer Mimir"),
    ],
)
async def test_a_file_that_is_not_ours_is_refused_by_name_and_left_as_it_was(
    make: Make, error: type[MimirError], word: str, tmp_path, engine
):
    path = tmp_path / "given.db"
    make(path, engine)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    with pytest.raises(error, match=word) as refusal:
        async with open_database(path, engine, 1_000):
            pass

    assert str(path) in str(refusal.value)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


async def test_a_store_another_program_has_open_is_refused_and_left_as_it_was(tmp_path, engine):
    path = tmp_path / "given.db"
    theirs = engine.dbapi.connect(str(path), isolation_level=None)
    theirs.execute("PRAGMA journal_mode=WAL").fetchall()
    theirs.execute(_RUST_ENTITIES)
    theirs.execute("PRAGMA user_version=10")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    with pytest.raises(ForeignStore) as refusal:
        async with open_database(path, engine, 1_000):
            pass

    assert str(path) in str(refusal.value)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    theirs.close()


async def test_a_folder_is_refused_by_name_and_left_as_it_was(tmp_path, engine):
    path = tmp_path / "given.db"
    path.mkdir()

    with pytest.raises(StorageError, match="is a folder") as refusal:
        async with open_database(path, engine, 1_000):
            pass

    assert str(path) in str(refusal.value)
    assert list(path.iterdir()) == []
    assert list(tmp_path.iterdir()) == [path]


async def test_an_empty_file_becomes_a_store(tmp_path, engine, put, names):
    path = tmp_path / "given.db"
    path.touch()

    async with open_database(path, engine, 1_000) as database:
        await database.write(lambda tx: put(tx, "a"))

        assert await names(database) == {"a"}
