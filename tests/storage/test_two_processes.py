"""Several processes on one store: the lock file, first opening, and dying without a word."""

import asyncio
import os
import signal

import pytest

from mimir_py.errors import StoreBusy
from mimir_py.storage import migrations
from mimir_py.storage.database import open_database
from mimir_py.storage.lock import WriteLock
from mimir_py.storage.verify import verify

pytestmark = pytest.mark.skipif(os.name != "posix", reason="holds the lock with fcntl")

_HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.readline()
    fcntl.flock(file, fcntl.LOCK_UN)
    print("released", flush=True)
    sys.stdin.readline()
"""
_TRY = """
import fcntl, sys
with open(sys.argv[1], "r+") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("busy")
    else:
        print("free")
"""
_WRITE = """
import asyncio, sys
from pathlib import Path
from mimir_py.storage import migrations
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine

async def main(path, first, count):
    async with open_database(Path(path), load_engine("auto"), 20_000) as database:
        for n in range(int(first), int(first) + int(count)):
            await database.write(
                lambda tx: tx.run("INSERT INTO meta (name, value) VALUES (?, 'x')", (str(n),))
            )
        print("written", flush=True)
        sys.stdin.readline()

asyncio.run(main(*sys.argv[1:]))
"""


def _lock_of(store):
    return store.with_name(store.name + ".lock")


def _say(process, line=""):
    process.stdin.write(line + "\n")
    process.stdin.flush()


async def test_a_store_locked_by_another_process_is_busy_after_the_timeout(
    store_path, engine, start_python, put, names
):
    async with open_database(store_path, engine, 100) as database:
        holder = start_python(_HOLD, _lock_of(store_path))
        assert holder.stdout.readline() == "held\n"

        with pytest.raises(StoreBusy, match="100 ms"):
            await database.write(lambda tx: put(tx, "a"))

        assert await names(database) == set()
        _say(holder)


async def test_a_write_that_waited_for_another_process_goes_on_when_it_lets_go(
    store_path, engine, start_python, put, names
):
    async with open_database(store_path, engine, 20_000) as database:
        holder = start_python(_HOLD, _lock_of(store_path))
        assert holder.stdout.readline() == "held\n"

        writing = asyncio.ensure_future(database.write(lambda tx: put(tx, "a")))
        await asyncio.sleep(0)
        _say(holder)
        await writing

        assert await names(database) == {"a"}
        assert holder.stdout.readline() == "released\n"
        _say(holder)


async def test_writes_after_a_busy_one_work_again(store_path, engine, start_python, put, names):
    async with open_database(store_path, engine, 100) as database:
        holder = start_python(_HOLD, _lock_of(store_path))
        assert holder.stdout.readline() == "held\n"
        for _ in range(2):
            with pytest.raises(StoreBusy):
                await database.write(lambda tx: put(tx, "a"))
        _say(holder)
        assert holder.stdout.readline() == "released\n"

        await database.write(lambda tx: put(tx, "b"))
        await database.write(lambda tx: put(tx, "c"))

        assert await names(database) == {"b", "c"}
        _say(holder)


async def test_a_write_given_up_while_it_waited_does_not_keep_the_lock(
    store_path, engine, start_python, run_python, put, names
):
    async with open_database(store_path, engine, 20_000) as database:
        holder = start_python(_HOLD, _lock_of(store_path))
        assert holder.stdout.readline() == "held\n"
        writing = asyncio.ensure_future(database.write(lambda tx: put(tx, "a")))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        _say(holder)
        assert holder.stdout.readline() == "released\n"

        await database.write(lambda tx: put(tx, "b"))

        assert run_python(_TRY, _lock_of(store_path)) == "free\n"
        assert await names(database) == {"b"}
        _say(holder)


async def test_the_lock_is_held_while_a_transaction_runs_and_not_after(
    store_path, engine, run_python
):
    async with open_database(store_path, engine, 1_000) as database:
        during = await database.write(lambda tx: run_python(_TRY, _lock_of(store_path)))
        after = run_python(_TRY, _lock_of(store_path))

    assert (during, after) == ("busy\n", "free\n")


async def test_the_lock_is_free_after_a_write_that_raised(store_path, engine, run_python):
    def fail(tx):
        raise RuntimeError

    async with open_database(store_path, engine, 1_000) as database:
        with pytest.raises(RuntimeError):
            await database.write(fail)

        assert run_python(_TRY, _lock_of(store_path)) == "free\n"


def test_a_blocking_caller_is_told_too_that_the_lock_is_busy(store_path):
    holder, waiter = WriteLock(store_path, 50), WriteLock(store_path, 50)
    holder.acquire_blocking()

    with pytest.raises(StoreBusy):
        waiter.acquire_blocking()

    holder.release()
    waiter.acquire_blocking()
    waiter.release()
    holder.close()
    waiter.close()


async def test_two_openings_of_a_new_store_at_once_make_one(store_path, engine, put, names):
    async def open_and_put(name):
        async with open_database(store_path, engine, 10_000) as database:
            await database.write(lambda tx: put(tx, name))
            return await database.read(
                lambda reader: reader.value("SELECT count(*) FROM migrations")
            )

    records = await asyncio.gather(*(open_and_put(name) for name in "abcd"))

    assert records == [migrations.LATEST] * 4
    async with open_database(store_path, engine, 1_000) as database:
        assert await names(database) == {"a", "b", "c", "d"}


async def test_a_new_store_can_be_opened_while_the_process_that_made_it_has_it_open(
    store_path, engine, put, names
):
    async with open_database(store_path, engine, 1_000) as first:
        await first.write(lambda tx: put(tx, "a"))

        async with open_database(store_path, engine, 1_000) as second:
            assert await names(second) == {"a"}


async def test_a_new_store_survives_the_sudden_death_of_the_process_that_made_it(
    store_path, engine, start_python, names
):
    maker = start_python(_WRITE, store_path, 0, 3)
    assert maker.stdout.readline() == "written\n"
    maker.send_signal(signal.SIGKILL)
    maker.wait()

    async with open_database(store_path, engine, 1_000) as database:
        assert await names(database) == {"0", "1", "2"}
        verify(store_path, engine)


async def test_processes_writing_at_once_lose_nothing(store_path, engine, start_python, names):
    async with open_database(store_path, engine, 1_000):
        pass
    writers = [start_python(_WRITE, store_path, first, 25) for first in (0, 100, 200)]
    for writer in writers:
        assert writer.stdout.readline() == "written\n"
        _say(writer)
        assert writer.wait() == 0

    async with open_database(store_path, engine, 1_000) as database:
        assert await names(database) == {
            str(first + n) for first in (0, 100, 200) for n in range(25)
        }
        verify(store_path, engine)
