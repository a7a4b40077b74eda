"""The keyword index: FTS5 over `entity_text`, which it reads instead of keeping a copy.

In a sealed store every process has an index of its own in memory, which follows the change feed
(storage/words.py); here only the texts are written then.

FTS5's secure-delete option is not used: it raises the format of the index to one that SQLite before
3.42 cannot read, and a store may be shared with a Python that has only such a one.
"""

import json
from collections.abc import Sequence
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


def _insert_texts(tx: Writer, texts: Sequence[tuple[int, Analysed]]) -> None:
    tx.insert_rows("entity_text", _TEXT_COLUMNS, [(row_id, *text) for row_id, text in texts])
