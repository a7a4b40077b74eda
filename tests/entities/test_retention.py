"""Freshness only falls with time, falls slower for what is used or valued, and falls the same
however often it is looked at."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from mimir_py.entities.retention import (
    LAYERS,
    LIFETIME_MS,
    REINFORCEMENT,
    Standing,
    freshness,
    is_protected,
    settled_layer,
    worth,
)

NOW = 1_760_000_000_000
DAY_MS = 86_400_000
PLAIN = Standing(1, 1.0, NOW, NOW, "working", 0, 0.0, False, False, 0.0, "unverified")

_units = st.floats(0, 1)
_memories = st.builds(
    Standing,
    row_id=st.integers(1, 9),
    freshness=_units,
    last_used=st.integers(NOW - 400 * DAY_MS, NOW + DAY_MS),
    created=st.just(NOW),
    layer=st.sampled_from([*LAYERS, "", "attic"]),
    uses=st.integers(0, 200),
    importance=_units,
    verified=st.booleans(),
    always_on=st.booleans(),
    follow_rate=_units,
    efficacy=st.sampled_from(["unverified", "useful", "dead"]),
)
_times = st.integers(NOW - DAY_MS, NOW + 400 * DAY_MS)


def _after(days: float, **more: object) -> float:
    return freshness(PLAIN._replace(**more), NOW + int(days * DAY_MS))


def test_the_published_curve_is_that_of_the_middle_layer():
    assert LIFETIME_MS == 7 * DAY_MS
    assert [round(_after(days), 3) for days in (0, 7, 14)] == [1.0, 0.368, 0.135]
    assert _after(20.96) > 0.05 > _after(20.98)


def test_a_memory_nobody_uses_lasts_two_three_or_twelve_weeks():
    for layer, days in (("buffer", 13.98), ("working", 20.97), ("core", 83.88)):
        assert math.isclose(_after(days, layer=layer), 0.05, rel_tol=1e-2)


def test_fading_never_raises_what_began_low():
    assert _after(0.01, freshness=0.1) == 0.1
    assert _after(0.01, freshness=0.1 + REINFORCEMENT) == 0.1 + REINFORCEMENT


def test_what_was_used_in_the_future_has_not_faded():
    assert _after(-3) == 1.0


@given(_memories, _times, _times)
def test_freshness_falls_with_time_and_stays_in_bounds(memory, one, other):
    early, late = freshness(memory, min(one, other)), freshness(memory, max(one, other))

    assert 0 <= late <= early <= 1


@given(_memories, _times, _times)
def test_storing_freshness_on_the_way_changes_nothing(memory, one, other):
    early, late = min(one, other), max(one, other)

    stored = memory._replace(freshness=freshness(memory, early))

    assert freshness(stored, late) == freshness(memory, late)


@given(_memories, _times, st.integers(0, 50), _units, st.integers(0, DAY_MS))
def test_whatever_values_a_memory_keeps_it_fresher(memory, now, uses, more, later):
    before = freshness(memory, now)
    better = [
        memory._replace(uses=memory.uses + uses),
        memory._replace(importance=max(memory.importance, more)),
        memory._replace(verified=True),
        memory._replace(freshness=max(memory.freshness, more)),
        memory._replace(last_used=memory.last_used + later),
    ]

    assert all(freshness(other, now) >= before for other in better)


@given(_memories, _times)
def test_a_higher_layer_keeps_a_memory_fresher(memory, now):
    kept = [freshness(memory._replace(layer=layer), now) for layer in LAYERS]

    assert kept == sorted(kept)


@given(_memories, _times)
def test_what_is_always_on_stays_as_it_is(memory, now):
    assert freshness(memory._replace(always_on=True), now) == memory.freshness


@given(_memories, _times)
def test_what_is_verified_or_important_never_fades_away(memory, now):
    assume(memory.verified or memory.importance >= 0.5)

    assert is_protected(memory)
    assert freshness(memory, now) >= 0.2 or memory.always_on


@given(_memories, _times)
def test_moving_to_the_settled_layer_settles(memory, now):
    fresh = freshness(memory, now)
    moved = memory._replace(layer=settled_layer(memory, fresh))

    assert settled_layer(moved, freshness(moved, now)) == moved.layer


@given(_memories, _times)
def test_losing_an_earned_layer_costs_no_freshness(memory, now):
    fresh = freshness(memory, now)
    moved = memory._replace(layer=settled_layer(memory, fresh))

    assert freshness(moved, now) == fresh


def test_uses_earn_layers_and_fading_takes_them_back():
    def layer(uses: int, fresh: float, held: str = "buffer", **more: object) -> str:
        return settled_layer(PLAIN._replace(uses=uses, layer=held, **more), fresh)

    assert [layer(uses, 1.0) for uses in (4, 5, 19, 20)] == ["buffer", "working", "working", "core"]
    assert [layer(20, fresh, "core") for fresh in (0.5, 0.49, 0.2, 0.19)] == [
        "core", "working", "working", "buffer",
    ]  # fmt: skip
    assert layer(20, 0.19, "core", verified=True) == layer(20, 0.1, always_on=True) == "core"


def test_a_layer_that_was_asked_for_stays():
    assert settled_layer(PLAIN._replace(layer="core"), 0.06) == "core"
    assert settled_layer(PLAIN._replace(layer="attic", uses=50), 1.0) == "attic"


@given(st.lists(_memories, max_size=8), _times)
def test_the_least_valuable_is_the_least_fresh(memories, now):
    ordered = [freshness(m, now) for m in sorted(memories, key=lambda m: worth(m, now))]

    assert ordered == sorted(ordered)
