"""What was believed when: exact to the millisecond, and a gap stays a gap."""

import pytest

_HOUR = 3_600_000


async def test_a_memory_is_believed_from_the_moment_it_is_recorded(client, times, clock):
    await client.remember("queue", "use NATS")

    assert await times.as_of("queue", clock.now - 1) is None
    assert await times.as_of("queue", clock.now) == "use NATS"
    assert await times.as_of("queue", clock.now + _HOUR) == "use NATS"


async def test_a_version_is_believed_until_the_next_one_is(client, times, clock):
    await client.remember("queue", "use NATS")
    changed = clock.advance(_HOUR)
    await client.remember("queue", "use Kafka")

    assert await times.as_of("queue", changed - 1) == "use NATS"
    assert await times.as_of("queue", changed) == "use Kafka"
    assert await times.history("queue") == ["use NATS"]


async def test_what_is_forgotten_answers_only_as_of_before(client, times, clock):
    await client.remember("queue", "use NATS")
    forgotten = clock.advance(_HOUR)
    await client.forget("queue")

    assert await times.as_of("queue", forgotten - 1) == "use NATS"
    for at in (forgotten, forgotten + _HOUR):
        assert await times.as_of("queue", at) is None
        assert await times.bitemporal("queue", at, forgotten - 1) is None
    assert await times.valid_at("queue", forgotten - 1) is None
    assert await times.bitemporal("queue", forgotten - 1, forgotten - 1) == "use NATS"
    assert await times.bitemporal("queue", forgotten - 1, forgotten) == "use NATS"


@pytest.mark.parametrize("text", ["use NATS", "use Kafka"])
async def test_what_is_remembered_again_answers_again_and_the_gap_stays(client, times, clock, text):
    await client.remember("queue", "use NATS")
    forgotten = clock.advance(_HOUR)
    await client.forget("queue")
    again = clock.advance(_HOUR)
    await client.remember("queue", text)

    assert await times.as_of("queue", forgotten - 1) == "use NATS"
    assert await times.as_of("queue", forgotten) is None
    assert await times.as_of("queue", again - 1) is None
    assert await times.as_of("queue", again) == text
    assert await times.valid_at("queue", again) == text
    assert await times.history("queue") == ["use NATS"]


async def test_what_was_forgotten_is_not_known_any_more_when_another_text_comes(
    client, times, clock
):
    first = clock.now
    await client.remember("queue", "use NATS")
    clock.advance(_HOUR)
    await client.forget("queue")
    again = clock.advance(_HOUR)
    await client.remember("queue", "use Kafka")

    assert await times.valid_at("queue", first) is None
    assert await times.bitemporal("queue", again, first) is None
    assert await times.bitemporal("queue", first, first) == "use NATS"


async def test_a_version_that_was_never_forgotten_still_speaks_of_its_time(client, times, clock):
    first = clock.now
    await client.remember("queue", "use NATS")
    changed = clock.advance(_HOUR)
    await client.remember("queue", "use Kafka")

    assert await times.valid_at("queue", first - 1) is None
    assert await times.valid_at("queue", first) == "use NATS"
    assert await times.valid_at("queue", changed - 1) == "use NATS"
    assert await times.valid_at("queue", changed) == "use Kafka"


async def test_a_correction_about_the_past_changes_what_is_known_not_what_was(client, times, clock):
    await client.remember("price", "10", valid_from_unix_ms=1_000)
    before = clock.now
    corrected = clock.advance(_HOUR)
    await client.remember("price", "12", valid_from_unix_ms=1_000)

    assert await times.valid_at("price", 1_000) == "12"
    assert await times.bitemporal("price", corrected - 1, 1_000) == "10"
    assert await times.as_of("price", before) == "10"


async def test_a_period_that_ended_leaves_nothing_true_after_it(client, times):
    await client.remember("price", "10", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)

    assert await times.valid_at("price", 999) is None
    assert await times.valid_at("price", 1_000) == "10"
    assert await times.valid_at("price", 1_999) == "10"
    assert await times.valid_at("price", 2_000) is None


async def test_a_version_says_when_it_was_believed_and_of_when_it_speaks(client, times, clock):
    recorded = clock.now
    await client.remember("price", "10", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)
    changed = clock.advance(_HOUR)
    await client.remember("price", "12", valid_from_unix_ms=2_000)

    old = await times.ask("valid_at", "price", valid_at_unix_ms=1_500)
    new = await times.ask("valid_at", "price", valid_at_unix_ms=2_000)
    [version] = (await times.ask("history", "price"))["versions"]

    spans = {
        "valid_from_unix_ms": 1_000,
        "valid_to_unix_ms": 2_000,
        "recorded_at_unix_ms": recorded,
        "invalidated_at_unix_ms": changed,
    }
    assert {name: old[name] for name in spans} == spans
    assert {name: version[name] for name in spans} == spans
    assert (old["is_live_version"], new["is_live_version"]) == (False, True)
    assert new["invalidated_at_unix_ms"] is None


async def test_a_forgotten_memory_says_until_when_it_was_believed(client, times, clock):
    start = clock.now
    await client.remember("queue", "use NATS")
    forgotten = clock.advance(_HOUR)
    await client.forget("queue")

    asked = {"tx_at_unix_ms": start, "valid_at_unix_ms": start}
    answer = await times.ask("bitemporal", "queue", **asked)

    assert answer["invalidated_at_unix_ms"] == forgotten
    assert answer["is_live_version"] is False


async def test_a_clock_that_goes_backwards_keeps_the_order_of_what_was_said(client, times, clock):
    start = clock.now
    for text in ("one", "two", "three"):
        await client.remember("queue", text)
        clock.advance(-_HOUR)
    await client.forget("queue")
    clock.advance(-_HOUR)
    await client.remember("queue", "four")

    believed = [await times.as_of("queue", start + step) for step in range(-1, 4)]
    assert believed == [None, "one", "two", "three", "four"]


class TestAnotherKey:
    """A key that repeats a memory's text has a history of its own."""

    async def test_it_is_believed_since_it_was_given(self, client, times, clock):
        await client.remember("queue", "use NATS")
        given = clock.advance(_HOUR)
        await client.remember("broker", "use NATS")

        assert await times.as_of("broker", given - 1) is None
        assert await times.as_of("broker", given) == "use NATS"
        clock.advance(_HOUR)
        await client.remember("broker", "use NATS")
        assert await times.as_of("broker", given) == "use NATS"

    @pytest.mark.parametrize("how", ["update", "forget"])
    async def test_it_keeps_its_past_when_the_memory_goes_another_way(
        self, client, times, clock, how
    ):
        await client.remember("queue", "use NATS")
        given = clock.advance(_HOUR)
        await client.remember("broker", "use NATS")
        clock.advance(_HOUR)
        if how == "forget":
            await client.forget("queue")
        else:
            await client.remember("queue", "use Kafka")

        assert await times.as_of("broker", given - 1) is None
        assert await times.as_of("broker", given) == "use NATS"
        assert await times.as_of("broker", clock.now) == "use NATS"

    async def test_it_is_believed_until_it_is_forgotten(self, client, times, clock):
        await client.remember("queue", "use NATS")
        given = clock.advance(_HOUR)
        await client.remember("broker", "use NATS")
        forgotten = clock.advance(_HOUR)
        await client.forget("broker")

        assert await times.as_of("broker", given) == "use NATS"
        assert await times.as_of("broker", forgotten - 1) == "use NATS"
        assert await times.as_of("broker", forgotten) is None
        assert await times.valid_at("broker", forgotten) is None
        assert await times.as_of("queue", forgotten) == "use NATS"
        assert await times.history("broker") == ["use NATS"]

    @pytest.mark.parametrize("text", ["use Kafka", "use Redis"], ids=["known", "new"])
    async def test_it_is_believed_until_it_has_another_text(self, client, times, clock, text):
        await client.remember("queue", "use NATS")
        await client.remember("bus", "use Kafka")
        given = clock.advance(_HOUR)
        await client.remember("broker", "use NATS")
        changed = clock.advance(_HOUR)
        await client.remember("broker", text)

        assert await times.as_of("broker", given) == "use NATS"
        assert await times.as_of("broker", changed - 1) == "use NATS"
        assert await times.as_of("broker", changed) == text
