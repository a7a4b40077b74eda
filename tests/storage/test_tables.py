"""Every column that can hold words says whether a seal covers it."""

import re
from pathlib import Path

import pytest

import mimir_py
from mimir_py.storage.migrations import TABLES

_COLUMNS = """
    SELECT t.name, c.name, upper(c.type), c.pk FROM sqlite_schema t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%' AND t.name NOT LIKE 'sqlite_%'
      AND t.name NOT GLOB 'entities_fts_*' AND t.name NOT GLOB 'chunk_vectors_*'
"""


async def _columns(database):
    return await database.read(lambda reader: reader.tuples(_COLUMNS))


def _faults(columns) -> list[str]:
    """Columns whose declaration is missing, doubled, or of no column."""
    faults = []
    for table in {name for name, *_ in columns}:
        declared = TABLES.get(table)
        if declared is None:
            faults.append(table)
            continue
        own = {column: (kind, key) for name, column, kind, key in columns if name == table}
        said = [*declared.sealed, *declared.names, *declared.public]
        words = {
            column
            for column, (kind, _) in own.items()
            if kind in ("TEXT", "BLOB") and column != "sealed"
        }
        faults += [f"{table}.{column}" for column in words.difference(said)]
        # A number may be sealed: a checksum tells about the words it is of.
        plain = {*declared.names, *declared.public} - words
        faults += [f"{table}.{column}" for column in plain | (set(declared.sealed) - own.keys())]
        faults += [f"{table}.{column}" for column in set(said) if said.count(column) > 1]
        faults += [f"{table}.{column}" for column in declared.bound if column not in own]
        if bool(declared.sealed) != ("sealed" in own):
            faults.append(f"{table}.sealed")
        if declared.sealed and own.get(declared.key) != ("INTEGER", 1):
            faults.append(f"{table}.{declared.key}")
    return faults


async def test_every_text_and_blob_column_is_declared_sealed_or_a_name_or_public(database):
    assert _faults(await _columns(database)) == []


async def test_a_column_nobody_declared_is_found(database):
    columns = [*await _columns(database), ("entities", "note", "TEXT", 0), ("new", "a", "TEXT", 0)]

    assert sorted(_faults(columns)) == ["entities.note", "new"]


@pytest.mark.parametrize("table", TABLES)
async def test_every_declared_table_exists(table, database):
    assert table in {name for name, *_ in await _columns(database)}


_UPDATE = re.compile(r"UPDATE\s+(?:main\.)?(\w+)\s+SET\s+(.*?)\s+WHERE", re.DOTALL)
_SOURCES = sorted(Path(mimir_py.__file__).parent.rglob("*.py"))


def _unsealing_updates(source: str) -> list[str]:
    """Columns that a statement sets past their seal."""
    found = []
    for table, sets in _UPDATE.findall(source):
        declared = TABLES.get(table)
        if declared is None or not (declared.sealed or declared.names):
            continue
        vouched = {*declared.sealed, *declared.names}
        if declared.sealed:
            vouched |= {*declared.public, *declared.bound}
        columns = re.findall(r"(\w+)\s*=(?!=)", sets)
        found += [f"{table}.{column}" for column in columns if column in vouched]
    return found


@pytest.mark.parametrize("path", _SOURCES, ids=lambda path: path.stem)
def test_no_statement_sets_what_a_seal_vouches_for(path):
    assert _unsealing_updates(path.read_text(encoding="utf-8")) == []


def test_a_statement_that_would_break_a_seal_is_found():
    statement = "UPDATE main.entities SET decay_score = 1.0, archived = 1 WHERE row_id = 1"

    assert _unsealing_updates(statement) == ["entities.archived"]
