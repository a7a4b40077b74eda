"""The keyword index follows the texts it does not keep itself."""

import pytest

from mimir_py.storage import fts
from mimir_py.storage.terms import quoted, word_terms

_CHECK = "INSERT INTO entities_fts (entities_fts, rank) VALUES ('integrity-check', 1)"


def _matches(tx, word):
    [term] = word_terms(word)[0]
    rows = tx.tuples("SELECT rowid FROM entities_fts WHERE entities_fts MATCH ?", (quoted(term),))
    return {row_id for (row_id,) in rows}


async def test_added_text_is_found_in_label_and_body(database):
    await database.write(lambda tx: fts.add(tx, [(1, "queue", "use NATS"), (2, "cache", "redis")]))

    assert await database.read(lambda reader: _matches(reader, "nats")) == {1}
    assert await database.read(lambda reader: _matches(reader, "cache")) == {2}


async def test_removed_text_is_no_longer_found(database):
    def work(tx):
        fts.add(tx, [(1, "queue", "use NATS"), (2, "cache", "use redis")])
        fts.remove(tx, 1)
        tx.run(_CHECK)

    await database.write(work)

    assert await database.read(lambda reader: _matches(reader, "use")) == {2}


async def test_removing_what_is_not_there_changes_nothing(database):
    def work(tx):
        fts.add(tx, [(1, "queue", "use NATS")])
        fts.remove(tx, 7)
        fts.remove(tx, 7)
        tx.run(_CHECK)

    await database.write(work)

    assert await database.read(lambda reader: _matches(reader, "nats")) == {1}


async def test_a_rebuild_leaves_no_removed_word_in_the_file(store_path, database):
    await database.write(lambda tx: fts.add(tx, [(1, "queue", "xylophonesecret")]))
    await database.write(lambda tx: fts.remove(tx, 1))

    await database.write(fts.rebuild)
    await database.checkpoint()

    assert b"xylophonesecret" not in store_path.read_bytes()


async def test_a_rebuild_drops_texts_whose_memory_is_gone(database):
    def work(tx):
        fts.add(tx, [(1, "queue", "orphaned")])
        fts.rebuild(tx)
        tx.run(_CHECK)

    await database.write(work)

    assert await database.read(lambda reader: _matches(reader, "orphaned")) == set()


@pytest.mark.parametrize("word", ["connecting", "connection", "CONNECTED"])
async def test_words_are_stemmed(database, word):
    await database.write(lambda tx: fts.add(tx, [(1, "", "they connect")]))

    assert await database.read(lambda reader: _matches(reader, word)) == {1}
