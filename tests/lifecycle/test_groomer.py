"""The groomer: off unless asked for, once in so many hours whoever asks, and never in the way."""

import asyncio

from mimir_py.app.idle import groom, groom_if_due
from mimir_py.config import load
from tests.server.program import serving

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


async def _live(client):
    return [key for (key,) in await client.rows("SELECT key FROM entities WHERE archived = 0")]


def test_it_is_off_unless_asked_for():
    assert load({}).groom_hours == 0
    assert load({"MIMIR_GROOM_HOURS": "6"}).groom_hours == 6


async def test_it_grooms_once_in_so_many_hours_whoever_asks(client, app, clock, open_store):
    async with open_store() as other:
        first = [await groom_if_due(app, 6), await groom_if_due(other, 6)]
        clock.advance(6 * _HOUR_MS - 1)
        early = await groom_if_due(other, 6)
        clock.advance()
        late = [await groom_if_due(other, 6), await groom_if_due(app, 6)]

    assert (first, early, late) == ([True, False], False, [True, False])


async def test_it_archives_what_has_faded(client, app, clock):
    await client.remember("faded", "nobody asked for this")
    clock.advance(15 * _DAY_MS)
    await client.remember("fresh", "this is from today")

    assert await groom_if_due(app, 24)

    assert await _live(client) == ["fresh"]


async def test_it_waits_for_calls_that_are_running(client, app, clock):
    await client.remember("faded", "nobody asked for this")
    clock.advance(15 * _DAY_MS)
    app._running = 1

    grooming = asyncio.create_task(groom(app, 24))
    await asyncio.sleep(0.2)
    during = await _live(client)
    app._running = 0
    for _ in range(100):
        await asyncio.sleep(0.05)
        if not await _live(client):
            break
    grooming.cancel()

    assert (during, await _live(client)) == (["faded"], [])


def test_a_server_takes_the_flag_and_answers(tmp_path):
    with serving(tmp_path / "memory.db", "--groom", "1") as program:
        program.call("remember", category="note", key="k", body_json="kept")

        assert program.call("recall", query="kept")["items"][0]["key"] == "k"
