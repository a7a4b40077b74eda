"""What is recorded comes back, and nothing else does."""

import asyncio
import json

import pytest

from mimir_py.errors import InvalidInput
from mimir_py.journal.service import MOST_PAYLOAD_BYTES


async def _items(client, **arguments):
    return (await client.run("timeline", arguments))["items"]


async def test_entries_come_back_as_they_were_recorded_the_newest_first(client, clock):
    first = await client.run(
        "journal",
        {
            "event_type": "deploy",
            "evaluated": {"größe": [1, None, True]},
            "acted": "as text",
            "forward": 0,
            "category": "ops",
            "key": "web",
            "entity_id": "mem-000000000000",
            "agent_id": "ann",
            "workspace_hash": "w",
        },
    )
    clock.advance(5)
    second = await client.run("journal", {})

    items = await _items(client)

    assert [item["id"] for item in items] == [second["id"], first["id"]]
    assert [item["seq"] for item in items] == [2, 1]
    assert items[1] == {
        "id": first["id"],
        "event_type": "deploy",
        "evaluated_json": '{"größe":[1,null,true]}',
        "acted_json": '"as text"',
        "forward_json": "0",
        "category": "ops",
        "key": "web",
        "entity_id": "mem-000000000000",
        "agent_id": "ann",
        "created_at_unix_ms": clock.now - 5,
        "workspace_hash": "w",
        "kind": "event",
        "seq": 1,
    }
    assert items[0]["acted_json"] == "null"


async def test_entries_of_one_millisecond_come_the_last_written_first(client):
    for number in range(5):
        await client.run("journal", {"key": str(number)})

    assert [item["key"] for item in await _items(client)] == ["4", "3", "2", "1", "0"]


@pytest.fixture
async def year(client, clock):
    """Five entries, ten milliseconds apart; the time of the first."""
    start = clock.now
    for number, (kind, category, entity, workspace) in enumerate(
        [
            ("decision", "a", "mem-1", ""),
            ("deploy", "a", "mem-2", "w"),
            ("deploy", "b", "mem-1", "w"),
            ("decision", "b", "", "v"),
            ("decision", "a", "", ""),
        ]
    ):
        clock.now = start + 10 * number
        arguments = {
            "event_type": kind,
            "category": category,
            "key": str(number),
            "entity_id": entity,
            "workspace_hash": workspace,
        }
        await client.run("journal", arguments)
    return start


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"event_type": "deploy"}, "21"),
        ({"category": "a"}, "410"),
        ({"entity_id": "mem-1"}, "20"),
        ({"entity_id": "mem-1", "category": "b"}, "2"),
        ({"workspace_hash": "w"}, "21"),
        ({"workspace_hash": ""}, "40"),
        ({"workspace_hash": "*"}, "43210"),
        ({"event_type": "", "category": "", "entity_id": ""}, "43210"),
        ({"limit": 2}, "43"),
        ({"limit": 2, "offset": 3}, "10"),
        ({"limit": 0}, ""),
        ({"category": "a%"}, ""),
    ],
    ids=str,
)
async def test_a_filter_lets_through_what_it_says(filter, expected, client, year):
    items = await _items(client, **filter)

    assert "".join(item["key"] for item in items) == expected


async def test_the_bounds_of_time_are_inclusive(client, year):
    items = await _items(client, from_ms=year + 10, to_ms=year + 30)

    assert [item["key"] for item in items] == ["3", "2", "1"]
    assert await _items(client, from_ms=year + 30, to_ms=year + 10) == []


async def test_a_session_writes_to_its_workspace_and_reads_it_and_the_global_one(
    app, client_of, client, year
):
    session = client_of(app, "w")

    await session.run("journal", {"key": "own"})

    keys = {item["key"] for item in await _items(session)}
    assert keys == {"own", "0", "1", "2", "4"}
    assert {item["key"] for item in await _items(session, workspace_hash="v")} == {"3"}


async def test_a_clock_that_goes_back_breaks_no_order_of_numbers(client, clock, app):
    for _ in range(3):
        await client.run("journal", {})
        clock.advance(-1_000)

    items = await _items(client)

    assert [item["seq"] for item in items] == [1, 2, 3]
    assert (await app.journal.verify()).intact


@pytest.mark.parametrize("name", ["evaluated", "acted", "forward"])
async def test_a_payload_may_be_as_long_as_its_limit_and_no_longer(name, client, client_of, app):
    fits = "x" * (MOST_PAYLOAD_BYTES - 2)
    await client.run("journal", {name: fits})

    with pytest.raises(InvalidInput, match=f"{name}: is 65537 bytes; the limit is 65536"):
        await client.run("journal", {name: fits + "x"})

    [item] = await _items(client)
    assert item[f"{name}_json"] == json.dumps(fits)


@pytest.mark.parametrize(
    "name", ["event_type", "category", "key", "entity_id", "agent_id", "workspace_hash"]
)
async def test_a_name_over_its_limit_is_refused_by_name(name, client):
    with pytest.raises(InvalidInput, match=f"^{name}: "):
        await client.run("journal", {name: "n" * 1_025})

    assert await _items(client) == []


async def test_a_long_entry_is_read_to_its_end_under_the_cap(app, client, client_of):
    acted = "ä" * 20_000
    await client.run("journal", {"acted": acted, "evaluated": "\x1b" * 5_000, "key": "k" * 1_000})
    await client.run("journal", {"key": "short"})
    capped = client_of(app, max_answer_bytes=4_000)

    page = await capped.run("timeline", {})
    assert [item["key"] for item in page["items"]] == ["short"]
    assert page["next_offset"] == 1

    read, at = "", 0
    while at is not None:
        page = await capped.run("timeline", {"offset": 1, "payload_offset": at})
        [item] = page["items"]
        assert len(json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()) <= 4_000
        read += item["acted_json"]
        at = item.get("next_payload_offset")
    assert json.loads(read) == acted


async def test_apps_that_write_at_once_make_one_chain(open_store, fill):
    async with open_store() as one, open_store() as other:
        await asyncio.gather(fill(one.journal, 20), fill(other.journal, 20), fill(one.journal, 20))

        verdict = await one.journal.verify()

    assert (verdict.intact, verdict.head.seq) == (True, 60)


async def test_entries_count_in_the_statistics(client):
    await client.run("journal", {})
    await client.remember("queue", "use NATS")

    assert (await client.run("stats", {}))["total_journal_events"] == 1
