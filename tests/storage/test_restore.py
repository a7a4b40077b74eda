"""Restoring: the whole store or none of it, and only when nobody has it open."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from mimir_py.errors import BrokenCopy, ForeignStore, InvalidInput, StoreInUse
from mimir_py.storage.backup import back_up
from mimir_py.storage.database import open_database
from mimir_py.storage.restore import restore, set_aside
from mimir_py.storage.verify import verify

_NOW = 1_760_000_000_000
_TIMEOUT_MS = 20_000

_RESTORE = """
import sys
from pathlib import Path
from mimir_py.storage.engine import load_engine
from mimir_py.storage.restore import restore
from mimir_py.values import system_clock

engine = load_engine("auto")
print("ready", flush=True)
restore(Path(sys.argv[1]), Path(sys.argv[2]), engine, 30_000, system_clock())
print("done", flush=True)
"""


async def _store(path: Path, engine, put, *names: str) -> None:
    async with open_database(path, engine, _TIMEOUT_MS) as database:
        for name in names:
            await database.write(lambda tx, name=name: put(tx, name))


async def _names(path: Path, engine, names) -> set[str]:
    async with open_database(path, engine, _TIMEOUT_MS) as database:
        stored: set[str] = await names(database)
        return stored


@pytest.fixture
async def backup(store_path, engine, put, tmp_path) -> Path:
    """A backup that holds `old`, of a store that holds `old` and `new`."""
    target = tmp_path / "kept" / "copy.db"
    await _store(store_path, engine, put, "old")
    back_up(store_path, target, engine, _TIMEOUT_MS)
    await _store(store_path, engine, put, "new")
    return target


async def test_a_restored_store_is_the_backup_and_the_old_one_is_kept(
    store_path, engine, names, backup
):
    before = backup.read_bytes()

    restored = restore(backup, store_path, engine, _TIMEOUT_MS, _NOW)

    assert await _names(store_path, engine, names) == {"old"}
    assert restored.kept is not None
    assert set_aside(store_path) == [restored.kept]
    assert await _names(restored.kept, engine, names) == {"old", "new"}
    assert backup.read_bytes() == before


async def test_what_is_still_in_the_log_of_the_old_store_is_kept_with_it(
    store_path, engine, put, names, backup, tmp_path
):
    crashed = tmp_path / "crashed" / "mimir.db"
    crashed.parent.mkdir()
    async with open_database(store_path, engine, _TIMEOUT_MS) as database:
        await database.write(lambda tx: put(tx, "in the log"))
        for end in ("", "-wal"):
            source = store_path.with_name(store_path.name + end)
            crashed.with_name(crashed.name + end).write_bytes(source.read_bytes())

    restored = restore(backup, crashed, engine, _TIMEOUT_MS, _NOW)

    assert restored.kept is not None
    assert await _names(crashed, engine, names) == {"old"}
    assert await _names(restored.kept, engine, names) == {"old", "new", "in the log"}


async def test_restoring_to_where_nothing_was_makes_a_store(engine, names, backup, tmp_path):
    path = tmp_path / "elsewhere" / "mimir.db"

    restored = restore(backup, path, engine, _TIMEOUT_MS, _NOW)

    assert restored.kept is None
    assert await _names(path, engine, names) == {"old"}


async def test_restoring_is_refused_while_others_are_attached(store_path, engine, names, backup):
    async with open_database(store_path, engine, _TIMEOUT_MS) as database:
        with pytest.raises(StoreInUse, match=str(os.getpid())):
            restore(backup, store_path, engine, _TIMEOUT_MS, _NOW)

        assert await names(database) == {"old", "new"}
    assert set_aside(store_path) == []
    assert restore(backup, store_path, engine, _TIMEOUT_MS, _NOW).verified.path == store_path


async def test_a_broken_backup_is_not_restored(store_path, engine, names, backup):
    os.truncate(backup, backup.stat().st_size - 4_096)

    with pytest.raises(BrokenCopy):
        restore(backup, store_path, engine, _TIMEOUT_MS, _NOW)

    assert await _names(store_path, engine, names) == {"old", "new"}
    assert set_aside(store_path) == []


async def test_a_damaged_store_is_replaced_and_kept_as_it_was(store_path, engine, names, backup):
    store_path.write_bytes(b"\0" * 5_000)

    restored = restore(backup, store_path, engine, _TIMEOUT_MS, _NOW)

    assert await _names(store_path, engine, names) == {"old"}
    assert restored.kept is not None
    assert restored.kept.read_bytes() == b"\0" * 5_000


async def test_the_store_itself_is_not_restored_over_itself(store_path, engine, backup):
    with pytest.raises(InvalidInput, match="is the store itself"):
        restore(store_path, store_path, engine, _TIMEOUT_MS, _NOW)


async def test_another_programs_file_is_not_replaced(engine, backup, tmp_path):
    theirs = tmp_path / "theirs.db"
    theirs.write_text("important")

    with pytest.raises(ForeignStore):
        restore(backup, theirs, engine, _TIMEOUT_MS, _NOW)

    assert theirs.read_text() == "important"


async def test_a_restore_killed_at_any_moment_leaves_the_old_store_or_the_new_one(
    store_path, engine, put, names, backup, start_python
):
    seen = []
    chance = random.Random(7)
    for _ in range(8):
        process = start_python(_RESTORE, backup, store_path)
        assert process.stdout is not None
        process.stdout.readline()
        await asyncio.sleep(chance.uniform(0, 0.06))
        process.send_signal(signal.SIGKILL)
        process.wait()

        verify(store_path, engine)
        seen.append(await _names(store_path, engine, names))
        if seen[-1] == {"old"}:
            await _store(store_path, engine, put, "new")

    assert all(state in ({"old"}, {"old", "new"}) for state in seen)
    restore(backup, store_path, engine, _TIMEOUT_MS, _NOW)
    assert await _names(store_path, engine, names) == {"old"}
    assert not [file for file in store_path.parent.iterdir() if "restoring" in file.name]
