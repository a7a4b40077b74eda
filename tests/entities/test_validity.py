"""Since when and until when a memory is true."""

import pytest

from mimir_py.errors import InvalidInput

_HOUR = 3_600_000


def _period(row):
    return row["valid_from_unix_ms"], row["valid_to_unix_ms"]


async def test_a_memory_is_true_from_now_on_unless_told_otherwise(client, live, clock):
    await client.remember("queue", "use NATS")

    assert _period(await live("queue")) == (clock.now, None)


async def test_a_new_text_starts_a_new_period(client, live, clock):
    await client.remember("queue", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)
    clock.advance(_HOUR)

    await client.remember("queue", "use Kafka")

    assert _period(await live("queue")) == (clock.now, None)


async def test_a_new_text_may_bring_its_own_period(client, live, versions):
    await client.remember("queue", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)

    await client.remember("queue", "use Kafka", valid_from_unix_ms=2_000, valid_to_unix_ms=3_000)

    assert _period(await live("queue")) == (2_000, 3_000)
    assert [_period(version) for version in await versions("queue")] == [(1_000, 2_000)]


async def test_the_same_text_keeps_its_period(client, live, clock):
    await client.remember("queue", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)
    clock.advance(_HOUR)

    await client.remember("queue", "use NATS", tags=["x"])

    assert _period(await live("queue")) == (1_000, 2_000)


async def test_one_bound_may_be_moved_alone(client, live):
    await client.remember("queue", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)

    await client.remember("queue", "use NATS", valid_to_unix_ms=1_500)

    assert _period(await live("queue")) == (1_000, 1_500)


async def test_times_before_1970_are_times(client, live):
    await client.remember("queue", "use NATS", valid_from_unix_ms=-5_000, valid_to_unix_ms=-1)

    assert _period(await live("queue")) == (-5_000, -1)


@pytest.mark.parametrize(
    "period",
    [
        {"valid_from_unix_ms": 2_000, "valid_to_unix_ms": 1_000},
        {"valid_from_unix_ms": 2_000, "valid_to_unix_ms": 2_000},
        {"valid_to_unix_ms": 1_000},
    ],
    ids=["inverted", "empty", "ended before it began"],
)
async def test_an_empty_period_of_a_new_memory_is_refused_and_nothing_is_stored(client, period):
    with pytest.raises(InvalidInput) as refusal:
        await client.remember("queue", "use NATS", **period)

    assert refusal.value.field == "valid_to_unix_ms"
    for table in ("entities", "entity_text", "chunks", "changes", "entity_history"):
        assert await client.rows(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("text", ["use NATS", "use Kafka"])
@pytest.mark.parametrize(
    "period",
    [
        {"valid_from_unix_ms": 9_000, "valid_to_unix_ms": 8_000},
        {"valid_from_unix_ms": 8_000, "valid_to_unix_ms": 8_000},
        {"valid_to_unix_ms": 1_000},
    ],
    ids=["inverted", "empty", "ends where it begins"],
)
async def test_an_empty_period_of_a_stored_memory_is_refused_and_nothing_changes(
    client, live, versions, text, period
):
    await client.remember("queue", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=5_000)
    before = await live("queue")

    with pytest.raises(InvalidInput):
        await client.remember("queue", text, **period)

    assert await live("queue") == before
    assert await versions("queue") == []


async def test_a_start_beyond_the_stored_end_is_refused(client, live):
    await client.remember("queue", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=5_000)
    before = await live("queue")

    with pytest.raises(InvalidInput):
        await client.remember("queue", "use NATS", valid_from_unix_ms=5_000)

    assert await live("queue") == before
