"""The table of vectors stays in step with the chunks, or says that it is not to be used."""

import pytest

from mimir_py.storage import vectors as vectors_module
from mimir_py.storage.vectors import Chunk, Vectors

_DIMENSION = 384


@pytest.fixture
def vectors() -> Vectors:
    return Vectors("a model", _DIMENSION, has_vec=True)


@pytest.fixture
def insert():
    """Makes memories without text: `insert(tx, row_id, ...)`."""

    def rows(tx, *row_ids):
        for row_id in row_ids:
            tx.run(
                "INSERT INTO entities (row_id, id, text_hash, category, key, created_at_unix_ms,"
                " last_accessed_unix_ms, recorded_at_unix_ms)"
                " VALUES (:row_id, :row_id, x'', 'c', :row_id, 1, 1, 1)",
                {"row_id": row_id},
            )

    return rows


def _vector(number: int) -> bytes:
    import struct

    return struct.pack(f"<{_DIMENSION}f", *[float(n == number) for n in range(_DIMENSION)])


def _table(reader):
    return {chunk_id for (chunk_id,) in reader.tuples("SELECT rowid FROM chunk_vectors")}


def _embedded(reader):
    rows = reader.tuples("SELECT chunk_id FROM chunks WHERE vector IS NOT NULL")
    return {chunk_id for (chunk_id,) in rows}


def _state(reader):
    return reader.value("SELECT value FROM meta WHERE name = 'chunk_vectors'")


async def test_the_table_holds_the_embedded_chunks_and_no_others(database, vectors, insert):
    def work(tx):
        insert(tx, 1, 2, 3)
        vectors.replace(tx, 1, [Chunk(0, 5, _vector(1)), Chunk(5, 9, _vector(2)), Chunk(9, 12)])
        vectors.replace(tx, 2, [Chunk(0, 5, _vector(3))])
        vectors.replace(tx, 3, [Chunk(0, 5, _vector(4))])
        vectors.replace(tx, 1, [Chunk(0, 5, _vector(5)), Chunk(5, 9)])
        vectors.remove(tx, 3)

    await database.write(work)

    table = await database.read(_table)
    assert table == await database.read(_embedded)
    assert len(table) == 2
    assert await database.read(vectors.table_is_live)


async def test_a_pending_chunk_is_counted_until_it_is_embedded(database, vectors, insert):
    def work(tx):
        insert(tx, 1)
        vectors.replace(tx, 1, [Chunk(0, 5, _vector(1)), Chunk(5, 9), Chunk(9, 12)])

    await database.write(work)
    [first, second] = await database.read(lambda reader: vectors.pending(reader, 10))

    kept = await database.write(lambda tx: vectors.embed_pending(tx, first.chunk_id, _vector(2)))

    assert kept
    assert (first.start, second.start) == (5, 9)
    assert await database.read(lambda reader: vectors.pending(reader, 10)) == [second]
    assert await database.read(vectors.count_pending) == 1
    assert await database.read(vectors.count_embedded) == 2


async def test_a_vector_for_a_chunk_that_is_gone_is_dropped(database, vectors, insert):
    def work(tx):
        insert(tx, 1)
        vectors.replace(tx, 1, [Chunk(0, 5)])
        chunk_id = tx.value("SELECT chunk_id FROM chunks")
        vectors.remove(tx, 1)
        return vectors.embed_pending(tx, chunk_id, _vector(1))

    kept = await database.write(work)

    assert not kept
    assert await database.read(vectors.count_embedded) == 0


async def test_a_process_without_the_extension_marks_the_table_stale(database, vectors, insert):
    without = Vectors("a model", _DIMENSION, has_vec=False)

    def with_vec(tx):
        insert(tx, 1, 2)
        vectors.replace(tx, 1, [Chunk(0, 5, _vector(1))])

    await database.write(with_vec)
    await database.write(lambda tx: without.replace(tx, 2, [Chunk(0, 5, _vector(2))]))

    assert await database.read(_state) == "stale"
    assert not await database.read(vectors.table_is_live)
    assert await database.read(vectors.count_embedded) == 2


async def test_a_stale_table_is_made_whole_by_a_rebuild(database, vectors, insert):
    without = Vectors("a model", _DIMENSION, has_vec=False)

    def work(tx):
        insert(tx, 1, 2)
        vectors.replace(tx, 1, [Chunk(0, 5, _vector(1))])
        without.replace(tx, 2, [Chunk(0, 5, _vector(2))])
        vectors.rebuild(tx)

    await database.write(work)

    assert await database.read(vectors.table_is_live)
    assert await database.read(_table) == await database.read(_embedded)


async def test_the_table_is_dropped_when_it_is_outgrown(database, vectors, insert, monkeypatch):
    monkeypatch.setattr(vectors_module, "EXACT_LIMIT", 2)

    def work(tx):
        insert(tx, 1, 2, 3, 4)
        for row_id in (1, 2, 3, 4):
            vectors.replace(tx, row_id, [Chunk(0, 5, _vector(row_id))])

    await database.write(work)

    assert await database.read(_state) == "outgrown"
    assert not await database.read(vectors.table_is_live)
    assert await database.read(vectors.count_embedded) == 4


async def test_vectors_of_another_model_are_pending_and_not_in_the_table(database, vectors, insert):
    other = Vectors("another model", _DIMENSION, has_vec=True)

    def work(tx):
        insert(tx, 1, 2)
        vectors.replace(tx, 1, [Chunk(0, 5, _vector(1))])
        other.replace(tx, 2, [Chunk(0, 5, _vector(2))])
        return tx.value("SELECT chunk_id FROM chunks WHERE row_id = 2")

    own = await database.write(work)

    assert await database.read(_table) == {own}
    assert await database.read(other.table_is_live)
    assert not await database.read(vectors.table_is_live)
    assert await database.read(other.count_pending) == 1
    assert await database.read(lambda reader: other.chunks_of(reader, 1)) == (Chunk(0, 5),)
