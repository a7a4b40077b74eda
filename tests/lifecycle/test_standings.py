"""Freshness as the engine works it out is freshness as the rule has it."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.entities.retention import LIMITS, NOTICEABLE, freshness
from mimir_py.lifecycle import standings
from mimir_py.lifecycle.models import Within
from mimir_py.lifecycle.standings import Counts
from tests.lifecycle.conftest import records

_WITHIN = Within(("w",))
_EVERY_LAYER = ("buffer", "working", "core", "attic")
_EFFICACIES = ("useful", "dead", "unverified")


def _is_noticeable(before: float, after: float) -> bool:
    crossed = any((before < limit) != (after < limit) for limit in LIMITS)
    return abs(after - before) >= NOTICEABLE or crossed


@given(
    memories=records(),
    efficacies=st.lists(st.tuples(st.sampled_from(_EFFICACIES), st.floats(0, 1)), min_size=1),
    layers=st.lists(st.sampled_from(_EVERY_LAYER), min_size=1),
    later=st.integers(-(10**9), 10**10),
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_what_is_stored_is_what_the_rule_says_and_as_many_as_counted(
    app, client, clock, fill, memories, efficacies, layers, later
):
    await app.database.write(lambda tx: tx.run("DELETE FROM main.entities"))
    memories = [{**memory, "layer": layers[n % len(layers)]} for n, memory in enumerate(memories)]
    await fill("w", memories)
    now = clock.now + later

    def advise(tx):
        for number, (row_id,) in enumerate(tx.tuples("SELECT row_id FROM main.entities")):
            status, rate = efficacies[number % len(efficacies)]
            tx.update_row("entities", row_id, {"efficacy_status": status, "follow_rate": rate})

    await app.database.write(advise)
    some = await app.database.read(partial(standings.next_slice, after=0, limit=100))
    assert some is not None
    read = partial(standings.standings, within=_WITHIN, some=some)
    before = await app.database.read(read)
    counted = await app.database.read(partial(standings.counts, within=_WITHIN, some=some, now=now))

    stored = await app.database.write(
        partial(standings.store_freshness, within=_WITHIN, some=some, now=now)
    )

    due = {m.row_id: freshness(m, now) for m in before}
    wanted = {m.row_id for m in before if _is_noticeable(m.freshness, due[m.row_id])}
    fading = [m for m in before if not m.always_on]
    assert counted == Counts(len(before), len(fading), len(wanted))
    assert stored == len(wanted)
    after = {m.row_id: m.freshness for m in await app.database.read(read)}
    assert {row: after[row] for row in wanted} == pytest.approx({row: due[row] for row in wanted})
    assert all(after[m.row_id] == m.freshness for m in before if m.row_id not in wanted)


async def test_slices_come_to_every_row_once(app, client, fill):
    await fill("w", [{"category": "note", "body_json": "1", "idle_days": 0}] * 7)

    seen, after = [], 0
    while some := await app.database.read(partial(standings.next_slice, after=after, limit=3)):
        seen.append(
            [
                m.row_id
                for m in await app.database.read(
                    partial(standings.standings, within=_WITHIN, some=some)
                )
            ]
        )
        after = some.upto

    assert [len(rows) for rows in seen] == [3, 3, 1]
    assert len({row for rows in seen for row in rows}) == 7
