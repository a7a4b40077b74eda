"""The schema, and how a file gets to it."""

import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mimir_py.errors import ForeignStore, StorageError
from mimir_py.storage import migrations
from mimir_py.storage.backup import backup_folder
from mimir_py.storage.database import Writer, open_database
from mimir_py.storage.files import APPLICATION_ID
from mimir_py.storage.migrations import m0001_memories
from mimir_py.storage.verify import verify

_SCHEMA_FILE = Path(__file__).parent / "schema.sql"
_SCHEMA = """
    SELECT s.sql FROM sqlite_schema s JOIN pragma_table_list t ON t.name = s.tbl_name
    WHERE s.sql IS NOT NULL AND t.type <> 'shadow' AND s.name NOT LIKE 'sqlite!_%' ESCAPE '!'
    ORDER BY s.type DESC, s.name
"""


def _fail(tx: Writer) -> None:
    tx.run("CREATE TABLE half_made (name TEXT) STRICT")
    tx.run("UPDATE meta SET value = 'changed'")
    raise RuntimeError("half-way")


def _add_column(tx: Writer) -> None:
    tx.run("ALTER TABLE meta ADD COLUMN note TEXT")


_ALL = [(step.VERSION, step.NAME) for step in migrations.MIGRATIONS]


def _second(apply) -> SimpleNamespace:
    return SimpleNamespace(VERSION=2, NAME="second", apply=apply)


@pytest.fixture
def connection(tmp_path, engine) -> Iterator[Any]:
    opened = engine.dbapi.connect(str(tmp_path / "raw.db"), isolation_level=None)
    yield opened
    opened.close()


def _facts(tx: Writer) -> tuple[Any, ...]:
    return (
        tx.tuples("SELECT version, name FROM migrations"),
        tx.value("PRAGMA user_version"),
        tx.value("PRAGMA application_id"),
    )


async def test_a_fresh_store_has_the_schema_that_is_checked_in(database):
    statements = await database.read(lambda reader: reader.tuples(_SCHEMA))

    dump = "\n\n".join(sql.strip() + ";" for (sql,) in statements) + "\n"

    assert dump == _SCHEMA_FILE.read_text(encoding="utf-8")


async def test_a_fresh_store_names_its_program_and_its_schema_level(store_path, engine):
    async with open_database(store_path, engine, 1_000):
        pass

    header = store_path.read_bytes()[:100]
    assert int.from_bytes(header[60:64], "big") == migrations.LATEST
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID


async def test_a_migration_is_recorded_with_its_time(database):
    rows = await database.read(lambda reader: reader.tuples("SELECT * FROM migrations"))

    assert [row[:2] for row in rows] == _ALL
    assert all(row[2] > 1_600_000_000_000 for row in rows)


def test_migrations_are_numbered_without_gaps():
    assert [m.VERSION for m in migrations.MIGRATIONS] == [
        number + 1 for number in range(len(migrations.MIGRATIONS))
    ]


def test_migrating_again_does_nothing(connection, engine):
    tx = Writer(connection)
    migrations.migrate(tx)
    before = connection.total_changes

    migrations.migrate(tx)

    assert connection.total_changes == before
    assert _facts(tx) == (_ALL, len(_ALL), APPLICATION_ID)


def test_a_migration_that_raises_leaves_the_version_before_it(connection, engine, monkeypatch):
    tx = Writer(connection)
    migrations.migrate(tx, upto=1)
    tx.run("INSERT INTO meta (name, value) VALUES ('a', 'kept')")
    monkeypatch.setattr(migrations, "MIGRATIONS", (m0001_memories, _second(_fail)))

    with pytest.raises(RuntimeError, match="half-way"):
        migrations.migrate(tx, upto=2)

    assert _facts(tx) == ([(1, "memories")], 1, APPLICATION_ID)
    assert tx.value("SELECT value FROM meta WHERE name = 'a'") == "kept"
    assert tx.value("SELECT count(*) FROM sqlite_schema WHERE name = 'half_made'") == 0
    assert not connection.in_transaction


def test_a_migration_that_raised_can_be_done_later(connection, engine, monkeypatch):
    tx = Writer(connection)
    monkeypatch.setattr(migrations, "MIGRATIONS", (m0001_memories, _second(_fail)))
    with pytest.raises(RuntimeError):
        migrations.migrate(tx, upto=2)
    monkeypatch.setattr(migrations, "MIGRATIONS", (m0001_memories, _second(_add_column)))

    migrations.migrate(tx, upto=2)

    assert _facts(tx) == ([(1, "memories"), (2, "second")], 2, APPLICATION_ID)


def test_a_migration_stops_where_it_is_told(connection, engine, monkeypatch):
    tx = Writer(connection)
    monkeypatch.setattr(migrations, "MIGRATIONS", (m0001_memories, _second(_add_column)))

    migrations.migrate(tx, upto=1)

    assert _facts(tx) == ([(1, "memories")], 1, APPLICATION_ID)


async def test_a_store_whose_making_failed_can_be_made_later(
    store_path, engine, monkeypatch, put, names
):
    with monkeypatch.context() as broken:
        broken.setattr(m0001_memories, "_SCHEMA", (*m0001_memories._SCHEMA, "CREATE NONSENSE"))
        with pytest.raises(StorageError, match="NONSENSE"):
            async with open_database(store_path, engine, 1_000):
                pass

    async with open_database(store_path, engine, 1_000) as database:
        await database.write(lambda tx: put(tx, "a"))

        assert await names(database) == {"a"}


def test_a_file_with_other_tables_in_its_log_is_not_migrated(connection):
    tx = Writer(connection)
    tx.run("CREATE TABLE theirs (name TEXT)")

    with pytest.raises(ForeignStore):
        migrations.migrate(tx)

    assert tx.tuples("SELECT name FROM sqlite_schema") == [("theirs",)]
    assert tx.value("PRAGMA user_version") == 0


_OPEN_WITH_A_LATER_SCHEMA = """
import asyncio, os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from mimir_py.storage import migrations
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine

number = migrations.LATEST + 1

def apply(tx):
    tx.run("ALTER TABLE entities ADD COLUMN later TEXT")
    tx.run("UPDATE entities SET later = 'half-way'")
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)

later = SimpleNamespace(VERSION=number, NAME="later", TABLES=(), apply=apply)
migrations.MIGRATIONS += (later,)
migrations.LATEST = number

async def main():
    async with open_database(Path(sys.argv[1]), load_engine("auto"), 20_000) as database:
        filled = "SELECT count(*) FROM entities WHERE later IS NOT NULL"
        print(await database.read(lambda reader: reader.value(filled)))

asyncio.run(main())
"""
_INSERT = """
    INSERT INTO entities (id, text_hash, category, key, created_at_unix_ms, last_accessed_unix_ms,
        recorded_at_unix_ms) VALUES (:id, x'', 'c', :id, 1, 1, 1)
"""


async def _fill(path: Path, engine) -> None:
    async with open_database(path, engine, 1_000) as database:
        await database.write(lambda tx: tx.insert(_INSERT, {"id": "precious"}))


def _backups(path: Path) -> list[Path]:
    return sorted(backup_folder(path).glob("mimir-*-before-upgrade.db"))


async def test_a_store_with_memories_is_backed_up_before_its_schema_changes(
    store_path, engine, run_python
):
    await _fill(store_path, engine)

    assert run_python(_OPEN_WITH_A_LATER_SCHEMA, store_path, "live") == "1\n"

    [backup] = _backups(store_path)
    found = verify(backup, engine)
    assert (found.memories, found.schema) == (1, migrations.LATEST)
    assert int.from_bytes(store_path.read_bytes()[60:64], "big") == migrations.LATEST + 1


async def test_a_store_without_memories_is_not_backed_up_before_its_schema_changes(
    store_path, engine, run_python
):
    async with open_database(store_path, engine, 1_000):
        pass

    run_python(_OPEN_WITH_A_LATER_SCHEMA, store_path, "live")

    assert not backup_folder(store_path).exists()


async def test_a_process_killed_amid_a_migration_loses_nothing(store_path, engine, start_python):
    await _fill(store_path, engine)

    died = start_python(_OPEN_WITH_A_LATER_SCHEMA, store_path, "die")

    assert died.wait() == -signal.SIGKILL
    assert len(_backups(store_path)) == 1
    async with open_database(store_path, engine, 1_000) as database:
        rows = await database.read(lambda reader: reader.all("SELECT * FROM entities"))
    assert [row["id"] for row in rows] == ["precious"]
    assert "later" not in rows[0].keys()  # noqa: SIM118  # a Row iterates its values


async def test_a_store_that_cannot_be_backed_up_is_not_migrated(store_path, engine, start_python):
    await _fill(store_path, engine)
    backup_folder(store_path).write_text("a file where the folder should be")

    refused = start_python(_OPEN_WITH_A_LATER_SCHEMA, store_path, "live")

    assert refused.wait() == 1
    assert int.from_bytes(store_path.read_bytes()[60:64], "big") == migrations.LATEST
