"""Backups: whole, verified, private, and made while others write."""

import os
import shutil
import signal
import stat
from pathlib import Path

import pytest

from mimir_py.errors import BrokenCopy, ForeignStore, StorageError, StoreTooNew
from mimir_py.storage import migrations
from mimir_py.storage.backup import back_up, backup_folder, backups, dated, prune
from mimir_py.storage.database import Writer, open_database
from mimir_py.storage.presence import is_attached
from mimir_py.storage.verify import verify

_NOW = 1_760_000_000_000
_TIMEOUT_MS = 20_000

_MEMORY = """
    INSERT INTO entities (id, text_hash, category, key, created_at_unix_ms, last_accessed_unix_ms,
        recorded_at_unix_ms, body_json)
    VALUES (:id, x'', 'note', :id, 1, 1, 1, '{}')
"""

# Stores memories, each told once it is durable, until it is killed.
_WRITE_ON = f"""
import asyncio, sys
from pathlib import Path
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine

def put(number):
    def work(tx):
        row_id = tx.insert({_MEMORY!r}, {{"id": f"{{sys.argv[2]}}-{{number}}"}})
        tx.insert_row("changes", {{"entity_row_id": row_id, "entity_id": "x", "kind": "create"}})
    return work

async def main():
    async with open_database(Path(sys.argv[1]), load_engine("auto"), 30_000) as database:
        number = 0
        while True:
            await database.write(put(number))
            print(number, flush=True)
            number += 1

asyncio.run(main())
"""
_BACK_UP_ON = """
import sys
from pathlib import Path
from mimir_py.storage.backup import back_up, dated
from mimir_py.storage.engine import load_engine
from mimir_py.values import system_clock

store, engine = Path(sys.argv[1]), load_engine("auto")
while True:
    back_up(store, dated(store, Path(sys.argv[2]), system_clock()), engine, 30_000)
    print("made", flush=True)
"""


def _put(tx: Writer, name: str) -> None:
    row_id = tx.insert(_MEMORY, {"id": name})
    tx.insert_row("changes", {"entity_row_id": row_id, "entity_id": name, "kind": "create"})


@pytest.fixture
async def filled(store_path, engine) -> Path:
    async with open_database(store_path, engine, _TIMEOUT_MS) as database:
        for name in ("one", "two", "three"):
            await database.write(lambda tx, name=name: _put(tx, name))
    return store_path


def _ids(path: Path, engine) -> set[str]:
    connection = engine.dbapi.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return {row[0] for row in connection.execute("SELECT id FROM entities")}
    finally:
        connection.close()


def _flip(path: Path, at: int, length: int = 64) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        content = file.read(length)
        file.seek(at)
        file.write(bytes(byte ^ 0xFF for byte in content))


async def test_a_backup_holds_what_was_stored_and_is_one_private_file(
    filled, engine, tmp_path, put
):
    target = tmp_path / "kept" / "copy.db"
    before = os.umask(0)
    try:
        async with open_database(filled, engine, _TIMEOUT_MS) as database:
            await database.write(lambda tx: _put(tx, "four, still in the log"))
            made = back_up(filled, target, engine, _TIMEOUT_MS)
    finally:
        os.umask(before)

    assert (made.path, made.memories, made.last_change) == (target, 4, 4)
    assert _ids(target, engine) == {"one", "two", "three", "four, still in the log"}
    assert [file.name for file in target.parent.iterdir()] == ["copy.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600 or os.name != "posix"
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700 or os.name != "posix"
    assert not is_attached(filled)


async def test_verifying_changes_nothing(filled, engine, tmp_path):
    target = tmp_path / "copy.db"
    back_up(filled, target, engine, _TIMEOUT_MS)
    before = target.read_bytes()

    found = verify(target, engine)

    assert (found.memories, found.schema, found.index_in_step) == (3, migrations.LATEST, True)
    assert target.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {"copy.db", "store"}


async def test_a_store_in_use_can_be_verified(filled, engine):
    async with open_database(filled, engine, _TIMEOUT_MS) as database:
        await database.write(lambda tx: _put(tx, "four"))

        assert verify(filled, engine).memories == 4


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _damage_a_page(path: Path) -> None:
    _flip(path, 4_096 * 3, 4_096)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _lose_a_memory(path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM entities WHERE id = 'two'")
    connection.commit()
    connection.close()


def _of_a_newer_program(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(60)
        file.write((99).to_bytes(4, "big"))


def _text(path: Path) -> None:
    path.write_text("This is no database at all. " * 500)


_DAMAGES = {
    "cut": (_cut, BrokenCopy, "cut off"),
    "page": (_damage_a_page, BrokenCopy, "damaged"),
    "empty": (_empty, BrokenCopy, "empty"),
    "row gone": (_lose_a_memory, BrokenCopy, "lacks 1 memories"),
    "newer": (_of_a_newer_program, StoreTooNew, "newer Mimir"),
    "text": (_text, ForeignStore, "not a SQLite database"),
}


@pytest.mark.parametrize("kind", _DAMAGES)
async def test_a_broken_backup_is_told(kind, filled, engine, tmp_path):
    damage, error, words = _DAMAGES[kind]
    target = tmp_path / "copy.db"
    back_up(filled, target, engine, _TIMEOUT_MS)
    damage(target)

    with pytest.raises(error, match=words):
        verify(target, engine)


async def test_a_damaged_store_gives_no_backup_and_keeps_the_one_before(filled, engine, tmp_path):
    target = tmp_path / "kept" / "copy.db"
    back_up(filled, target, engine, _TIMEOUT_MS)
    before = target.read_bytes()
    _damage_a_page(filled)

    with pytest.raises(StorageError, match="damaged"):
        back_up(filled, target, engine, _TIMEOUT_MS)

    assert target.read_bytes() == before
    assert list(target.parent.iterdir()) == [target]


def test_a_backup_of_nothing_makes_nothing(store_path, engine, tmp_path):
    with pytest.raises(StorageError, match="no Mimir store"):
        back_up(store_path, tmp_path / "copy.db", engine, _TIMEOUT_MS)

    assert list(tmp_path.iterdir()) == []


async def test_the_latest_backups_are_kept_and_others_files_are_not_touched(filled, engine):
    folder = backup_folder(filled)
    for day in range(4):
        back_up(filled, dated(filled, folder, _NOW + day), engine, _TIMEOUT_MS)
    upgrade = dated(filled, folder, _NOW + 9, "-before-upgrade")
    shutil.copy(dated(filled, folder, _NOW), upgrade)
    others = [folder / "notes.txt", folder / "other-20251009T085320000Z.db"]
    for other in others:
        other.write_text("mine")
    half = dated(filled, folder, _NOW + 8)
    half.write_bytes(upgrade.read_bytes()[:9_000])

    deleted = prune(filled, folder, 2)

    assert backups(filled, folder) == [upgrade, dated(filled, folder, _NOW + 3)]
    assert len(deleted) == 3
    assert all(other.exists() for other in others)


async def test_backups_made_under_load_hold_all_that_was_acknowledged_before(
    filled, engine, tmp_path, start_python
):
    writers = [start_python(_WRITE_ON, filled, name) for name in ("a", "b")]
    told: dict[str, int] = {}
    for round in range(5):
        for name, writer in zip("ab", writers, strict=True):
            assert writer.stdout is not None
            told[name] = int(writer.stdout.readline())
        target = tmp_path / f"copy{round}.db"

        made = back_up(filled, target, engine, _TIMEOUT_MS)

        acknowledged = {f"{name}-{number}" for name in told for number in range(told[name] + 1)}
        assert acknowledged <= _ids(target, engine)
        assert verify(target, engine).memories == made.memories


async def test_a_backup_killed_half_way_is_never_listed_and_is_cleared_away(
    filled, engine, start_python
):
    folder = backup_folder(filled)
    for _ in range(4):
        process = start_python(_BACK_UP_ON, filled, folder)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()

        found = backups(filled, folder)
        assert found
        assert all(verify(file, engine).memories == 3 for file in found)
    (folder / f".left.db.part{process.pid}").write_bytes(b"half a backup")

    back_up(filled, dated(filled, folder, _NOW), engine, _TIMEOUT_MS)

    assert [file.name for file in folder.iterdir() if file.name.startswith(".")] == []
