"""What an import stores, and what it leaves as it was."""

import contextlib
import gc
import json
import sys

import pytest

from mimir_py.errors import TransferError
from tests.vault.import_lines import LINK, memory_line


async def test_a_file_of_bare_memories_needs_no_header(load, texts):
    done = await load(memory_line("queue"), memory_line("other"))

    assert done.created == 2
    assert await texts() == {"queue": "use NATS", "other": "use NATS"}


async def test_a_line_needs_no_more_than_a_name_and_a_body(load, client, clock):
    await load('{"category": "note", "key": "queue", "body_json": "[1]"}')

    [item] = await client.recall("")
    assert (item["type"], item["status"], item["layer"]) == ("insight", "active", "buffer")
    assert item["created_at_unix_ms"] == item["valid_from_unix_ms"] == clock.now


async def test_blank_lines_are_no_memories(load):
    done = await load("", memory_line("queue"), "  ", memory_line("other"), "\n")

    assert done.created == 2


async def test_long_and_short_lines_are_stored_in_their_order(load, texts):
    lengths = [5, 400_000, 5, 5, 900_000, 400_000, 700_000, 5]

    done = await load(*(memory_line(f"key-{n}", "x" * length) for n, length in enumerate(lengths)))

    assert done.created == len(lengths)
    assert [len(text) for text in (await texts()).values()] == lengths


async def test_every_attribute_is_stored_in_the_type_it_has(load, client):
    await load(
        memory_line("queue", archived=True, certainty=1, tags=["a", "b"], retrieval_count=3),
        memory_line(
            "other", always_on=True, valid_to_unix_ms=2, valid_from_unix_ms=1, links=[LINK]
        ),
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
        await load(memory_line("queue"), "{" if faulty else memory_line("other"))

    assert sys.getswitchinterval() == usual
    assert gc.isenabled()


async def test_progress_is_told_as_slices_are_stored(app):
    told = []

    async def report(done):
        told.append(done)

    lines = [memory_line(f"key-{number}", str(number)) for number in range(450)]
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
