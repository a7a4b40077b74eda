"""The keyword index: FTS5 over `entity_text`, which it reads instead of keeping a copy.

In a sealed store every process has an index of its own in memory, which follows the change feed
(storage/words.py); here only the texts are written then.

FTS5's secure-delete option is not used: it raises the format of the index to one that SQLite before
3.42 cannot read, and a store may be shared with a Python that has only such a one.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from mimir_py.storage.database import Writer
from mimir_py.storage.terms import analyse
from mimir_py.storage.words import REBUILD

_TEXT_COLUMNS: Final = ("row_id", "label_terms", "body_terms", "label", "body")
# One statement for any number: FTS5 writes out what it has gathered when another one begins.
_INSERT_WORDS: Final = """
    INSERT INTO entities_fts (rowid, label_terms, body_terms)
    SELECT t.row_id, t.label_terms, t.body_terms FROM json_each(:row_ids) wanted
    CROSS JOIN entity_text t ON t.row_id = wanted.value
"""
# FTS5 takes words out only when told the very text that put them in.
_DELETE_WORDS: Final = """
    INSERT INTO entities_fts (entities_fts, rowid, label_terms, body_terms)
    SELECT 'delete', row_id, label_terms, body_terms FROM entity_text WHERE row_id = :row_id
"""
_DELETE_TEXT: Final = "DELETE FROM main.entity_text WHERE row_id = :row_id"
_DELETE_TEXTS: Final = """
    DELETE FROM main.entity_text WHERE row_id IN (SELECT value FROM json_each(:row_ids))
"""
_DELETE_ORPHANED_TEXT: Final = """
    DELETE FROM main.entity_text WHERE row_id NOT IN (SELECT row_id FROM entities)
"""
_REBUILD: Final = "INSERT INTO entities_fts (entities_fts) VALUES ('rebuild')"
_MERGE: Final = "INSERT INTO entities_fts (entities_fts, rank) VALUES ('merge', :pages)"
_MERGED_PAGES: Final = 64
# Some 80 ms.
_REBUILT_AT_ONCE: Final = 2_000
_ROWS: Final = "SELECT count(*) FROM main.entity_text"
# The record of levels and segments (fts5_index.c, "Structure Record").
_STRUCTURE: Final = "SELECT block FROM entities_fts_data WHERE id = 10"
_WITH_ORIGINS: Final = b"\xff\x00\x00\x01"

IndexedText = tuple[int, str, str]
Analysed = tuple[str, str, str, str]


def analysed(label: str, body: str) -> Analysed:
    """What `add_analysed` stores of a text: all of the work that needs no store."""
    return (analyse(label), analyse(body), label, body)


def add(tx: Writer, texts: Sequence[IndexedText]) -> None:
    """Index new rows, each (row_id, label, body)."""
    add_analysed(tx, [(row_id, analysed(label, body)) for row_id, label, body in texts])


def add_analysed(tx: Writer, texts: Sequence[tuple[int, Analysed]]) -> None:
    """Index new rows, each (row_id, text)."""
    _insert_texts(tx, texts)
    if not tx.is_sealed:
        tx.run(_INSERT_WORDS, {"row_ids": json.dumps([row_id for row_id, _ in texts])})


def remove(tx: Writer, row_id: int) -> None:
    """Take a row out of the index; a no-op for one that is not in it."""
    if not tx.is_sealed:
        tx.run(_DELETE_WORDS, {"row_id": row_id})
    tx.run(_DELETE_TEXT, {"row_id": row_id})


def refresh_texts(tx: Writer, texts: Sequence[IndexedText]) -> None:
    """Set the texts behind the index, which no longer matches until `rebuild`."""
    tx.run(_DELETE_TEXTS, {"row_ids": json.dumps([row_id for row_id, _, _ in texts])})
    _insert_texts(tx, [(row_id, analysed(label, body)) for row_id, label, body in texts])


def rebuild(tx: Writer) -> None:
    """Build the index anew from `entity_text`, dropping texts whose memory is gone."""
    tx.run(_DELETE_ORPHANED_TEXT)
    if tx.is_sealed:
        tx.insert_row("changes", {"entity_row_id": 0, "entity_id": "", "kind": REBUILD})
    else:
        tx.run(_REBUILD)


def sweep(tx: Writer, *, begin: bool) -> bool:
    """Do a part of writing the index anew without the words that were removed; whether all is done.

    FTS5 keeps removed words, with a mark, until the segments they were in are merged with all that
    are older. That is its optimize, done a slice at a time (its documentation, section 6.9). Small
    segments it may put where a merge does not know that it reaches the oldest, and then keeps the
    marks; so then, and for few rows, the index is built anew.
    """
    if tx.is_sealed:
        return True
    if begin and tx.value(_ROWS) <= _REBUILT_AT_ONCE:
        tx.run(_REBUILD)
        return True
    before = tx.changes
    tx.run(_MERGE, {"pages": -_MERGED_PAGES if begin else _MERGED_PAGES})
    # One change is the statement itself.
    if tx.changes - before > 1:
        return False
    if not _ends_in_one_segment(tx.value(_STRUCTURE)):
        tx.run(_REBUILD)
    return True


def _ends_in_one_segment(structure: bytes) -> bool:
    """Whether the last level of the index is a single segment: what a merge of all leaves."""
    has_origins = structure[4:8] == _WITH_ORIGINS
    numbers = _varints(structure[8 if has_origins else 4 :])
    levels, _, _ = next(numbers), next(numbers), next(numbers)
    segments = 1
    for _ in range(levels):
        _, segments = next(numbers), next(numbers)
        for _ in range(segments * (8 if has_origins else 3)):
            next(numbers)
    return segments == 1


def _varints(data: bytes) -> Iterator[int]:
    """The numbers of an FTS5 record: seven bits a byte, the high ones first, all of the ninth."""
    value, length = 0, 0
    for byte in data:
        length += 1
        value = value << 8 | byte if length == 9 else value << 7 | byte & 0x7F
        if byte < 0x80 or length == 9:
            yield value
            value, length = 0, 0


def _insert_texts(tx: Writer, texts: Sequence[tuple[int, Analysed]]) -> None:
    tx.insert_rows("entity_text", _TEXT_COLUMNS, [(row_id, *text) for row_id, text in texts])
