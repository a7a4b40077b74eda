"""Exporting, importing into an empty store and exporting again gives the same bytes."""

import itertools
import json
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
_TEXT = st.text(_STORABLE, max_size=30) | st.sampled_from(
    [
        "---\nkey: value\n---",
        "- a\n- b: {c: d}",
        "line one\r\nline two\u2028three\u2029four\x85five\x0bsix\x1cseven",
        "key: |\n  block",
        "yes",
        "!!python/object:os.system",
        "\ufeffmark",
        "🚀 数据库 résumé",
        '"quoted" \\ back\\slash \\u0041',
        "\x01\x02\x7f",
    ]
)
_NAME = _TEXT.filter(bool)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_UNIT = st.floats(0, 1)
_CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["k1", "k2"]) | _NAME,
            "body_json": st.sampled_from(["same text", "other text"]) | _JSON.map(json.dumps),
        },
        optional={
            "category": st.sampled_from(["note", "conversation"]) | _TEXT,
            "workspace_hash": st.sampled_from(["", "a"]) | _TEXT,
            "tags": st.lists(_TEXT, max_size=3),
            "importance": _UNIT,
            "certainty": _UNIT,
            "topic_path": _TEXT,
            "agent_id": _TEXT,
            "status": _TEXT,
            "type": _TEXT,
            "layer": _TEXT,
            "visibility": _TEXT,
            "always_on": st.booleans(),
            "valid_from_unix_ms": st.integers(-(2**53), 10**12),
            "valid_to_unix_ms": st.integers(10**13, 2**53),
            "forget": st.booleans(),
        },
    ),
    min_size=1,
    max_size=7,
)


class _OneVector:
    """Vectors are not exported: one will do for all."""

    model = "tests/one-vector"
    dimension = 384

    async def embed(self, texts):
        return [struct.pack("<384f", 1.0, *[0.0] * 383)] * len(texts)


async def _export(app):
    return [line async for line in app.vault.export()]


async def _import(app, lines, *, replace=False):
    async def report(done):
        pass

    return await app.vault.import_lines(lines, replace=replace, report=report)


@pytest.fixture
def new_store(tmp_path, open_store):
    """Opens a new store every time: `async with new_store() as app`."""
    numbers = itertools.count()
    return lambda: open_store(tmp_path / f"{next(numbers)}" / "mimir.db", embedder=_OneVector())


async def _perform(client, clock, calls):
    for call in calls:
        arguments = {"category": "note", **call}
        forget = arguments.pop("forget", False)
        body = arguments["body_json"]
        if not body.strip():
            continue
        await client.run("remember", arguments)
        clock.advance(3)
        if forget:
            name = {"category": arguments["category"], "key": arguments["key"]}
            await client.run("forget", {**name, "reason": "no more"})


@given(calls=_CALLS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_memories_survive_the_round_trip_to_the_byte(new_store, client_of, clock, calls):
    async with new_store() as first, new_store() as second:
        await _perform(client_of(first), clock, calls)
        exported = await _export(first)

        imported = await _import(second, exported)

        assert await _export(second) == exported
        assert (imported.created, imported.conflicts) == (len(exported) - 1, [])
        assert not any("\n" in line for line in exported)


async def _filled(client, clock):
    """A memory with everything: versions, another key, links, uses, a period, an end."""
    await client.remember("queue", "use Kafka", tags=["one"], certainty=0.25)
    clock.advance(5)
    await client.remember("queue", '{ "content":"use NATS" }', valid_to_unix_ms=9 * 10**12)
    await client.remember("broker", "use NATS")
    await client.remember("bus", "plain", workspace_hash="a")
    await client.remember("pipe", "plain", workspace_hash="a")
    await client.remember("other", "forgotten", layer="core", always_on=True)
    await client.forget("other", reason="no more")
    await client.recall("plain")
    await client.app.usage.flush()


async def test_versions_other_keys_uses_and_the_archive_survive(new_store, client_of, clock):
    async with new_store() as first, new_store() as second:
        await _filled(client_of(first), clock)
        exported = await _export(first)

        await _import(second, exported)

        assert await _export(second) == exported
        for table in ("entity_history", "aliases"):
            rows = await client_of(first).rows(f"SELECT * FROM {table}")
            assert rows
            assert len(await client_of(second).rows(f"SELECT * FROM {table}")) == len(rows)


async def test_links_survive_each_once(new_store):
    line = json.dumps(
        {
            "id": "mem-000000000001",
            "category": "note",
            "key": "queue",
            "body_json": "{}",
            "links": [
                {"target_id": "mem-000000000002", "relationship": "uses", "weight": 0.25},
                {"target_id": "mem-000000000003", "relationship": "a\nb", "note": "why"},
                {"target_id": "mem-000000000002", "relationship": "uses", "weight": 0.75},
            ],
            "created_at_unix_ms": 5,
        }
    )
    async with new_store() as first, new_store() as second:
        await _import(first, [line])
        exported = await _export(first)

        await _import(second, exported)

        assert await _export(second) == exported
        assert json.loads(exported[1])["links"] == [
            {
                "target_id": "mem-000000000002",
                "relationship": "uses",
                "weight": 0.25,
                "created_at_unix_ms": 5,
            },
            {
                "target_id": "mem-000000000003",
                "relationship": "a\nb",
                "weight": 0.5,
                "note": "why",
                "created_at_unix_ms": 5,
            },
        ]


async def test_an_export_begins_with_a_header(app):
    assert [json.loads(line) for line in await _export(app)] == [
        {"format": "mimir-memories", "version": 1}
    ]


async def test_importing_twice_changes_nothing(new_store, client_of, clock):
    async with new_store() as first, new_store() as second:
        await _filled(client_of(first), clock)
        exported = await _export(first)
        await _import(second, exported)
        before = await client_of(second).rows("SELECT * FROM changes")

        again = await _import(second, exported)

        assert (again.created, again.replaced, again.conflicts) == (0, 0, [])
        assert again.unchanged == again.total == len(exported) - 1
        assert await _export(second) == exported
        assert await client_of(second).rows("SELECT * FROM changes") == before


async def test_importing_twice_and_replacing_changes_nothing(new_store, client_of, clock):
    async with new_store() as first, new_store() as second:
        await _filled(client_of(first), clock)
        exported = await _export(first)
        await _import(second, exported)

        await _import(second, exported, replace=True)

        assert await _export(second) == exported


async def test_what_is_imported_is_found_in_every_mode_once_it_is_embedded(
    open_store, client_of, import_records
):
    async with open_store() as app:
        await import_records(
            app, [{"category": "note", "key": "queue", "body_json": '{"content": "use NATS"}'}]
        )

        for mode in ("fts5", "dense", "hybrid"):
            assert [item["key"] for item in await client_of(app).recall("NATS", mode=mode)] == [
                "queue"
            ]
        assert await app.upkeep.count_pending() == 0


async def test_what_is_imported_is_found_by_words_at_once_and_queued_for_the_rest(
    app, client, import_records
):
    record = {"category": "note", "key": "queue", "body_json": '{"content": "use NATS"}'}

    await import_records(app, [record], embed=False)

    assert len(await client.recall("NATS", mode="fts5")) == 1
    assert await app.upkeep.count_pending() == 1


async def test_many_memories_come_out_in_the_order_they_were_stored(new_store, import_records):
    records = [
        {"category": "note", "key": f"key-{number}", "body_json": str(number)}
        for number in range(1_050)
    ]
    async with new_store() as app:
        await import_records(app, records, embed=False)

        exported = await _export(app)
        count = await app.vault.count()

    assert [json.loads(line)["key"] for line in exported[1:]] == [r["key"] for r in records]
    assert count == len(records)
