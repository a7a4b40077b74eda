"""A write with a key is made once, however often it is sent, and answered as it was."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from mimir_py.errors import InvalidInput, NotFound
from mimir_py.retries import Retries, keyed
from mimir_py.retries.service import KEPT_MS, MOST_KEPT
from mimir_py.storage.database import Database, Writer, open_database

_HOUR_MS = 3_600_000


def _call(key: str = "a key", *, tool: str = "append", resumable: bool = False, **arguments: Any):
    return keyed(key, tool, None, arguments, resumable=resumable)


@dataclass(frozen=True)
class Appended:
    id: str
    number: int


class Appender:
    """Writes that are not idempotent: each adds an entry to the change feed."""

    def __init__(self, database: Database, retries: Retries) -> None:
        self.database = database
        self.retries = retries

    async def append(self) -> dict[str, Any]:
        done = await self.database.write(_append)
        return {"id": done.id, "number": done.number, "more": True}

    async def once(self, call=None, run=None) -> dict[str, Any]:
        return await self.retries.once(call or _call(), run or self.append)

    async def count(self) -> int:
        return await self.database.read(lambda reader: reader.value("SELECT count(*) FROM changes"))

    async def kept(self) -> int:
        statement = "SELECT count(*) FROM idempotency"
        return await self.database.read(lambda reader: reader.value(statement))


def _append(tx: Writer) -> Appended:
    number = tx.insert_row("changes", {"entity_row_id": 1, "entity_id": "x", "kind": "test"})
    return Appended(f"entry-{number}", number)


@pytest.fixture
async def open_appender(store_path, engine, clock) -> AsyncIterator[Callable[..., Any]]:
    """Opens the store once more, as another process would."""
    async with AsyncExitStack() as stack:

        async def opened(patience_s: float = 10.0) -> Appender:
            database = await stack.enter_async_context(open_database(store_path, engine, 10_000))
            return Appender(database, Retries(database, clock, patience_s))

        yield opened


@pytest.fixture
async def appender(open_appender) -> Appender:
    return await open_appender()


async def test_the_same_call_again_changes_nothing_and_is_answered_as_before(appender):
    first = await appender.once()
    again = await appender.once()

    assert first == {"id": "entry-1", "number": 1, "more": True}
    assert again == {**first, "replayed": True}
    assert await appender.count() == 1


async def test_another_key_is_another_call(appender):
    await appender.once(_call("one"))
    await appender.once(_call("other"))

    assert await appender.count() == 2


@pytest.mark.parametrize(
    "other",
    [_call(text="other"), _call(tool="other"), keyed("a key", "append", "w", {}, resumable=False)],
)
async def test_a_key_of_another_call_is_refused(appender, other):
    await appender.once()

    with pytest.raises(InvalidInput, match=r"^idempotency_key: was used for another call"):
        await appender.once(other)
    assert await appender.count() == 1


async def test_the_order_of_arguments_does_not_make_another_call(appender):
    await appender.once(
        keyed("k", "append", None, {"a": 1, "b": {"c": 2, "d": 3}}, resumable=False)
    )
    again = await appender.once(
        keyed("k", "append", None, {"b": {"d": 3, "c": 2}, "a": 1}, resumable=False)
    )

    assert again["replayed"] is True


async def test_a_key_is_free_again_after_a_day(appender, clock):
    await appender.once()
    clock.advance(KEPT_MS)
    replayed = await appender.once()
    clock.advance()
    fresh = await appender.once(_call(text="another call"))

    assert replayed["replayed"] is True
    assert "replayed" not in fresh
    assert await appender.count() == 2


async def test_old_answers_are_dropped(appender, clock):
    for key in ("one", "two"):
        await appender.once(_call(key))
    clock.advance(KEPT_MS + 1)
    await appender.once(_call("three"))

    assert await appender.kept() == 1


async def test_only_so_many_answers_are_kept(appender, clock):
    columns = ("key_hash", "tool", "call_hash", "answer", "complete", "created_at_unix_ms")
    rows = [(b"%d" % n, "append", b"", "{}", 1, clock()) for n in range(MOST_KEPT)]
    await appender.database.write(lambda tx: tx.insert_rows("idempotency", columns, rows))

    await appender.once()

    assert await appender.kept() == MOST_KEPT
    assert (await appender.once())["replayed"] is True


async def test_a_call_that_changed_nothing_is_answered_as_before_too(appender):
    async def nothing() -> dict[str, Any]:
        await appender.database.write(lambda tx: None)
        return {"found": False}

    assert await appender.once(run=nothing) == {"found": False}
    assert await appender.once() == {"found": False, "replayed": True}


async def test_a_call_that_failed_can_be_sent_again(appender):
    def fail(tx: Writer) -> None:
        _append(tx)
        raise NotFound("half-way")

    with pytest.raises(NotFound):
        await appender.once(run=lambda: appender.database.write(fail))

    assert "replayed" not in await appender.once()
    assert await appender.count() == 1


async def test_a_transaction_that_was_rolled_back_is_not_what_is_recorded(appender):
    async def second_try() -> dict[str, Any]:
        def fail(tx: Writer) -> None:
            _append(tx)
            raise NotFound("half-way")

        with pytest.raises(NotFound):
            await appender.database.write(fail)
        return await appender.append()

    await appender.once(run=second_try)

    assert (await appender.once())["replayed"] is True
    assert await appender.count() == 1


async def _die_after_the_change(appender: Appender, call: Any) -> None:
    async def die() -> dict[str, Any]:
        await appender.append()
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await appender.once(call, die)


async def test_a_change_whose_answer_got_lost_is_not_made_again(appender, open_appender):
    await _die_after_the_change(appender, _call())
    other = await open_appender(patience_s=0.1)

    again = await other.once()

    assert again == {"id": "entry-1", "number": 1, "replayed": True, "partial": True}
    assert await other.count() == 1


async def test_a_job_that_ended_half_way_is_taken_up_again(appender, open_appender):
    call = _call(resumable=True)
    await _die_after_the_change(appender, call)
    other = await open_appender(patience_s=0.1)

    resumed = await other.once(call)
    again = await appender.once(call)

    assert "replayed" not in resumed
    assert again == {**resumed, "replayed": True}
    assert await other.kept() == 1


async def test_nobody_waits_for_a_call_that_was_long_ago(appender, open_appender, clock):
    await _die_after_the_change(appender, _call())
    clock.advance(_HOUR_MS)
    other = await open_appender(patience_s=3_000)

    assert (await asyncio.wait_for(other.once(), 5))["partial"] is True


async def test_a_repeat_waits_for_the_answer_of_a_call_under_way(appender, open_appender):
    changed, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> dict[str, Any]:
        answer = await appender.append()
        changed.set()
        await go_on.wait()
        return answer

    first = asyncio.create_task(appender.once(run=slow))
    other = await open_appender(patience_s=30)
    await changed.wait()
    second = asyncio.create_task(other.once())
    await asyncio.sleep(0.1)
    assert not second.done()
    go_on.set()

    assert await second == {**await first, "replayed": True}


async def test_of_many_at_once_one_makes_the_change(open_appender):
    """Half of them through another connection, as from another process."""
    appenders = [await open_appender(), await open_appender()]

    async def slowly(appender: Appender) -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return await appender.append()

    answers = await asyncio.gather(
        *(a.once(run=lambda a=a: slowly(a)) for a in appenders for _ in range(10))
    )

    assert await appenders[0].count() == 1
    assert sum("replayed" not in answer for answer in answers) == 1
    assert {answer["id"] for answer in answers} == {"entry-1"}
    assert not any("partial" in answer for answer in answers)


async def test_what_a_call_leaves_running_writes_for_itself(appender):
    go_on = asyncio.Event()
    left: list[asyncio.Task[Any]] = []

    async def later() -> dict[str, Any]:
        await go_on.wait()
        return await appender.append()

    async def leaving() -> dict[str, Any]:
        left.append(asyncio.create_task(later()))
        return await appender.append()

    first = await appender.once(run=leaving)
    go_on.set()
    await left[0]

    assert await appender.count() == 2
    assert await appender.once() == {**first, "replayed": True}


@pytest.mark.parametrize("deep", [100_000, 5])
async def test_arguments_are_compared_whatever_they_are(deep):
    nested: Any = 1
    for _ in range(deep):
        nested = [nested]
    if deep > 1_000:
        with pytest.raises(InvalidInput, match=r"^idempotency_key: "):
            _call(nested=nested)
    else:
        assert _call(nested=nested) != _call(nested=[nested])


def test_neither_key_nor_arguments_can_be_read_from_what_is_kept():
    call = _call("my key", text="the arguments")

    assert b"key" not in call.key_hash + call.call_hash
    assert call.call_hash != _call("another key", text="the arguments").call_hash
