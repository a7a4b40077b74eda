"""Who has a store open."""

import os
import signal
import subprocess
import sys

import pytest

from mimir_py.storage.database import open_database
from mimir_py.storage.presence import attached_processes, is_attached, presence_file

_OPEN_AND_WAIT = """
import asyncio, sys
from pathlib import Path
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine

async def main():
    async with open_database(Path(sys.argv[1]), load_engine("auto"), 5_000):
        print("open", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def other(store_path):
    """Another process that has the store open."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OPEN_AND_WAIT, str(store_path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_store_that_never_was_has_nobody_attached(store_path):
    assert not is_attached(store_path)
    assert attached_processes(store_path) == []
    assert not presence_file(store_path).exists()


async def test_an_open_store_has_its_opener_attached(store_path, engine):
    async with open_database(store_path, engine, 1_000):
        assert is_attached(store_path)
        assert attached_processes(store_path) == [os.getpid()]

    assert not is_attached(store_path)
    assert attached_processes(store_path) == []


async def test_one_of_two_openings_of_a_process_leaves_the_other_attached(store_path, engine):
    async with open_database(store_path, engine, 1_000):
        async with open_database(store_path, engine, 1_000):
            assert attached_processes(store_path) == [os.getpid()] * 2

        assert is_attached(store_path)
        assert attached_processes(store_path) == [os.getpid()]


async def test_every_process_is_named(store_path, engine, other):
    async with open_database(store_path, engine, 5_000):
        assert attached_processes(store_path) == sorted([os.getpid(), other.pid])


async def test_a_killed_process_is_gone(store_path, engine, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()

    assert not is_attached(store_path)
    assert attached_processes(store_path) == []
    async with open_database(store_path, engine, 5_000):
        assert presence_file(store_path).read_text() == f"{os.getpid()}\n"


async def test_a_file_of_another_kind_leaves_no_presence(store_path, engine):
    store_path.parent.mkdir(parents=True, exist_ok=True)
    store_path.write_text("not a database, but long enough to have a header of a hundred bytes" * 3)

    with pytest.raises(Exception, match="not a SQLite database"):
        async with open_database(store_path, engine, 1_000):
            pass

    assert not presence_file(store_path).exists()
