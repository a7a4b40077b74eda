"""Whatever was done, undone step by step, is as if it had not been; and so is undoing that."""

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.errors import InvalidInput, NotFound

_KEYS = ("a", "b", "c")
_KEY = st.sampled_from(_KEYS)
_TEXTS = st.sampled_from(
    [f"the harbour ferry leaves at {hour} from the eastern pier" for hour in ("nine", "ten", "six")]
)
_OWN_STEPS = (
    st.tuples(st.just("remember"), _KEY, _TEXTS),
    st.tuples(st.just("remember"), _KEY, _TEXTS),
    st.tuples(st.just("forget"), _KEY, st.none()),
    st.tuples(st.just("score"), _KEY, st.sampled_from([0.1, 0.4, 0.9])),
)
_STEPS = st.one_of(
    *_OWN_STEPS,
    st.tuples(st.just("supersede"), _KEY, _KEY),
    st.tuples(st.just("consolidate"), st.none(), st.none()),
)
# Other entries are undone with these, or are no changes.
_HEADS = ("consolidate",)
_ENTRIES = """
    SELECT seq, id, event_type FROM journal WHERE seq > :seq AND kind = 'audit' ORDER BY seq DESC
"""


class _Story:
    """Does things to memories of one category, and takes them back."""

    def __init__(self, client, clock, live, rows):
        self._client, self._clock, self._live, self._rows = client, clock, live, rows
        self._category = f"c{rows}"

    async def state(self):
        self._clock.advance()
        return await self._live(self._rows)

    async def done(self, step):
        """Do a step; the entries to undo it, in that order."""
        [(seq,)] = await self._client.rows("SELECT coalesce(max(seq), 0) FROM journal")
        await self._do(*step)
        made = await self._client.rows(_ENTRIES, {"seq": seq})
        heads = [id for _, id, kind in made if kind in _HEADS]
        return heads or [id for _, id, _ in made]

    async def undone(self, journal_id):
        """Undo an entry as it was said to be; the entry to undo that."""
        wanted = {"journal_id": journal_id}
        tried = await self._client.run("undo", {**wanted, "dry_run": True})
        undone = await self._client.run("undo", wanted)
        assert {**tried, "dry_run": False, "journal_ids": undone["journal_ids"]} == undone
        assert undone["skipped"] == []
        return undone["journal_ids"][0]

    async def swept(self, source, since):
        """Undo all that a source did since a time, as it was said to be; what is live then."""
        wanted = {"source": source, "since_unix_ms": since}
        tried = await self._client.run("undo", wanted)
        done = await self._client.run("undo", {**wanted, "dry_run": False})
        assert (tried["undone"], tried["skipped"]) == (done["undone"], done["skipped"])
        return await self.state()

    async def _do(self, what, key, more):
        key, more = (f"{self._category}-{word}" if word in _KEYS else word for word in (key, more))
        name = {"category": self._category, "key": key}
        if what == "remember":
            await self._client.remember(
                key, f"{more} {key}", category=self._category, distinct=True
            )
        elif what in ("forget", "score"):
            await self._client.run(what, {**name, **({"score": more} if more else {})})
        elif what == "consolidate":
            wanted = {"category": self._category, "archive_sources": True}
            await self._client.run("consolidate", wanted)
        else:
            to = {"to_category": self._category, "to_key": more}
            wanted = {"from_category": self._category, "from_key": key, **to}
            with contextlib.suppress(InvalidInput, NotFound):
                await self._client.run("supersede", wanted)


@given(steps=st.lists(_STEPS, min_size=2, max_size=7))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_undone_is_as_if_it_had_not_been(client, clock, live, steps):
    [(rows,)] = await client.rows("SELECT coalesce(max(row_id), 0) FROM entities")
    story = _Story(client, clock, live, rows)
    states = [await story.state()]
    entries = []
    for step in steps:
        entries.append(await story.done(step))
        states.append(await story.state())

    undoing = []
    for number in reversed(range(len(steps))):
        undoing += [[await story.undone(id) for id in entries[number]]]
        assert await story.state() == states[number]
    for number, undone in enumerate(reversed(undoing)):
        for id in reversed(undone):
            await story.undone(id)
        assert await story.state() == states[number + 1]


@given(steps=st.lists(st.one_of(_OWN_STEPS), min_size=2, max_size=7), kept=st.integers(0, 4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_all_since_a_time_is_undone_at_once(client, clock, live, steps, kept):
    [(rows,)] = await client.rows("SELECT coalesce(max(row_id), 0) FROM entities")
    story = _Story(client, clock, live, rows)
    for step in steps[:kept]:
        await story.done(step)
        clock.advance()
    before, since = await story.state(), clock.now
    for step in steps[kept:]:
        await story.done(step)
        clock.advance()
    after = await story.state()

    assert await story.swept("agent", since) == before
    assert await story.swept("mimir_undo", since) == after
