"""Removed words leave the keyword index for good, whatever shape its segments are in."""

import random
from collections.abc import Iterator

import pytest

from mimir_py.storage import fts, migrations
from mimir_py.storage.database import Writer

_LETTERS = "abdefghiklmnoprstuvwxyz"


@pytest.fixture
def tx(engine) -> Iterator[Writer]:
    connection = engine.dbapi.connect(":memory:", isolation_level=None)
    opened = Writer(connection)
    migrations.migrate(opened)
    yield opened
    connection.close()


def _content(tx: Writer) -> bytes:
    return b"\n".join(block for (block,) in tx.tuples("SELECT block FROM entities_fts_data"))


def _sweep(tx: Writer) -> int:
    parts, done = 0, False
    while not done:
        done = fts.sweep(tx, begin=parts == 0)
        parts += 1
    return parts


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_LETTERS, k=14))


@pytest.mark.parametrize("seed", range(25))
def test_words_of_removed_rows_are_gone(tx, seed, monkeypatch):
    monkeypatch.setattr(fts, "_REBUILT_AT_ONCE", 0)
    chance = random.Random(seed)
    words: dict[int, str] = {}
    for _ in range(chance.randrange(2, 6)):
        for _ in range(chance.choice((1, 3, 30))):
            first = len(words) + 1
            made = {first + n: _word(chance) for n in range(chance.choice((1, 5, 60)))}
            words |= made
            fts.add(tx, [(row, "label", f"{word} said in row {row}") for row, word in made.items()])
        live = tx.tuples("SELECT row_id FROM entity_text")
        going = [row for (row,) in chance.sample(live, chance.randrange(len(live)))]
        for row in going[: chance.choice((1, 10, 1_000))]:
            fts.remove(tx, row)
        _sweep(tx)

    kept = {row for (row,) in tx.tuples("SELECT row_id FROM entity_text")}
    vocabulary = {term for (term,) in tx.tuples("SELECT term FROM entities_vocabulary")}
    content = _content(tx)
    # Neighbours share their beginnings in the file, so that only the rest is there to be found.
    left = [row for row, word in words.items() if row not in kept and word[6:].encode() in content]
    assert left == []
    assert all(words[row] in " ".join(vocabulary) for row in kept)
    tx.run("INSERT INTO entities_fts (entities_fts, rank) VALUES ('integrity-check', 1)")


def test_without_sweeping_removed_words_stay(tx):
    fts.add(tx, [(1, "label", "xylophonist"), (2, "label", "another")])
    fts.remove(tx, 1)

    assert b"lophonist" in _content(tx)


def test_a_large_index_is_swept_in_parts_without_building_it_anew(tx, monkeypatch):
    monkeypatch.setattr(fts, "_REBUILT_AT_ONCE", 0)
    monkeypatch.setattr(fts, "_MERGED_PAGES", 4)
    monkeypatch.setattr(fts, "_REBUILD", "SELECT raise_no_such_function()")
    chance = random.Random(1)
    for first in range(0, 900, 90):
        rows = range(first + 1, first + 91)
        fts.add(tx, [(row, "label", " ".join(_word(chance) for _ in range(9))) for row in rows])
    _, _, _, body = tx.tuples("SELECT row_id, 0, 0, body FROM entity_text WHERE row_id = 500")[0]
    fts.remove(tx, 500)

    parts = _sweep(tx)

    assert parts > 5
    assert not any(word[6:].encode() in _content(tx) for word in body.split())
