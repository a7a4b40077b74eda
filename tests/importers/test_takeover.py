"""`--db` on a store of the Rust program."""

import base64
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import open_app
from mimir_py.config import load
from mimir_py.errors import ForeignStore, KeyRefused, StoreInUse
from mimir_py.security.keys import make_key_file
from mimir_py.storage.files import is_rust_store, is_sealed, is_store
from tests.conftest import Client
from tests.importers.rust_files import KEY, rows_of

pytestmark = pytest.mark.plain


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.key"
    make_key_file(path)
    path.write_bytes(base64.b64encode(KEY))
    return path


async def test_the_store_is_taken_over_and_the_old_one_kept(
    rust_store: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = rust_store()
    before = [tuple(row) for row in rows_of(path, "entities")]

    async with open_app(load({}, {"db_path": path}), tmp_path) as app:
        client = Client(app)
        assert [item["id"] for item in await client.recall("NATS")] == ["mem-000000000001"]
        assert (await app.journal.verify()).fault is None

    assert is_store(path)
    [backup] = (path.parent / "backups").iterdir()
    assert is_rust_store(backup)
    assert [tuple(row) for row in rows_of(backup, "entities")] == before
    assert not [file for file in path.parent.iterdir() if "migrating" in file.name]
    [line] = [record.getMessage() for record in caplog.records]
    assert "4 memories and 2 versions" in line
    assert str(backup) in line


async def test_an_encrypted_store_becomes_one_sealed_with_its_key(
    rust_store: Callable[..., Path], tmp_path: Path, key_file: Path
) -> None:
    path = rust_store(encrypted=True)
    settings = load({}, {"db_path": path, "encryption_key": key_file})

    for _ in range(2):
        async with open_app(settings, tmp_path) as app:
            found = await Client(app).recall("NATS")
            assert [item["id"] for item in found] == ["mem-000000000001"]

    assert is_sealed(path)
    assert b"use NATS" not in path.read_bytes()


async def test_without_its_key_an_encrypted_store_stays_as_it_is(
    rust_store: Callable[..., Path], tmp_path: Path
) -> None:
    path = rust_store(encrypted=True)
    before = path.read_bytes()

    with pytest.raises(KeyRefused):
        async with open_app(load({}, {"db_path": path}), tmp_path):
            pass

    assert path.read_bytes() == before
    assert not (path.parent / "backups").exists()


async def test_a_store_that_is_open_in_the_other_program_is_left_alone(
    rust_store: Callable[..., Path], tmp_path: Path, start_python: Callable[..., Any]
) -> None:
    path = rust_store()
    # SQLite's locks are between processes.
    other = start_python(
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1])\n"
        "other.execute('SELECT count(*) FROM entities').fetchall()\n"
        "print('open', flush=True)\n"
        "sys.stdin.readline()\n",
        path,
    )
    assert other.stdout.readline() == "open\n"

    with pytest.raises(StoreInUse, match="open in another program"):
        async with open_app(load({}, {"db_path": path}), tmp_path):
            pass

    assert is_rust_store(path)
    assert len(rows_of(path, "entities")) == 4


async def test_another_program_with_a_small_number_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE places (id INTEGER)")
    connection.execute("PRAGMA user_version=3")
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with pytest.raises(ForeignStore, match="another program"):
        async with open_app(load({}, {"db_path": path}), tmp_path):
            pass

    assert path.read_bytes() == before


async def test_what_could_not_be_read_is_listed_beside_the_backup(
    rust_store: Callable[..., Path], tmp_path: Path
) -> None:
    path = rust_store()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE entities SET created_at_unix_ms = 'x' WHERE id LIKE '%4'")
    connection.commit()
    connection.close()

    async with open_app(load({}, {"db_path": path}), tmp_path):
        pass

    [listed] = (path.parent / "backups").glob("*.txt")
    assert listed.read_text().startswith("mem-000000000004: its created_at_unix_ms")


async def test_of_two_that_start_at_once_one_takes_it_over(
    rust_store: Callable[..., Path], tmp_path: Path, start_python: Callable[..., Any]
) -> None:
    path = rust_store()
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from mimir_py.app import open_app; from mimir_py.config import load\n"
        "async def main():\n"
        "    settings = load({}, {'db_path': Path(sys.argv[1])})\n"
        "    async with open_app(settings, Path(sys.argv[1]).parent) as app:\n"
        "        print(await app.vault.count())\n"
        "asyncio.run(main())\n"
    )

    processes = [start_python(program, path) for _ in range(3)]

    assert [process.communicate(timeout=60)[0] for process in processes] == ["4\n"] * 3
    assert len(list((path.parent / "backups").iterdir())) == 1
