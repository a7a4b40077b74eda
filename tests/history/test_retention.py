"""How long versions are kept, and what is left of those that are not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.history import Bounds, Retained
from mimir_py.history.retention import DAY_MS, Stored, evicted, retained

_HOUR = 3_600_000
_ONE = Bounds(max_versions_per_key=1)


@pytest.fixture
async def versions(client, clock):
    """`queue` said one, two ... six, an hour apart, and was forgotten after three for an hour."""
    times = {}
    for text in ("one", "two", "three", "four", "five", "six"):
        times[text] = clock.now
        await client.remember("queue", text)
        clock.advance(_HOUR)
        if text == "three":
            times["forgotten"] = clock.now
            await client.forget("queue")
            clock.advance(_HOUR)
    return times


async def _whole(client):
    return await client.rows(
        "SELECT * FROM entity_history ORDER BY invalidated_at_unix_ms, recorded_at_unix_ms"
    )


async def test_nothing_goes_without_bounds(client, versions):
    before = await _whole(client)

    done = await client.app.history.retain(Bounds(), dry_run=False)

    assert done == Retained()
    assert await _whole(client) == before


async def test_a_dry_run_says_what_the_run_then_does_and_changes_nothing(client, versions):
    before = await _whole(client)

    preview = await client.app.history.retain(_ONE, dry_run=True)
    unchanged = await _whole(client)
    done = await client.app.history.retain(_ONE, dry_run=False)

    assert unchanged == before
    assert preview == done == Retained(4, preview.bytes_evicted, 2, 1)
    assert done.bytes_evicted == sum(
        len(f'{{"content": "{text}"}}') for text in ("one", "two", "three", "four")
    )


async def test_a_time_that_was_rolled_up_answers_with_the_summary(client, times, versions):
    await client.app.history.retain(_ONE, dry_run=False)

    answer = await times.ask("as_of", "queue", as_of_unix_ms=versions["two"])

    assert (answer["found"], answer["compacted"], answer["versions_compacted"]) == (True, True, 3)
    assert (answer["status"], answer["entity_type"]) == ("compacted", "tombstone")
    assert answer["note"]
    assert len(answer["digest"]) == 64


async def test_the_gap_stays_and_what_is_kept_answers_as_before(client, times, versions):
    await client.app.history.retain(_ONE, dry_run=False)

    gap, four = versions["forgotten"], versions["four"]
    assert await times.as_of("queue", versions["one"] - 1) is None
    assert await times.as_of("queue", gap) is None
    assert await times.as_of("queue", four - 1) is None
    assert "compacted" in await times.ask("as_of", "queue", as_of_unix_ms=gap - 1)
    assert "compacted" in await times.ask("as_of", "queue", as_of_unix_ms=four)
    assert await times.as_of("queue", versions["five"]) == "five"
    assert await times.as_of("queue", versions["six"]) == "six"
    assert await times.valid_at("queue", versions["one"]) is None
    assert await times.bitemporal("queue", gap, versions["one"]) is None


async def test_the_same_again_rolls_nothing_up(client, versions):
    await client.app.history.retain(_ONE, dry_run=False)
    before = await _whole(client)

    again = await client.app.history.retain(_ONE, dry_run=False)

    assert again == Retained()
    assert await _whole(client) == before


async def test_a_tombstone_takes_in_what_comes_after_it(client, times, clock, versions):
    await client.app.history.retain(_ONE, dry_run=False)
    first = await times.ask("as_of", "queue", as_of_unix_ms=versions["four"])
    await client.remember("queue", "seven")

    done = await client.app.history.retain(_ONE, dry_run=False)

    second = await times.ask("as_of", "queue", as_of_unix_ms=versions["five"])
    assert (done.rows_evicted, done.tombstones_written) == (2, 1)
    assert (first["versions_compacted"], second["versions_compacted"]) == (1, 2)
    assert first["digest"] != second["digest"]


async def test_without_tombstones_nothing_is_left(client, times, versions):
    bounds = replace(_ONE, tombstones=False)

    done = await client.app.history.retain(bounds, dry_run=False)

    assert done.tombstones_written == 0
    assert await times.as_of("queue", versions["two"]) is None
    assert await times.history("queue") == ["five"]


async def test_versions_go_by_how_long_ago_they_ended(client, times, clock, versions):
    clock.now = versions["three"] + DAY_MS

    done = await client.app.history.retain(Bounds(max_age_days=1), dry_run=False)

    # "two" ended just a day ago, which is not longer.
    assert done.rows_evicted == 1
    assert await times.as_of("queue", versions["two"]) == "two"


async def test_the_oldest_of_all_go_until_the_bodies_fit(client, clock, times):
    for text in ("aa", "bb", "cc"):
        for key in ("one", "two"):
            await client.remember(key, f"{key} {text}")
            clock.advance(_HOUR)

    size = len('{"content": "one aa"}')
    done = await client.app.history.retain(
        Bounds(max_bytes=2 * size, tombstones=False), dry_run=False
    )

    assert (done.rows_evicted, done.bytes_evicted, done.keys_affected) == (2, 2 * size, 2)
    assert [await times.history(key) for key in ("one", "two")] == [["one bb"], ["two bb"]]


async def test_a_memory_of_that_type_is_no_tombstone(client, times, clock):
    await client.remember("grave", '{"content": "x"}', type="tombstone", status="compacted")

    answer = await times.ask("as_of", "grave", as_of_unix_ms=clock.now)

    assert "compacted" not in answer


async def test_workspaces_are_rolled_up_apart(client, times, clock):
    for text in ("one", "two", "three"):
        for workspace in ("a", "b"):
            await client.remember("queue", f"{text} {workspace}", workspace_hash=workspace)
        clock.advance(_HOUR)

    done = await client.app.history.retain(_ONE, dry_run=False)

    assert (done.rows_evicted, done.tombstones_written, done.keys_affected) == (2, 2, 2)
    for workspace in ("a", "b"):
        history = await times.ask("history", "queue", workspace_hash=workspace)
        assert [version["status"] for version in history["versions"]] == ["active", "compacted"]


_stored = st.builds(
    Stored,
    name=st.sampled_from("abc"),
    row=st.integers(1, 10_000),
    recorded_at=st.integers(0, 50),
    ended_at=st.integers(51, 60 * DAY_MS),
    body_bytes=st.integers(0, 100),
    is_tombstone=st.booleans(),
    was_forgotten=st.booleans(),
)
_bounds = st.builds(
    Bounds,
    max_age_days=st.none() | st.integers(0, 60),
    max_versions_per_key=st.none() | st.integers(0, 6),
    max_bytes=st.none() | st.integers(0, 800),
    tombstones=st.booleans(),
)
_NOW = 60 * DAY_MS


@given(st.lists(_stored, max_size=20, unique_by=lambda version: version.row), _bounds)
def test_only_the_oldest_of_a_name_go_and_each_bound_holds(stored, bounds):
    runs = evicted(stored, replace(bounds, tombstones=False), _NOW)

    gone = {version.row for run in runs for version in run}
    left = [version for version in stored if version.row not in gone]
    for name in "abc":
        kept = [version.ended_at for version in left if version.name == name]
        went = [v.ended_at for v in stored if v.name == name and v.row in gone]
        assert not kept or not went or max(went) <= min(kept)
        if bounds.max_versions_per_key is not None:
            assert len(kept) <= bounds.max_versions_per_key
    if bounds.max_age_days is not None:
        assert all(v.ended_at >= _NOW - bounds.max_age_days * DAY_MS for v in left)
    if bounds.max_bytes is not None:
        assert sum(version.body_bytes for version in left) <= bounds.max_bytes


@given(st.lists(_stored, max_size=20, unique_by=lambda version: version.row), st.integers(0, 800))
def test_tombstones_do_not_count_towards_the_bytes(stored, most):
    runs = evicted(stored, Bounds(max_bytes=most), _NOW)

    gone = {version.row for run in runs for version in run}
    left = [v for v in stored if v.row not in gone and not v.is_tombstone]
    assert sum(version.body_bytes for version in left) <= most


@given(st.lists(_stored, max_size=20, unique_by=lambda version: version.row), _bounds)
def test_a_run_is_of_one_name_and_ends_where_it_was_forgotten(stored, bounds):
    runs = evicted(stored, bounds, _NOW)

    rows = [version.row for run in runs for version in run]
    assert len(rows) == len(set(rows))
    for run in runs:
        assert len({version.name for version in run}) == 1
        assert not any(version.was_forgotten for version in run[:-1])
        assert len(run) > 1 or not (bounds.tombstones and run[0].is_tombstone)
    assert retained(runs, bounds).rows_evicted == len(rows)


@given(
    st.lists(_stored, max_size=20, unique_by=lambda version: version.row),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_a_tighter_bound_never_keeps_what_a_looser_one_lets_go(stored, one, other):
    few, many = sorted((one, other))

    def gone(most):
        bounds = Bounds(max_versions_per_key=most, tombstones=False)
        return {version.row for run in evicted(stored, bounds, _NOW) for version in run}

    assert gone(many) <= gone(few)
