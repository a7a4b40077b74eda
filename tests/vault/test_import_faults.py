"""Files that are not right: the fault is named, and everything before it is stored."""

import json

import pytest

from mimir_py.errors import StoreBusy, TransferError
from tests.vault.import_lines import alias, memory_line, version


@pytest.mark.parametrize("lines_before", [0, 1, 500])
async def test_a_file_that_is_not_utf8_is_refused_and_what_was_read_is_stored(
    app, tmp_path, texts, lines_before
):
    path = tmp_path / "memories.jsonl"
    good = "".join(memory_line(f"key-{number}") + "\n" for number in range(lines_before))
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
    "unknown field": memory_line("k", colour="red"),
    "wrong type": memory_line("k", archived=1),
    "bool for number": memory_line("k", retrieval_count=True),
    "out of range": memory_line("k", certainty=1.5),
    "beyond 64 bits": memory_line("k", created_at_unix_ms=2**63),
    "tags not a list": memory_line("k", tags="a"),
    "tag not a string": memory_line("k", tags=[1]),
    "link not whole": memory_line("k", links=[{"target_id": "x"}]),
    "links not a list": memory_line("k", links={"target_id": "x"}),
    "link note": memory_line("k", links=[{"target_id": "x", "relationship": "y", "note": 5}]),
    "link time": memory_line(
        "k", links=[{"target_id": "x", "relationship": "y", "created_at_unix_ms": "now"}]
    ),
    "link of other fields": memory_line(
        "k", links=[{"target_id": "x", "relationship": "y", "colour": "red"}]
    ),
    "link too long": memory_line("k", links=[{"target_id": "x", "relationship": "y" * 2_000}]),
    "link weight": memory_line("k", links=[{"target_id": "x", "relationship": "y", "weight": 2}]),
    "alias not whole": memory_line("k", aliases=[{"key": "x"}]),
    "version not whole": memory_line("k", history=[{"history_id": "hist-1"}]),
    "history not a list": memory_line("k", history=5),
    "NUL": memory_line("k", "a\x00b"),
    "NUL in a name": memory_line("a\x00b"),
    "surrogate": memory_line("k", topic_path="\ud800"),
    "inverted period": memory_line("k", valid_from_unix_ms=2, valid_to_unix_ms=1),
    "deep body": json.dumps({"category": "note", "key": "k", "body_json": "[" * 101 + "]" * 101}),
    "deep line": '{"a":' * 20_000 + "1" + "}" * 20_000,
}


@pytest.mark.parametrize("fault", _FAULTY)
async def test_a_faulty_line_is_named_and_everything_before_it_is_stored(load, texts, fault):
    lines = [
        memory_line("before"),
        "",
        memory_line("before too"),
        _FAULTY[fault],
        memory_line("after"),
    ]

    with pytest.raises(TransferError, match=r"\bline 4\b"):
        await load(*lines)

    assert await texts() == {"before": "use NATS", "before too": "use NATS"}


async def test_a_faulty_line_behind_many_slices_is_named_and_all_before_it_is_stored(load, texts):
    lines = [memory_line(f"key-{number}", str(number)) for number in range(1_500)]

    with pytest.raises(TransferError, match=r"\bline 1501\b"):
        await load(*lines, "{", memory_line("after"))

    assert list(await texts()) == [f"key-{number}" for number in range(1_500)]


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
        await load(*(memory_line(f"key-{number}") for number in range(2_000)))

    kept = list(await texts())
    assert kept == [f"key-{number}" for number in range(len(kept))]
    assert 0 < len(kept) < 2_000


async def test_two_lines_with_one_id_store_the_first_and_name_or_report_the_second(load, texts):
    lines = [
        memory_line("first", id="mem-1"),
        memory_line("second", id="mem-1"),
        memory_line("third"),
    ]

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
    done = await load(
        memory_line("queue", id="mem-1"), memory_line("queue", "use Kafka", id="mem-2")
    )

    assert (done.created, len(done.conflicts)) == (1, 1)
    assert await texts() == {"queue": "use NATS"}


async def test_importing_a_mended_file_again_goes_on_where_it_stopped(load, texts):
    lines = [memory_line("one", id="mem-1"), "{", memory_line("three", id="mem-3")]
    with pytest.raises(TransferError):
        await load(*lines)
    lines[1] = memory_line("two", id="mem-2")

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
        await load(header, memory_line("queue"))

    assert await texts() == {}


async def test_an_empty_file_is_refused(load):
    with pytest.raises(TransferError, match="empty"):
        await load("", "  ")


_OVER = "x" * 1_025
_LIMITED = {
    "body": (memory_line("k", "x" * 1_048_577), "body_json"),
    "key": (memory_line(_OVER), "key"),
    "category": (memory_line("k", category=_OVER), "category"),
    "workspace": (memory_line("k", workspace_hash=_OVER), "workspace_hash"),
    "topic": (memory_line("k", topic_path=_OVER), "topic_path"),
    "agent": (memory_line("k", agent_id=_OVER), "agent_id"),
    "type": (memory_line("k", type=_OVER), "type"),
    "status": (memory_line("k", status=_OVER), "status"),
    "layer": (memory_line("k", layer=_OVER), "layer"),
    "visibility": (memory_line("k", visibility=_OVER), "visibility"),
    "source": (memory_line("k", source=_OVER), "source"),
    "archive reason": (memory_line("k", archive_reason=_OVER), "archive_reason"),
    "id": (memory_line("k", id=_OVER), "id"),
    "tags": (memory_line("k", tags=["x"] * 65), "tags"),
    "tag": (memory_line("k", tags=[_OVER]), "tags[0]"),
    "empty key": (memory_line(""), "key"),
    "another key": (memory_line("k", aliases=[alias(_OVER)]), "key"),
    "version's body": (
        memory_line("k", history=[version('"' + "x" * 1_048_577 + '"')]),
        "body_json",
    ),
    "version's body not JSON": (memory_line("k", history=[version("{")]), "body_json"),
    "version's key": (memory_line("k", history=[version("{}", key=_OVER)]), "key"),
}


@pytest.mark.parametrize("name", _LIMITED)
async def test_a_line_over_a_limit_is_named_with_its_field(load, client, name):
    line, field = _LIMITED[name]

    with pytest.raises(TransferError) as refusal:
        await load(memory_line("before"), line)

    assert str(refusal.value).startswith(f"line 2: {field}")
    assert await client.rows("SELECT key FROM entities") == [("before",)]
    assert await client.rows("SELECT count(*) FROM entity_history") == [(0,)]


async def test_lines_at_the_limits_are_stored(load):
    name = "x" * 1_024

    done = await load(
        memory_line(name, topic_path=name, agent_id=name, tags=[name] * 64),
        json.dumps({"category": "note", "key": "k", "body_json": json.dumps("x" * 1_048_574)}),
    )

    assert done.created == 2
