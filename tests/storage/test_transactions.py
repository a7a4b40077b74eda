"""One change, one transaction: whole or not at all, whoever else is at work."""

import asyncio
import threading
import time

import pytest

from mimir_py.errors import StorageError
from mimir_py.storage.database import open_database


class _Fault(Exception):
    pass


async def _turns(count: int) -> None:
    """Let other tasks run that many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_write_is_there_when_it_returns_for_this_and_for_other_connections(
    database, engine, put, names
):
    result = await database.write(lambda tx: put(tx, "a"))

    assert result is None
    assert await names(database) == {"a"}
    async with open_database(database.path, engine, 1_000) as other:
        assert await names(other) == {"a"}


async def test_a_write_that_raises_leaves_nothing_behind(database, put, names):
    def half(tx):
        put(tx, "a")
        raise _Fault

    with pytest.raises(_Fault):
        await database.write(half)

    assert await names(database) == set()


async def test_the_write_after_one_that_raised_works(database, put, names):
    def half(tx):
        put(tx, "a")
        tx.run("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StorageError, match="nowhere"):
        await database.write(half)
    await database.write(lambda tx: put(tx, "b"))

    assert await names(database) == {"b"}


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 700])
async def test_rows_inserted_together_are_all_there_in_their_order(database, count):
    rows = [(number, f"row-{number}", 1) for number in range(count, 0, -1)]
    columns = ("entity_row_id", "entity_id", "kind")

    await database.write(lambda tx: tx.insert_rows("changes", columns, rows))

    stored = await database.read(
        lambda reader: reader.tuples("SELECT entity_row_id, entity_id, kind FROM changes")
    )
    assert stored == [(number, name, "1") for number, name, _ in rows]


async def test_rows_inserted_together_are_inserted_together_or_not_at_all(database, names):
    rows = [(f"name-{number}", "x") for number in range(300)]

    with pytest.raises(StorageError, match="UNIQUE"):
        await database.write(lambda tx: tx.insert_rows("meta", ("name", "value"), [*rows, rows[0]]))

    assert await names(database) == set()


async def test_slices_written_in_a_row_are_durable_and_leave_a_short_log(
    database, engine, put, names
):
    def fill(tx, number):
        put(tx, str(number))
        rows = [(f"{number}-{row}", "y" * 4_000) for row in range(500)]
        tx.insert_rows("meta", ("name", "value"), rows)

    for number in range(12):
        await database.write_slice(lambda tx, number=number: fill(tx, number))

    assert await names(database) == {str(number) for number in range(12)}
    log = database.path.with_name(database.path.name + "-wal")
    assert log.stat().st_size < 16 * 1_048_576
    async with open_database(database.path, engine, 1_000) as other:
        assert len(await names(other)) == 12


async def test_between_slices_written_in_a_row_another_opening_gets_its_turn(
    database, engine, put, names
):
    async with open_database(database.path, engine, 5_000) as other:

        async def slices():
            for number in range(50):
                await database.write_slice(lambda tx, number=number: put(tx, str(number)))
            return time.monotonic()

        async def once():
            await other.write(lambda tx: put(tx, "other"))
            return time.monotonic()

        all_done, other_done = await asyncio.gather(slices(), once())

    assert other_done < all_done
    assert len(await names(database)) == 51


async def test_a_reader_cannot_write(database, names):
    with pytest.raises(StorageError, match="readonly"):
        await database.read(
            lambda reader: reader.all("INSERT INTO meta (name, value) VALUES ('a', 'x')")
        )

    assert await names(database) == set()


async def test_a_read_sees_one_snapshot_while_a_write_ends(database, put):
    loop = asyncio.get_running_loop()

    def around_a_write(reader):
        before = reader.value("SELECT count(*) FROM meta")
        asyncio.run_coroutine_threadsafe(database.write(lambda tx: put(tx, "a")), loop).result(
            timeout=10
        )
        return before, reader.value("SELECT count(*) FROM meta")

    before, after = await database.read(around_a_write)

    assert before == after


async def test_a_failed_read_does_not_pin_its_snapshot(database, put, names):
    with pytest.raises(StorageError):
        await database.read(lambda reader: reader.all("SELECT * FROM nowhere"))
    await database.write(lambda tx: put(tx, "a"))

    assert await names(database) == {"a"}


async def test_two_tasks_writing_at_once_do_not_share_a_transaction(database, put, names):
    other_waits = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(tx):
        put(tx, "first")
        asyncio.run_coroutine_threadsafe(other_waits.wait(), loop).result(timeout=10)
        put(tx, "second")

    def failing(tx):
        seen = tx.tuples("SELECT name FROM meta WHERE value = 'x' ORDER BY name")
        put(tx, "third")
        raise _Fault(seen)

    async def rival():
        await _turns(1)
        attempt = asyncio.ensure_future(database.write(failing))
        await _turns(10)
        other_waits.set()
        await attempt

    _, fault = await asyncio.gather(database.write(slow), rival(), return_exceptions=True)

    assert isinstance(fault, _Fault)
    assert fault.args == ([("first",), ("second",)],)
    assert await names(database) == {"first", "second"}


async def test_many_tasks_writing_at_once_lose_no_update(database):
    def count_up(tx):
        before = tx.value("SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM meta")
        tx.run("INSERT INTO meta (name, value) VALUES (?, ?)", (f"n{before}", str(before + 1)))

    await asyncio.gather(*(database.write(count_up) for _ in range(40)))

    counted = "SELECT count(*) FROM meta WHERE name GLOB 'n[0-9]*'"
    assert await database.read(lambda reader: reader.value(counted)) == 40


async def test_a_write_cancelled_while_it_runs_ends_whole(database, put, names):
    started, go_on = threading.Event(), threading.Event()

    def slow(tx):
        put(tx, "a")
        started.set()
        assert go_on.wait(10)
        put(tx, "b")

    writing = asyncio.ensure_future(database.write(slow))
    assert await asyncio.to_thread(started.wait, 10)
    writing.cancel()
    await _turns(3)
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await names(database) == {"a", "b"}


async def test_a_failing_write_cancelled_while_it_runs_is_rolled_back(database, put, names):
    started, go_on = threading.Event(), threading.Event()

    def slow(tx):
        put(tx, "a")
        started.set()
        assert go_on.wait(10)
        raise _Fault

    writing = asyncio.ensure_future(database.write(slow))
    assert await asyncio.to_thread(started.wait, 10)
    writing.cancel()
    await _turns(3)
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await writing
    await database.write(lambda tx: put(tx, "b"))
    assert await names(database) == {"b"}


async def test_a_write_cancelled_before_its_turn_changes_nothing(database, put, names):
    started, go_on = threading.Event(), threading.Event()

    def slow(tx):
        started.set()
        assert go_on.wait(10)

    first = asyncio.ensure_future(database.write(slow))
    assert await asyncio.to_thread(started.wait, 10)
    second = asyncio.ensure_future(database.write(lambda tx: put(tx, "a")))
    await _turns(3)
    second.cancel()
    go_on.set()
    await first

    with pytest.raises(asyncio.CancelledError):
        await second
    assert await names(database) == set()


@pytest.mark.parametrize("turns", range(12))
async def test_after_a_cancellation_at_any_point_everyone_can_write(
    turns, database, engine, put, names
):
    writing = asyncio.ensure_future(database.write(lambda tx: (put(tx, "a"), put(tx, "b"))))
    await _turns(turns)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)

    await database.write(lambda tx: put(tx, "c"))
    async with open_database(database.path, engine, 1_000) as other:
        await other.write(lambda tx: put(tx, "d"))

    assert await names(database) - {"a", "b"} == {"c", "d"}
    assert await names(database) & {"a", "b"} in (set(), {"a", "b"})


async def test_a_cancelled_read_leaves_the_reader_usable(database, put, names):
    started, go_on = threading.Event(), threading.Event()

    def slow(reader):
        started.set()
        assert go_on.wait(10)
        return reader.value("SELECT count(*) FROM meta")

    reading = asyncio.ensure_future(database.read(slow))
    assert await asyncio.to_thread(started.wait, 10)
    reading.cancel()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await reading
    await database.write(lambda tx: put(tx, "a"))
    assert await names(database) == {"a"}


async def test_the_log_is_empty_once_the_store_is_closed(store_path, engine, put):
    async with open_database(store_path, engine, 1_000) as database:
        await database.write(lambda tx: put(tx, "a"))

    wal = store_path.with_name(store_path.name + "-wal")
    assert not wal.exists() or wal.stat().st_size == 0


async def test_a_log_that_was_copied_is_not_copied_again_after_each_write(database, put):
    """A copied log keeps its length: for a while that is no reason to copy it again."""

    def copied_at():
        return database.path.stat().st_mtime_ns

    before = copied_at()
    await database.write(
        lambda tx: tx.run("INSERT INTO meta VALUES ('long', ?)", ("x" * 5_000_000,))
    )
    await database._checkpointing
    after = copied_at()
    assert after > before

    for number in range(5):
        await database.write(lambda tx, number=number: put(tx, f"short-{number}"))
        await asyncio.sleep(0.01)

    assert copied_at() == after
