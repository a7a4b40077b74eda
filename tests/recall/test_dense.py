"""The dense arm against brute force: thousands of random vectors, under filters, on each index."""

import numpy as np
import pytest

from mimir_py.entities.models import Draft, Identity
from mimir_py.entities.store import append_change, insert_many
from mimir_py.entities.versioning import new_entity
from mimir_py.recall import DenseArm, Filter
from mimir_py.storage.vectors import Chunk, Vectors

_DIMENSION = 384
_MEMORIES = 2_600
_LONG_EVERY = 10  # each such memory has three chunks
_QUERIES = 8
_POOL = 256  # the least that recall asks for
_FILTERS = {
    "none": Filter(),
    "a tenth by category": Filter(category="c3"),
    "a third by workspace": Filter(workspaces=("w1",)),
    "two workspaces": Filter(workspaces=("w1", "")),
    "by topic": Filter(topic_path="t/1"),
    "by agent": Filter(agent_id="a2"),
    "fresh": Filter(min_decay=0.5),
    "always on": Filter(always_on=True),
    "true then": Filter(valid_at=1_500),
    "with the archive": Filter(include_archived=True),
    "all but two categories": Filter(excluded_categories=("c1", "c2")),
    "a few": Filter(category="c3", workspaces=("w1",), agent_id="a2"),
    "nobody": Filter(category="absent"),
}


def _attributes(number):
    return {
        "category": f"c{number % 10}",
        "workspace_hash": ("", "w1", "w2")[number % 3],
        "topic_path": f"t/{number % 7}",
        "agent_id": f"a{number % 4}",
        "archived": number % 9 == 0,
        "always_on": number % 5 == 0,
        "decay_score": (number % 11) / 10,
        "valid_from_unix_ms": 1_000 * (number % 3),
        "valid_to_unix_ms": None if number % 2 else 9_000,
    }


def _passes(filter, attributes):
    workspaces = filter.workspaces
    return all(
        (
            filter.include_archived or not attributes["archived"],
            filter.category in (None, attributes["category"]),
            attributes["category"] not in filter.excluded_categories,
            workspaces is None or attributes["workspace_hash"] in workspaces,
            attributes["topic_path"].startswith(filter.topic_path or ""),
            filter.agent_id in (None, attributes["agent_id"]),
            attributes["decay_score"] >= filter.min_decay,
            filter.always_on in (None, attributes["always_on"]),
            filter.valid_at is None
            or attributes["valid_from_unix_ms"]
            <= filter.valid_at
            < (attributes["valid_to_unix_ms"] or 10**15),
        )
    )


def _units(dice, count):
    vectors = dice.standard_normal((count, _DIMENSION)).astype("<f4")
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class _Reference:
    """What is stored, searched by looking at all of it."""

    def __init__(self, memories):
        self.attributes = {row_id: attributes for row_id, (attributes, _) in memories.items()}
        self.chunks = {row_id: chunks for row_id, (_, chunks) in memories.items()}

    def nearest(self, query, filter, count):
        """The best rows, and the score of every row that passes."""
        rows = [row for row, attributes in self.attributes.items() if _passes(filter, attributes)]
        if not rows:
            return [], {}
        starts = np.cumsum([0, *(len(self.chunks[row]) for row in rows[:-1])])
        cosines = np.concatenate([self.chunks[row] for row in rows]) @ query
        scores = dict(zip(rows, np.maximum.reduceat(cosines, starts).tolist(), strict=True))
        return sorted(rows, key=lambda row: -scores[row])[:count], scores


@pytest.fixture(scope="module")
def dice():
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def memories(dice):
    """Attributes and chunk vectors of every memory, by row."""
    numbers = range(1, _MEMORIES + 1)
    return {
        number: (_attributes(number), _units(dice, 1 if number % _LONG_EVERY else 3))
        for number in numbers
    }


@pytest.fixture(scope="module")
def queries(dice, memories):
    """Random directions, and some near a stored vector as real queries are."""
    near = np.array([chunks[0] for _, chunks in list(memories.values())[: _QUERIES // 2]])
    near = near + 0.04 * dice.standard_normal(near.shape).astype("<f4")
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    return np.concatenate([_units(dice, _QUERIES // 2), near.astype("<f4")])


def _store(tx, vectors, memories):
    entities = []
    for number, (attributes, _) in memories.items():
        identity = Identity(attributes["category"], f"k{number}", attributes["workspace_hash"])
        entity = new_entity(Draft(identity, "{}"), f"mem-{number}", 1_000)
        entities.append((_with(entity, attributes), b""))
    row_ids = insert_many(tx, entities)
    assert row_ids == list(memories)
    vectors.add(
        tx,
        (
            (row_id, ordinal, Chunk(ordinal, ordinal + 1, chunk.tobytes()))
            for row_id, (_, chunks) in memories.items()
            for ordinal, chunk in enumerate(chunks)
        ),
    )


def _with(entity, attributes):
    from dataclasses import replace

    return replace(entity, **attributes)


@pytest.fixture(scope="module")
def filled_path(tmp_path_factory, memories):
    import asyncio

    from mimir_py.storage.database import open_database
    from mimir_py.storage.engine import load_engine

    path = tmp_path_factory.mktemp("random") / "mimir.db"

    async def fill():
        async with open_database(path, load_engine("auto"), 1_000) as database:
            vectors = Vectors("tests/random", _DIMENSION, has_vec=True)
            await database.write(lambda tx: _store(tx, vectors, memories))

    asyncio.run(fill())
    return path


class _Random:
    """Names the model of the random vectors; embeds nothing."""

    model = "tests/random"
    dimension = _DIMENSION


@pytest.fixture
async def arm(filled_path, index, open_copy):
    async with open_copy(filled_path, index, embedder=_Random()) as app:
        vectors = app.upkeep._vectors
        yield DenseArm(vectors), app.database, vectors


@pytest.fixture
def reference(memories):
    return _Reference(memories)


async def _nearest(arm, query, filter, pool, *, exact=True):
    dense, database, _ = arm
    return await database.read(
        lambda reader: dense.nearest(reader, query, filter, pool, exact=exact)
    )


async def _recall_at_10(arm, reference, queries, filter):
    hits, wanted = 0, 0
    for query in queries:
        best, scores = reference.nearest(query, filter, 10)
        found = await _nearest(arm, query.tobytes(), filter, _POOL)
        assert all(candidate.row_id in scores for candidate in found)
        assert [candidate.score for candidate in found[:20]] == pytest.approx(
            [scores[candidate.row_id] for candidate in found[:20]], abs=1e-4
        )
        # Scores that agree to six digits are a tie.
        ranks = [round(candidate.score, 6) for candidate in found]
        assert ranks == sorted(ranks, reverse=True)
        hits += len(set(best) & {candidate.row_id for candidate in found[:10]})
        wanted += len(best)
    return 1.0 if wanted == 0 else hits / wanted


@pytest.mark.parametrize("name", _FILTERS)
async def test_the_nearest_memories_are_found_under_every_filter(arm, reference, queries, name):

    recall = await _recall_at_10(arm, reference, queries, _FILTERS[name])

    assert recall >= 0.99


async def test_a_memory_comes_once_with_the_span_of_its_best_chunk(arm, reference):
    row_id = 7 * _LONG_EVERY
    query = reference.chunks[row_id][2]

    found = await _nearest(arm, query.tobytes(), Filter(), 20)

    assert (found[0].row_id, found[0].span) == (row_id, (2, 3))
    assert [candidate.row_id for candidate in found].count(row_id) == 1


async def test_no_more_than_the_pool_is_found(arm, queries):

    found = await _nearest(arm, queries[0].tobytes(), Filter(), 7)

    assert len(found) == 7


async def test_a_pool_beyond_what_the_table_can_answer_is_answered_all_the_same(
    arm, reference, queries
):
    best, scores = reference.nearest(queries[0], Filter(), 10)

    found = await _nearest(arm, queries[0].tobytes(), Filter(), 4_096)

    assert len(found) == len(scores)
    assert [candidate.row_id for candidate in found[:10]] == best


async def test_what_changes_after_the_first_search_is_caught_up_with(arm, reference, queries, dice):
    _, database, vectors = arm
    await _nearest(arm, queries[0].tobytes(), Filter(), 10)
    changed = {row_id: _units(dice, 2) for row_id in range(100, 160)}
    archived, gone = range(200, 230), range(300, 330)

    def change(tx):
        for row_id, chunks in changed.items():
            spans = [Chunk(n, n + 1, chunk.tobytes()) for n, chunk in enumerate(chunks)]
            vectors.replace(tx, row_id, spans)
        for row_id in archived:
            tx.run("UPDATE entities SET archived = 1 WHERE row_id = ?", (row_id,))
        for row_id in gone:
            vectors.remove(tx, row_id)
        for row_id in (*changed, *archived, *gone):
            append_change(tx, row_id, f"mem-{row_id}", "update")

    await database.write(change)
    for row_id, chunks in changed.items():
        reference.chunks[row_id] = chunks
    for row_id in archived:
        reference.attributes[row_id] = {**reference.attributes[row_id], "archived": True}
    for row_id in gone:
        del reference.attributes[row_id]
    near = np.concatenate([queries, [chunks[1] for chunks in list(changed.values())[:6]]])

    for filter in (Filter(), Filter(category="c3"), Filter(include_archived=True)):
        assert await _recall_at_10(arm, reference, near, filter) >= 0.99
