"""A long body is searchable at once by its beginning, and whole when its queue is worked off."""

import pytest
from tokenizers import Tokenizer

from mimir_py.embedding import split
from mimir_py.embedding.onnx import MAX_TOKENS, MODEL_FOLDER
from mimir_py.entities.text import chunk_text, label
from mimir_py.entities.writing import EMBEDDED_AT_ONCE

_FILLER = "The weekly report was filed on the usual shelf by the usual people. "
_OPENING = "The lighthouse keeper paints the railings every spring. "
_ENDING = "Our message broker is NATS because the team already operates it."
_LONG = _OPENING + _FILLER * 140 + _ENDING


async def _vectors(client):
    return await client.rows(
        "SELECT ordinal, vector IS NOT NULL FROM chunks ORDER BY row_id, ordinal"
    )


async def _work_off_queue(client):
    rounds = []
    while count := await client.app.upkeep.embed_pending():
        rounds.append(count)
    return sum(rounds)


async def test_the_first_chunks_are_embedded_at_once_and_the_rest_are_counted(client):
    chunks = len(split(_LONG))
    assert chunks > 2 * EMBEDDED_AT_ONCE

    answer = await client.remember("report", _LONG)

    assert EMBEDDED_AT_ONCE == 8
    assert answer["pending_chunks"] == chunks - 8
    assert await client.app.upkeep.count_pending() == chunks - 8
    assert await _vectors(client) == [(number, int(number < 8)) for number in range(chunks)]


async def test_working_off_the_queue_embeds_every_chunk_once(client):
    answer = await client.remember("report", _LONG)

    done = await _work_off_queue(client)

    assert done == answer["pending_chunks"]
    assert await client.app.upkeep.count_pending() == 0
    assert {embedded for _, embedded in await _vectors(client)} == {1}


@pytest.mark.parametrize("limit", [10**6, 3], ids=["table", "resident"])
async def test_the_end_of_a_long_body_is_found_by_meaning_once_it_is_embedded(
    client, monkeypatch, limit
):
    monkeypatch.setattr("mimir_py.storage.vectors.EXACT_LIMIT", limit)
    await client.remember("report", _LONG)
    await client.remember("other", "Somebody waters the plants.")
    [early] = await client.recall("which message queue do we use", mode="dense", limit=1)

    await _work_off_queue(client)

    [item] = await client.recall("which message queue do we use", mode="dense", limit=1)
    assert item["key"] == "report"
    assert "NATS" in item["passage"]
    assert item["passage_offset"] <= _LONG.index(_ENDING)
    assert item["score"] > early["score"]


async def test_the_passage_is_the_part_of_the_body_that_holds_the_words(client):
    await client.remember("report", _LONG)

    [item] = await client.recall("NATS broker", mode="fts5")

    assert "NATS" in item["passage"]
    offset = item["passage_offset"]
    assert _LONG[offset : offset + len(item["passage"])].strip() == item["passage"]


async def test_a_short_body_has_no_passage_and_nothing_pending(client):
    answer = await client.remember("note", "use NATS")

    [item] = await client.recall("NATS")

    assert "pending_chunks" not in answer
    assert "passage" not in item


@pytest.mark.plain
async def test_a_changed_long_body_drops_the_chunks_of_the_old_text(client):
    await client.remember("report", _LONG)

    await client.remember("report", "use NATS")

    assert await _vectors(client) == [(0, 1)]
    assert await client.app.upkeep.count_pending() == 0
    assert await client.rows("SELECT count(*) FROM chunk_vectors") == [(1,)]


async def test_a_text_changed_while_its_chunks_were_queued_is_not_mixed_up(client):
    await client.remember("report", _LONG)
    await client.remember("report", _LONG.replace("railings", "windows"))

    await _work_off_queue(client)

    embedded = await client.rows("SELECT count(*), count(vector) FROM chunks")
    assert embedded == [(len(split(_LONG)),) * 2]


async def test_a_memory_with_many_chunks_does_not_crowd_out_the_others(client):
    sentence = "Our message broker is NATS because the team already operates it. "
    await client.remember("long", sentence * 6_000)
    await _copy_first_vector_to_all(client)
    for number in range(5):
        await client.remember(f"short-{number}", f"Plant {number} is watered on Mondays.")

    items = await client.recall("which message broker do we use", mode="dense", limit=10)

    assert (await client.rows("SELECT count(*) FROM chunks"))[0][0] > 600
    assert len(items) == 6


async def _copy_first_vector_to_all(client):
    """Embed the queue without running the model: the text repeats, so do its vectors."""
    vectors = client.app.upkeep._vectors

    def copy(tx):
        first = tx.value("SELECT vector FROM chunks WHERE ordinal = 0")
        for chunk in vectors.pending(tx, 10_000):
            vectors.embed_pending(tx, chunk.chunk_id, first)

    await client.app.database.write(copy)


@pytest.mark.parametrize(
    ("key", "category", "tags", "topic"),
    [("queue", "decision", ["messaging", "infra"], "platform/queues"), ("k" * 300, "c", [], "")],
    ids=["ordinary label", "long key"],
)
def test_a_chunk_with_its_label_fits_the_window(key, category, tags, topic):
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    tokenizer.no_truncation()
    label_text = label(category, key, tags, topic)

    longest = max(
        len(tokenizer.encode(chunk_text(label_text, _LONG, start, stop)).ids)
        for start, stop in split(_LONG)
    )

    assert longest <= MAX_TOKENS
