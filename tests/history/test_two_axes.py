"""Random lives of a memory, against a model that knows no versions: it paints a line of time.

What is said about a period paints the line from the period's start on; forgetting wipes it; giving
way to another memory ends the period. The store must agree on every edge, a millisecond before and
after it included.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.errors import InvalidInput, NotFound

_SPAN = range(-8, 60)
_numbers = count()

_bound = st.none() | st.integers(-6, 40)
_remember = st.tuples(st.just("remember"), st.sampled_from("ABC"), _bound, _bound)
_forget = st.tuples(st.just("forget"))
_supersede = st.tuples(st.just("supersede"))
_wait = st.tuples(st.just("wait"), st.integers(-2, 4))
_lives = st.lists(_remember | _remember | _forget | _supersede | _wait, min_size=2, max_size=14)
_ON_ONE_STORE = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass
class Line:
    """What one name says of every moment of a small world, at every change of it."""

    now: int = 0
    text: str | None = None
    period: tuple[int, int | None] = (0, None)
    is_known: bool = False
    gave_way: bool = False
    painted: dict[int, str | None] = field(default_factory=dict)
    past: list[tuple[int, str | None, dict[int, str | None]]] = field(default_factory=list)

    def remember(self, text: str, start: int | None, end: int | None) -> bool:
        """Whether the period was one; else nothing was said."""
        at = self._next()
        # The same text keeps its period, even when it was forgotten meanwhile.
        kept = self.period if text == self.text else (at, None)
        period = (kept[0] if start is None else start, kept[1] if end is None else end)
        if period[1] is not None and period[1] <= period[0]:
            return False
        if self.is_known and (text, period) == (self.text, self.period):
            return True
        self.gave_way &= text == self.text
        self._paint(at, text, period)
        return True

    def supersede(self) -> None:
        start, end = self.period
        closed = max(self.now, start + 1)
        period = (start, closed if end is None else min(closed, end))
        if self.is_known and not (self.gave_way and period == self.period):
            assert self.text is not None
            self._paint(self._next(), self.text, period)
            self.gave_way = True

    def forget(self) -> None:
        if self.is_known:
            self.past.append((self._next(), None, {}))
            self.is_known, self.painted = False, {}

    def _paint(self, at: int, text: str, period: tuple[int, int | None]) -> None:
        self.painted = dict(self.painted)
        for moment in _SPAN:
            if moment >= period[0]:
                is_true = period[1] is None or moment < period[1]
                self.painted[moment] = text if is_true else None
        self.text, self.period, self.is_known = text, period, True
        self.past.append((at, text, self.painted))

    def _next(self) -> int:
        """The moment of the next change: no two versions share one, whatever the clock shows."""
        if not self.past:
            return self.now
        # A name that is forgotten may be given again in the same moment.
        return max(self.now, self.past[-1][0] + int(self.is_known))

    def then(self, at: int) -> tuple[str | None, dict[int, str | None]]:
        state: tuple[str | None, dict[int, str | None]] = (None, {})
        for changed, text, painted in self.past:
            if changed <= at:
                state = (text, painted)
        return state


def _by_successor(key: str) -> dict[str, str]:
    named = {"from_category": "note", "from_key": key}
    return {**named, "to_category": "note", "to_key": "successor"}


async def _live(client: Any, clock: Any, key: str, steps: Sequence[tuple[Any, ...]]) -> Line:
    start = clock.now
    line = Line()
    await client.remember("successor", "another way")
    for step in steps:
        if step[0] == "wait":
            clock.advance(step[1])
            line.now += step[1]
        elif step[0] == "supersede":
            try:
                await client.run("supersede", _by_successor(key))
                assert line.is_known
            except NotFound:
                assert not line.is_known
            line.supersede()
        elif step[0] == "forget":
            assert await client.forget(key) == line.is_known
            line.forget()
        else:
            _, text, begin, end = step
            bounds = {"valid_from_unix_ms": begin, "valid_to_unix_ms": end}
            given = {name: start + at for name, at in bounds.items() if at is not None}
            try:
                await client.remember(key, f"{key} {text}", **given)
                assert line.remember(f"{key} {text}", begin, end)
            except InvalidInput:
                assert not line.remember(f"{key} {text}", begin, end)
    return line


@_ON_ONE_STORE
@given(steps=_lives)
async def test_every_edge_of_both_axes_is_exact(client, times, clock, steps):
    key, start = f"k{next(_numbers)}", clock.now
    line = await _live(client, clock, key, steps)
    moments = sorted({at + by for at, _, _ in line.past for by in (-1, 0, 1)} | {-1, 0, 1})
    edges = sorted({m for m in moments if m in _SPAN} | {-7, -6, 0, 20, 40})

    for at in moments:
        text, painted = line.then(at)
        assert await times.as_of(key, start + at) == text
        for moment in edges:
            assert await times.bitemporal(key, start + at, start + moment) == painted.get(moment)
    for moment in _SPAN:
        assert await times.valid_at(key, start + moment) == line.painted.get(moment)
    clock.now = start + 1_000


@_ON_ONE_STORE
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["A", "B", None])),
        min_size=2,
        max_size=12,
    ),
    wait=st.sampled_from([1, 2, 50]),
)
async def test_names_that_share_texts_have_histories_of_their_own(
    client, times, clock, steps, wait
):
    """Repeats become other keys of one memory, which no history may show."""
    number, start = next(_numbers), clock.now
    said: dict[str, list[tuple[int, str | None]]] = {"a": [], "b": [], "c": []}
    for name, text in steps:
        if text is None:
            await client.forget(f"{name}{number}")
        else:
            await client.remember(f"{name}{number}", f"{number} {text}")
        said[name].append((clock.now, text and f"{number} {text}"))
        clock.advance(wait)

    for name, events in said.items():
        for at in sorted({at + by for at, _ in events for by in (-1, 0, 1)} | {start}):
            expected = [text for moment, text in events if moment <= at]
            believed = await times.as_of(f"{name}{number}", at)
            assert believed == (expected[-1] if expected else None)
    clock.now += 1_000
