"""Importing into a store that is not empty, and files that are not right."""

import contextlib
import gc
import json
import sys

import pytest

from mimir_py.errors import StoreBusy, TransferError

_LINK = {"target_id": "mem-1", "relationship": "about", "weight": 0.25}
_HISTORY = "SELECT * FROM entity_history"


def _line(key, text="use NATS", **more):
    return json.dumps(
        {"category": "note", "key": key, "body_json": json.dumps({"content": text}), **more}
    )


def _alias(key):
    return {"category": "note", "key": key, "workspace_hash": "", "created_at_unix_ms": 1}


def _version(text, **more):
    return {
        "history_id": "hist-0001",
        "category": "note",
        "key": "queue",
        "body_json": text,
        "recorded_at_unix_ms": 1,
        "invalidated_at_unix_ms": 2,
        **more,
    }


@pytest.fixture
def load(app):
    """Imports lines into the store: `await load(*lines, replace=False)`."""

    async def report(done):
        pass

    async def run(*lines, replace=False):
        return await app.vault.import_lines(lines, replace=replace, report=report)

    return run


@pytest.fixture
def texts(client):
    """What each key of the store says: `await texts()`."""

    async def stored():
        rows = await client.rows("SELECT key, body_json FROM entities ORDER BY row_id")
        return {key: json.loads(body).get("content") for key, body in rows}

    return stored


async def test_a_memory_that_is_there_by_name_is_kept_and_reported(load, client, texts):
    own = await client.remember("queue", "use Kafka")

    done = await load(_line("queue", id="mem-00000000000f"), _line("other"))

    assert (done.created, done.replaced, done.unchanged) == (1, 0, 0)
    [conflict] = done.conflicts
    assert "note/queue" in conflict
    assert await texts() == {"queue": "use Kafka", "other": "use NATS"}
    assert await client.rows("SELECT id FROM entities WHERE key = 'queue'") == [(own["id"],)]


async def test_a_memory_that_is_there_by_id_is_kept_and_reported(load, client, texts):
    own = await client.remember("queue", "use Kafka")

    done = await load(_line("renamed", id=own["id"]))

    assert (done.created, len(done.conflicts)) == (0, 1)
    assert await texts() == {"queue": "use Kafka"}


async def test_a_memory_that_is_there_by_id_is_replaced_where_that_is_asked_for(
    load, client, texts
):
    own = await client.remember("queue", "use Kafka")

    done = await load(_line("queue", id=own["id"]), replace=True)

    assert (done.created, done.replaced, done.conflicts) == (0, 1, [])
    assert await texts() == {"queue": "use NATS"}
    assert [item["content"] for item in await client.recall("NATS", mode="fts5")] == ["use NATS"]
    assert await client.recall("Kafka", mode="fts5") == []


async def test_a_memory_that_is_there_by_name_is_replaced_where_that_is_asked_for(
    load, client, texts
):
    await client.remember("queue", "use Kafka")

    done = await load(_line("queue", id="mem-00000000000f"), replace=True)

    assert (done.created, done.replaced, done.conflicts) == (0, 1, [])
    assert await texts() == {"queue": "use NATS"}


async def test_a_replaced_memory_is_found_by_meaning_with_its_new_text_only(load, client, app):
    own = await client.remember("queue", "the plants are watered on Mondays")
    await load(_line("queue", "our message broker is NATS", id=own["id"]), replace=True)
    while await app.upkeep.embed_pending():
        pass

    [new] = await client.recall("our message broker is NATS", mode="dense")
    [old] = await client.recall("the plants are watered on Mondays", mode="dense")

    assert new["score"] > 0.8
    assert old["score"] < 0.5


async def test_a_replaced_memory_leaves_its_other_keys_their_text(load, client, texts):
    own = await client.remember("queue", "use Kafka")
    await client.remember("broker", "use Kafka")

    await load(_line("queue", id=own["id"]), replace=True)

    [item] = [item for item in await client.recall("broker") if item["key"] == "broker"]
    assert item["content"] == "use Kafka"


async def test_what_replacing_replaced_is_in_history(load, client):
    own = await client.remember("queue", "use Kafka")

    await load(_line("queue", id=own["id"]), replace=True)

    assert await client.rows("SELECT id, body_json FROM entity_history") == [
        (own["id"], '{"content": "use Kafka"}')
    ]


@pytest.mark.parametrize("by", ["id", "name"])
async def test_replacing_a_second_time_changes_nothing(load, client, by):
    own = await client.remember("queue", "use Kafka")
    line = _line("queue", id=own["id"] if by == "id" else "mem-00000000000f")
    await load(line, replace=True)
    before = await client.rows("SELECT * FROM entities"), await client.rows(_HISTORY)

    again = await load(line, replace=True)

    assert (again.created, again.conflicts) == (0, [])
    assert (await client.rows("SELECT * FROM entities"), await client.rows(_HISTORY)) == before


async def test_replacing_another_key_of_a_memory_leaves_the_memory(load, client):
    await client.remember("queue", "use Kafka")
    await client.remember("broker", "use Kafka")

    await load(_line("broker", "use NATS"), replace=True)

    found = {}
    for key in ("queue", "broker"):
        for item in await client.recall(key, mode="fts5"):
            if item["key"] == key:
                found[key] = item["content"]
    assert found == {"queue": "use Kafka", "broker": "use NATS"}


async def test_another_key_of_the_file_does_not_take_a_memorys_name(load, client, texts):
    await client.remember("broker", "use Kafka")

    await load(_line("queue", aliases=[_alias("broker")]))
    await client.remember("queue", "use Redis")

    assert await texts() == {"broker": "use Kafka", "queue": "use Redis"}


async def test_a_memory_of_the_file_does_not_take_another_keys_name_unseen(load, client):
    await client.remember("queue", "use Kafka")
    await client.remember("broker", "use Kafka")

    done = await load(_line("broker"))
    await client.remember("queue", "use Redis")

    [item] = [item for item in await client.recall("broker") if item["key"] == "broker"]
    assert (item["content"], done.created) in (("use Kafka", 0), ("use NATS", 1))


async def test_a_file_of_bare_memories_needs_no_header(load, texts):
    done = await load(_line("queue"), _line("other"))

    assert done.created == 2
    assert await texts() == {"queue": "use NATS", "other": "use NATS"}


async def test_a_line_needs_no_more_than_a_name_and_a_body(load, client, clock):
    await load('{"category": "note", "key": "queue", "body_json": "[1]"}')

    [item] = await client.recall("")
    assert (item["type"], item["status"], item["layer"]) == ("insight", "active", "buffer")
    assert item["created_at_unix_ms"] == item["valid_from_unix_ms"] == clock.now


async def test_blank_lines_are_no_memories(load):
    done = await load("", _line("queue"), "  ", _line("other"), "\n")

    assert done.created == 2


@pytest.mark.parametrize("lines_before", [0, 1, 500])
async def test_a_file_that_is_not_utf8_is_refused_and_what_was_read_is_stored(
    app, tmp_path, texts, lines_before
):
    path = tmp_path / "memories.jsonl"
    good = "".join(_line(f"key-{number}") + "\n" for number in range(lines_before))
    path.write_bytes(good.encode() + b'{"category": "\xff\xfe"}\n')

    async def report(done):
        pass

    with path.open(encoding="utf-8") as file, pytest.raises(TransferError, match="UTF-8"):
        await app.vault.import_lines(file, replace=False, report=report)

    # The file is decoded in blocks, so lines just before the fault may not have been read.
    assert len(await texts()) >= lines_before - 100


_FAULTY = {
    "not JSON": "{",
    "not an object": "[1]",
    "no key": '{"category": "note", "body_json": "{}"}',
    "no body": '{"category": "note", "key": "k"}',
    "body not JSON": '{"category": "note", "key": "k", "body_json": "{"}',
    "body an object": '{"category": "note", "key": "k", "body_json": {}}',
    "unknown field": _line("k", colour="red"),
    "wrong type": _line("k", archived=1),
    "bool for number": _line("k", retrieval_count=True),
    "out of range": _line("k", certainty=1.5),
    "beyond 64 bits": _line("k", created_at_unix_ms=2**63),
    "tags not a list": _line("k", tags="a"),
    "tag not a string": _line("k", tags=[1]),
    "link not whole": _line("k", links=[{"target_id": "x"}]),
    "links not a list": _line("k", links={"target_id": "x"}),
    "link note": _line("k", links=[{"target_id": "x", "relationship": "y", "note": 5}]),
    "link time": _line(
        "k", links=[{"target_id": "x", "relationship": "y", "created_at_unix_ms": "now"}]
    ),
    "link of other fields": _line(
        "k", links=[{"target_id": "x", "relationship": "y", "colour": "red"}]
    ),
    "link too long": _line("k", links=[{"target_id": "x", "relationship": "y" * 2_000}]),
    "link weight": _line("k", links=[{"target_id": "x", "relationship": "y", "weight": 2}]),
    "alias not whole": _line("k", aliases=[{"key": "x"}]),
    "version not whole": _line("k", history=[{"history_id": "hist-1"}]),
    "history not a list": _line("k", history=5),
    "NUL": _line("k", "a\x00b"),
    "NUL in a name": _line("a\x00b"),
    "surrogate": _line("k", topic_path="\ud800"),
    "inverted period": _line("k", valid_from_unix_ms=2, valid_to_unix_ms=1),
    "deep body": json.dumps({"category": "note", "key": "k", "body_json": "[" * 101 + "]" * 101}),
    "deep line": '{"a":' * 20_000 + "1" + "}" * 20_000,
}


@pytest.mark.parametrize("fault", _FAULTY)
async def test_a_faulty_line_is_named_and_everything_before_it_is_stored(load, texts, fault):
    lines = [_line("before"), "", _line("before too"), _FAULTY[fault], _line("after")]

    with pytest.raises(TransferError, match=r"\bline 4\b"):
        await load(*lines)

    assert await texts() == {"before": "use NATS", "before too": "use NATS"}


async def test_a_faulty_line_behind_many_slices_is_named_and_all_before_it_is_stored(load, texts):
    lines = [_line(f"key-{number}", str(number)) for number in range(1_500)]

    with pytest.raises(TransferError, match=r"\bline 1501\b"):
        await load(*lines, "{", _line("after"))

    assert list(await texts()) == [f"key-{number}" for number in range(1_500)]


async def test_long_and_short_lines_are_stored_in_their_order(load, texts):
    lengths = [5, 400_000, 5, 5, 900_000, 400_000, 700_000, 5]

    done = await load(*(_line(f"key-{n}", "x" * length) for n, length in enumerate(lengths)))

    assert done.created == len(lengths)
    assert [len(text) for text in (await texts()).values()] == lengths


async def test_every_attribute_is_stored_in_the_type_it_has(load, client):
    await load(
        _line("queue", archived=True, certainty=1, tags=["a", "b"], retrieval_count=3),
        _line("other", always_on=True, valid_to_unix_ms=2, valid_from_unix_ms=1, links=[_LINK]),
    )

    assert await client.rows(
        "SELECT archived, always_on, verified, certainty, tags, retrieval_count,"
        " valid_to_unix_ms, typeof(text_hash), length(text_hash) FROM entities ORDER BY row_id"
    ) == [
        (1, 0, 0, 1.0, '["a", "b"]', 3, None, "blob", 16),
        (0, 1, 0, 0.5, "[]", 0, 2, "blob", 16),
    ]
    assert await client.rows("SELECT target_id, relationship, weight, typeof(note) FROM links") == [
        ("mem-1", "about", 0.25, "text")
    ]


@pytest.mark.parametrize("faulty", [False, True])
async def test_an_import_leaves_the_interpreter_as_it_was(load, faulty):
    usual = sys.getswitchinterval()
    assert gc.isenabled()

    with pytest.raises(TransferError) if faulty else contextlib.nullcontext():
        await load(_line("queue"), "{" if faulty else _line("other"))

    assert sys.getswitchinterval() == usual
    assert gc.isenabled()


async def test_a_slice_that_cannot_be_stored_ends_the_import_without_a_trace_of_it(
    app, load, texts, monkeypatch
):
    stored = 0
    write_slice = app.database.write_slice

    async def failing(work):
        nonlocal stored
        stored += 1
        if stored == 3:
            raise StoreBusy("busy")
        return await write_slice(work)

    monkeypatch.setattr(app.database, "write_slice", failing)

    with pytest.raises(StoreBusy):
        await load(*(_line(f"key-{number}") for number in range(2_000)))

    kept = list(await texts())
    assert kept == [f"key-{number}" for number in range(len(kept))]
    assert 0 < len(kept) < 2_000


async def test_two_lines_with_one_id_store_the_first_and_name_or_report_the_second(load, texts):
    lines = [_line("first", id="mem-1"), _line("second", id="mem-1"), _line("third")]

    try:
        done = await load(*lines)
    except TransferError as error:
        named = str(error)
    else:
        [named] = done.conflicts

    assert "line 2" in named or "note/second" in named
    stored = await texts()
    assert "first" in stored
    assert "second" not in stored


async def test_two_lines_with_one_name_store_the_first_and_report_the_second(load, texts):
    done = await load(_line("queue", id="mem-1"), _line("queue", "use Kafka", id="mem-2"))

    assert (done.created, len(done.conflicts)) == (1, 1)
    assert await texts() == {"queue": "use NATS"}


async def test_importing_a_mended_file_again_goes_on_where_it_stopped(load, texts):
    lines = [_line("one", id="mem-1"), "{", _line("three", id="mem-3")]
    with pytest.raises(TransferError):
        await load(*lines)
    lines[1] = _line("two", id="mem-2")

    done = await load(*lines)

    assert (done.created, done.unchanged, done.conflicts) == (2, 1, [])
    assert list(await texts()) == ["one", "two", "three"]


@pytest.mark.parametrize(
    "header",
    [
        '{"format": "mimir-memories", "version": 2}',
        '{"format": "mimir-memories"}',
        '{"format": "something-else", "version": 1}',
    ],
)
async def test_a_file_of_another_format_is_refused_before_anything_is_stored(load, texts, header):
    with pytest.raises(TransferError, match="line 1"):
        await load(header, _line("queue"))

    assert await texts() == {}


async def test_an_empty_file_is_refused(load):
    with pytest.raises(TransferError, match="empty"):
        await load("", "  ")


_OVER = "x" * 1_025
_LIMITED = {
    "body": (_line("k", "x" * 1_048_577), "body_json"),
    "key": (_line(_OVER), "key"),
    "category": (_line("k", category=_OVER), "category"),
    "workspace": (_line("k", workspace_hash=_OVER), "workspace_hash"),
    "topic": (_line("k", topic_path=_OVER), "topic_path"),
    "agent": (_line("k", agent_id=_OVER), "agent_id"),
    "type": (_line("k", type=_OVER), "type"),
    "status": (_line("k", status=_OVER), "status"),
    "layer": (_line("k", layer=_OVER), "layer"),
    "visibility": (_line("k", visibility=_OVER), "visibility"),
    "source": (_line("k", source=_OVER), "source"),
    "archive reason": (_line("k", archive_reason=_OVER), "archive_reason"),
    "id": (_line("k", id=_OVER), "id"),
    "tags": (_line("k", tags=["x"] * 65), "tags"),
    "tag": (_line("k", tags=[_OVER]), "tags[0]"),
    "empty key": (_line(""), "key"),
    "another key": (_line("k", aliases=[_alias(_OVER)]), "key"),
    "version's body": (_line("k", history=[_version('"' + "x" * 1_048_577 + '"')]), "body_json"),
    "version's body not JSON": (_line("k", history=[_version("{")]), "body_json"),
    "version's key": (_line("k", history=[_version("{}", key=_OVER)]), "key"),
}


@pytest.mark.parametrize("name", _LIMITED)
async def test_a_line_over_a_limit_is_named_with_its_field(load, client, name):
    line, field = _LIMITED[name]

    with pytest.raises(TransferError) as refusal:
        await load(_line("before"), line)

    assert str(refusal.value).startswith(f"line 2: {field}")
    assert await client.rows("SELECT key FROM entities") == [("before",)]
    assert await client.rows("SELECT count(*) FROM entity_history") == [(0,)]


async def test_lines_at_the_limits_are_stored(load):
    name = "x" * 1_024

    done = await load(
        _line(name, topic_path=name, agent_id=name, tags=[name] * 64),
        json.dumps({"category": "note", "key": "k", "body_json": json.dumps("x" * 1_048_574)}),
    )

    assert done.created == 2


async def test_progress_is_told_as_slices_are_stored(app):
    told = []

    async def report(done):
        told.append(done)

    lines = [_line(f"key-{number}", str(number)) for number in range(450)]
    await app.vault.import_lines(lines, replace=False, report=report)

    assert told == sorted(set(told))
    assert told[-1] == 450
    assert len(told) > 1


async def test_secrets_in_a_file_are_counted_and_stay(app):
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    lines = [
        json.dumps({"category": "note", "key": "a", "body_json": json.dumps({"t": f"x {token}"})}),
        json.dumps({"category": "note", "key": "b", "body_json": '{"t": "nothing"}'}),
    ]

    async def report(done):
        pass

    imported = await app.vault.import_lines(lines, replace=False, report=report)

    assert imported.secrets == {"github token": 1}
    stored = await app.memories.named("note", "a", None)
    assert token in stored[0].body_json
