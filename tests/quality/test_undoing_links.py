"""Undoing links and dropped keys: each as it was, to the last digit, or refused and why."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.errors import Conflict, InvalidInput
from mimir_py.journal import AUDIT, Entry

_NAME = {"category": "note", "key": "queue"}
_SWEPT = {"source": "agent", "dry_run": False}
_LINKS = """
    SELECT e.key, l.target_id, l.relationship, l.weight, l.note, l.created_at_unix_ms
    FROM links l JOIN entities e ON e.row_id = l.source_row_id ORDER BY 1, 2, 3
"""
_NODES = st.sampled_from(["a", "b", "c"])
_KINDS = st.sampled_from(["related", "supersedes"])
_STEPS = st.one_of(
    st.tuples(st.just("link"), _NODES, _NODES, _KINDS, st.floats(0, 1) | st.none()),
    st.tuples(st.just("unlink"), _NODES, _NODES, _KINDS | st.none(), st.none()),
)


@pytest.fixture
async def nodes(client):
    """The ids of three memories, by key."""
    return {
        key: (await client.remember(key, f"this is {key}", distinct=True))["id"] for key in "abc"
    }


@pytest.fixture
def linked(client, nodes, clock, last):
    """Link or unlink a memory with another one; the entry that tells of it."""

    async def do(tool="link", source="a", target="b", **more):
        clock.advance()
        named = {"from_category": "note", "from_key": source, "to_id": nodes[target]}
        await client.run(tool, {**named, **more})
        clock.advance()
        return await last()

    return do


@pytest.fixture
def links(client):
    async def read():
        return await client.rows(_LINKS)

    return read


async def test_a_link_is_undone_and_comes_back_as_it_was(client, linked, links, last):
    entry = await linked(relationship="supersedes", weight=0.1 + 0.2)
    made = await links()

    undone = await client.run("undo", {"journal_id": entry})

    assert [step["action"] for step in undone["undone"]] == ["unlinked"]
    assert await links() == []
    undone = await client.run("undo", {"journal_id": await last()})
    assert [step["action"] for step in undone["undone"]] == ["linked"]
    assert await links() == made


async def test_a_link_that_was_changed_since_is_left(client, linked, links):
    entry = await linked(weight=0.3)
    await linked(weight=0.4, note="since then")
    before = await links()

    with pytest.raises(Conflict, match="the link was changed since"):
        await client.run("undo", {"journal_id": entry})
    assert await links() == before


@pytest.mark.parametrize("words", [{"note": "because of parcels"}, {"relationship": "parcels of"}])
async def test_a_link_with_words_is_refused_and_they_are_not_in_the_journal(
    client, linked, links, words
):
    await linked(**words)
    entry = await linked("unlink")

    with pytest.raises(InvalidInput, match="words of links are not in the journal: link the two"):
        await client.run("undo", {"journal_id": entry})

    told = await client.rows("SELECT acted_json FROM journal")
    assert not any("parcels" in acted for (acted,) in told)
    assert await links() == []


async def test_what_it_led_to_is_gone(client, linked):
    await linked()
    entry = await linked("unlink")
    await client.run("purge", {"category": "note", "key": "b"})

    with pytest.raises(Conflict, match="the memory it led to is gone"):
        await client.run("undo", {"journal_id": entry})


async def test_a_link_is_in_the_way_of_no_other_undoing(client, nodes, linked, clock, last):
    await client.remember("a", "this is another a")
    changed = await last()
    await linked()

    undone = await client.run("undo", {"journal_id": changed})

    assert [step["action"] for step in undone["undone"]] == ["restored"]


async def test_links_that_tidying_made_are_undone_by_their_source(client, clock, links):
    for number in range(2):
        text = f"{number} parcels leave by tram from the harbour at noon"
        await client.remember(f"tram-{number}", text, tags=["tram"], distinct=True)
    await client.run("cohere", {})
    made = await links()

    swept = {"source": "mimir_cohere", "since_unix_ms": 0, "dry_run": False}
    undone = await client.run("undo", swept)

    assert [step["action"] for step in undone["undone"]] == ["unlinked"]
    assert await links() == []
    clock.advance()
    await client.run("undo", {**swept, "source": "mimir_undo"})
    assert await links() == made != []


@given(steps=st.lists(_STEPS, min_size=1, max_size=8), kept=st.integers(0, 4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_undone_is_as_if_it_had_not_been(client, clock, linked, links, steps, kept):
    states, entries, times = [await links()], [], [clock.advance()]
    for tool, source, target, kind, weight in steps:
        [(seq,)] = await client.rows("SELECT max(seq) FROM journal")
        given = {"relationship": kind, "weight": weight}
        more = {name: value for name, value in given.items() if value is not None}
        await linked(tool, source, target, **more)
        made = "SELECT id FROM journal WHERE seq > ? ORDER BY seq DESC"
        entries.append(await client.rows(made, (seq,)))
        states.append(await links())
        times.append(clock.now)
    place = min(kept, len(steps))

    await client.run("undo", {**_SWEPT, "since_unix_ms": times[place]})
    assert await links() == states[place]
    for number in reversed(range(place)):
        for (entry,) in entries[number]:
            clock.advance()
            await client.run("undo", {"journal_id": entry})
        assert await links() == states[number]
    clock.advance()
    again = {**_SWEPT, "source": "mimir_undo", "since_unix_ms": times[0]}
    await client.run("undo", again)
    assert await links() == states[-1]


@pytest.fixture
async def dropped(client, clock, last):
    """The entry of a key that was dropped of a memory that is found by another one."""
    await client.remember("queue", "use NATS")
    await client.remember("broker", "use NATS")
    clock.advance()
    await client.forget("broker")
    clock.advance()
    return await last()


async def _aliases(client):
    return [key for (key,) in await client.rows("SELECT key FROM aliases ORDER BY key")]


async def test_a_dropped_key_is_given_back_and_dropped_again(client, clock, dropped, last):
    undone = await client.run("undo", {"journal_id": dropped})

    assert [step["action"] for step in undone["undone"]] == ["named"]
    assert await _aliases(client) == ["broker"]
    clock.advance()
    undone = await client.run("undo", {"journal_id": await last()})
    assert [step["action"] for step in undone["undone"]] == ["unnamed"]
    assert await _aliases(client) == []


async def test_a_dropped_key_that_is_in_use_is_refused(client, dropped, live):
    await client.remember("broker", "use Kafka")
    before = await live()

    with pytest.raises(Conflict, match="the key is in use"):
        await client.run("undo", {"journal_id": dropped})
    assert await live() == before


async def test_a_dropped_key_of_what_says_something_else_now_is_refused(client, dropped):
    await client.remember("queue", "use Kafka")

    with pytest.raises(Conflict, match="changed since"):
        await client.run("undo", {"journal_id": dropped})


async def test_a_memory_that_faded_comes_back_under_every_key(client, clock, last):
    await client.remember("queue", "use NATS", importance=0.05)
    await client.remember("broker", "use NATS")
    clock.advance()
    await client.run("prune", {"category": "note", "min_decay": 0.9})
    clock.advance()
    pruned = await last()
    assert await _aliases(client) == []

    states = []
    for _ in range(3):
        undone = await client.run("undo", {"journal_id": pruned})
        [pruned] = undone["journal_ids"]
        live = await client.rows("SELECT key FROM entities WHERE archived = 0")
        states.append((live, await _aliases(client)))
        clock.advance()

    back = ([("queue",)], ["broker"])
    assert states == [back, ([], []), back]


@pytest.mark.parametrize(
    ("event", "acted", "instead"),
    [
        ("score", {"score": 0.9}, "score the memory again"),
        ("forget", {"key": "broker"}, "remember the memory under it again"),
        ("link", {"target_id": "x"}, "link them again"),
        ("consolidate", {"archived": []}, "undo that, and forget what it made"),
    ],
)
async def test_an_entry_that_tells_too_little_says_what_to_do_instead(
    client, app, event, acted, instead
):
    memory = await client.remember("queue", "use NATS")
    acted_json = json.dumps(acted)
    entry = Entry(event, kind=AUDIT, entity_id=memory["id"], acted_json=acted_json)
    recorded = await app.journal.record(entry)

    with pytest.raises(InvalidInput, match=f"journal_id.*{instead}"):
        await client.run("undo", {"journal_id": recorded.id})

    swept = await client.run("undo", {**_SWEPT, "since_unix_ms": 0})
    assert [(left["journal_id"], left["why"].endswith(instead)) for left in swept["skipped"]] == [
        (recorded.id, True)
    ]
