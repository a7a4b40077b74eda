"""The schema, and how a file gets to it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mimir_py.errors import ForeignStore, StorageError
from mimir_py.storage import migrations
from mimir_py.storage.database import Writer, open_database
from mimir_py.storage.files import APPLICATION_ID
from mimir_py.storage.migrations import m0001_memories

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
    [row] = await database.read(lambda reader: reader.tuples("SELECT * FROM migrations"))

    assert row[:2] == (m0001_memories.VERSION, m0001_memories.NAME)
    assert row[2] > 1_600_000_000_000


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
    assert _facts(tx) == ([(1, "memories")], 1, APPLICATION_ID)


def test_a_migration_that_raises_leaves_the_version_before_it(connection, engine, monkeypatch):
    tx = Writer(connection)
    migrations.migrate(tx)
    tx.run("INSERT INTO meta (name, value) VALUES ('a', 'kept')")
    monkeypatch.setattr(migrations, "MIGRATIONS", (m0001_memories, _second(_fail)))

    with pytest.raises(RuntimeError, match="half-way"):
        migrations.migrate(tx, upto=2)

    assert _facts(tx) == ([(1, "memories")], 1, APPLICATION_ID)
    assert tx.tuples("SELECT * FROM meta") == [("a", "kept")]
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
