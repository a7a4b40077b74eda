"""Many processes on one store write one chain, whenever one of them dies."""

import signal

import pytest

from mimir_py.journal.head import HeadFile

_APPEND = """
import asyncio, sys
from pathlib import Path
from mimir_py.config import load
from mimir_py.journal import Entry, Journal
from mimir_py.limits import Limits
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine
from mimir_py.values import random_id, system_clock

async def main(path, count):
    async with open_database(Path(path), load_engine("auto"), 30_000) as database:
        journal = Journal(database, Limits(1, 1_024, 1), system_clock, random_id)
        for number in range(int(count)):
            await journal.record(Entry("tick", key=str(number)))
            print(number, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""
# The program opens the store without a key.
pytestmark = pytest.mark.plain
_PROCESSES = 4
_ENTRIES = 25


async def test_processes_that_write_at_once_make_one_chain_without_a_gap(
    store_path, start_python, verify
):
    writers = [start_python(_APPEND, store_path, _ENTRIES) for _ in range(_PROCESSES)]
    for writer in writers:
        writer.stdout.read()
        assert writer.wait() == 0

    verdict = await verify()

    assert (verdict.intact, verdict.outside) == (True, "agrees")
    assert verdict.head.seq == _PROCESSES * _ENTRIES


async def test_a_writer_that_is_killed_leaves_a_head_at_most_one_entry_behind(
    store_path, start_python, verify
):
    for killed in range(3):
        writer = start_python(_APPEND, store_path, 10_000)
        for _ in range(15):
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        writer.wait()

        verdict = await verify()

        assert verdict.intact
        assert verdict.outside in ("agrees", "behind")
        assert verdict.head.seq - HeadFile(store_path).read().seq in (0, 1)
        assert verdict.head.seq >= last + 1 + 15 * killed
