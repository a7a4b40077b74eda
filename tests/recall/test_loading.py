"""The vectors of a large store are loaded between answers: from a part of them, then from all."""

import asyncio
import tracemalloc

import numpy as np
import pytest

from mimir_py.app.idle import load_index
from mimir_py.entities.store import append_change
from mimir_py.recall import Filter
from mimir_py.recall.masks import COLUMNS
from mimir_py.recall.resident import Resident
from mimir_py.tooling import Call, Scope

_QUESTION = "lantern in the harbour by the railing"
_PORTION = 8
_DIMENSION = 384


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch):
    """A search loads up to ten chunks itself; a portion has eight."""
    monkeypatch.setattr("mimir_py.recall.dense._MOST_IN_A_SEARCH", 10)
    monkeypatch.setattr("mimir_py.recall.dense._CHUNKS_AT_ONCE", _PORTION)
    monkeypatch.setattr("mimir_py.recall.dense._CHANGES_AT_ONCE", 4)


@pytest.fixture
async def loading(corpus_path, open_copy, client_of):
    """A client of a store whose vectors nobody has begun to load."""
    async with open_copy(corpus_path, "resident", background=True) as app:
        yield client_of(app)


async def _load(client, portions=10_000):
    for _ in range(portions):
        if not await client.app.database.read(client.app.dense.load_more):
            return


async def _keys(client, **more):
    return [item["key"] for item in await client.recall(_QUESTION, limit=20, **more)]


async def _chunks_in_store(client):
    rows = await client.rows("SELECT chunk_id FROM chunks WHERE vector IS NOT NULL ORDER BY 1")
    return [chunk_id for (chunk_id,) in rows]


async def test_answers_while_loading_come_from_words_and_say_so(loading):
    answer = await loading.run("recall", {"query": _QUESTION})

    assert answer["index_building"] is True
    assert answer["index_share"] == 0.0
    assert len(answer["items"]) == 10
    assert all("relevance" in item for item in answer["items"])


async def test_a_search_by_meaning_alone_answers_before_a_vector_is_loaded(loading):
    await loading.app.database.indexed()
    items = await loading.recall(_QUESTION, mode="dense", limit=5)

    await _load(loading)

    assert len(items) == 5
    exact = {i["key"]: i["score"] for i in await loading.recall(_QUESTION, mode="dense", limit=200)}
    assert {item["key"]: item["score"] for item in items} == pytest.approx(
        {item["key"]: exact[item["key"]] for item in items}, abs=1e-5
    )


async def test_answers_become_those_of_a_load_all_at_once(loading, corpus_path, open_copy):
    shares, answers = [], []
    while True:
        answer = await loading.run("recall", {"query": _QUESTION, "limit": 20})
        if "index_building" not in answer:
            break
        shares.append(answer["index_share"])
        answers.append(len(answer["items"]))
        await _load(loading, portions=2)

    assert len(shares) > 3
    assert shares == sorted(shares)
    assert set(answers) == {20}
    async with open_copy(corpus_path, "resident") as app:
        at_once = await type(loading)(app).run("recall", {"query": _QUESTION, "limit": 20})
    assert answer == at_once


async def test_a_store_opened_for_one_question_is_answered_from_all(corpus_path, open_copy):
    async with open_copy(corpus_path, "resident") as app:
        building = await app.database.read(app.dense.building)

    assert building is None


@pytest.mark.parametrize("portions", [0, 3, 9, 1_000])
async def test_a_change_made_while_loading_is_not_lost(loading, corpus, portions):
    app = loading.app
    await _load(loading, portions)
    names = [record["key"] for record in corpus if not record["archived"]]
    early, late = names[0], names[-1]
    rows = dict(await loading.rows("SELECT key, row_id FROM entities"))
    unit = np.zeros(_DIMENSION, dtype="<f4")
    unit[0] = 1.0

    def change(tx):
        for row_id in (rows[early], rows[late]):
            [(chunk_id,)] = tx.tuples("SELECT chunk_id FROM chunks WHERE row_id = ?", (row_id,))
            app.upkeep._vectors.embed_pending(tx, chunk_id, unit.tobytes())
            append_change(tx, row_id, "", "embed")

    await app.database.write(change)
    await loading.remember("brought in", "lantern of another kind")
    await _load(loading)
    found = await app.database.read(
        lambda reader: app.dense.nearest(reader, unit.tobytes(), Filter(), 2)
    )

    assert {candidate.row_id for candidate in found} == {rows[early], rows[late]}
    assert [candidate.score for candidate in found] == pytest.approx([1.0, 1.0])
    held = app.dense._resident
    assert sorted(held._chunk_ids.view[held._live.view]) == await _chunks_in_store(loading)
    assert "brought in" in await _keys(loading, mode="dense", category="note")


async def test_filters_hold_while_many_changes_are_still_to_be_read(loading):
    await _load(loading)
    assert await loading.recall(_QUESTION, mode="dense")

    def archive_all(tx):
        tx.run("UPDATE main.entities SET archived = 1")
        for (row_id,) in tx.tuples("SELECT row_id FROM entities"):
            append_change(tx, row_id, "", "archive")

    await loading.app.database.write(archive_all)
    answer = await loading.run("recall", {"query": _QUESTION, "mode": "dense"})

    assert answer["index_building"] is True
    assert answer["items"] == []


async def test_loading_begins_anew_when_the_feed_no_longer_reaches_back(loading):
    await _load(loading, 5)
    first = loading.app.dense._resident
    [(row_id,)] = await loading.rows("SELECT min(row_id) FROM entities")

    def rewrite(tx):
        for _ in range(4):
            append_change(tx, row_id, "", "update")
        tx.run("DELETE FROM main.changes WHERE seq < (SELECT max(seq) FROM changes)")

    await loading.app.database.write(rewrite)
    await _load(loading)

    held = loading.app.dense._resident
    assert held is not first
    assert sorted(held._chunk_ids.view[held._live.view]) == await _chunks_in_store(loading)


async def test_progress_is_told_by_health_by_stats_and_to_who_waits(loading):
    reported = []

    async def report(done, total, what):
        reported.append((done, total, what))

    await _load(loading, 5)
    tool, arguments, _ = loading.request("recall", {"query": _QUESTION})
    await loading.app.run(tool, arguments, Call(Scope(), report=report))
    health, stats = await loading.run("health", {}), await loading.run("stats", {})
    total = (await _chunks_in_store(loading))[-1]
    await _load(loading)

    progress = {"state": "building", "done": 5 * _PORTION, "total": total}
    assert health == {"status": "healthy", "index": progress}
    assert stats["index"] == progress
    assert reported == [(5 * _PORTION, total, "loading vectors")]
    assert await loading.run("health", {}) == {"status": "healthy"}
    assert (await loading.run("stats", {}))["index"] == {
        "state": "ready",
        "done": total,
        "total": total,
    }


async def test_the_task_of_a_server_loads_all(loading):
    task = asyncio.create_task(load_index(loading.app))
    async with asyncio.timeout(30):
        while "index" in await loading.run("health", {}):
            pass
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _load(loading)

    held = loading.app.dense._resident
    assert sorted(held._chunk_ids.view[held._live.view]) == await _chunks_in_store(loading)


def _row(number):
    values = {"category": f"c{number % 9}", "topic_path": f"t/{number % 99}"}
    return (number, *(values.get(name, 0) for name in COLUMNS))


def test_a_memory_takes_no_more_than_570_bytes():
    blobs = np.random.default_rng(3).standard_normal((512, _DIMENSION)).astype("<f4")
    blobs = [vector.tobytes() for vector in blobs]
    resident = Resident(_DIMENSION, 1, 0)
    memories = 65_536
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for first in range(1, memories + 1, 512):
        numbers = range(first, first + 512)
        resident.put_columns([_row(number) for number in numbers])
        resident.add([(n, n, 0, 90, blob) for n, blob in zip(numbers, blobs, strict=True)])
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(resident) == memories
    assert (after - before) / memories <= 570
    # Growing never keeps two of the large arrays.
    assert (peak - before) / memories <= 700


def test_places_of_chunks_taken_out_are_used_again():
    blob = np.ones(_DIMENSION, dtype="<f4").tobytes()
    resident = Resident(_DIMENSION, 1, 0)
    resident.put_columns([_row(number) for number in range(1, 6)])
    for change in range(50):
        resident.remove([1, 2, 3])
        resident.add([(10 * change + n, n % 3 + 1, n, n + 1, blob) for n in range(6)])

    assert len(resident) == 6
    assert len(resident._chunk_ids) == 6
    found = resident.nearest(blob, Filter(), 10, ())
    assert sorted(near.chunk_id for near in found) == [490 + n for n in range(6)]
    assert set(resident.cosines(blob, [1, 2, 3, 4, 99])) == {1, 2, 3}
