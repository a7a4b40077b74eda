"""Rows of moving in: whole `mimir migrate` commands on a store of the Rust program."""

import itertools
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError
from benchmarks.measure import Goal, Row, median
from benchmarks.setting import Setting
from benchmarks.stores import LARGE, entity_id, large_memories

_LEVEL: Final = 10
_AT_ONCE: Final = 5_000
# The columns of that schema level that a plain memory fills; the others have their defaults.
_SCHEMA: Final = """
    CREATE TABLE entities (
        id TEXT PRIMARY KEY, category TEXT NOT NULL DEFAULT 'general', key TEXT NOT NULL,
        body_json TEXT NOT NULL DEFAULT '{}', status TEXT DEFAULT 'active',
        type TEXT DEFAULT 'insight', tags TEXT DEFAULT '[]', decay_score REAL DEFAULT 1.0,
        retrieval_count INTEGER DEFAULT 0, layer TEXT DEFAULT 'working',
        topic_path TEXT DEFAULT '', archived INTEGER DEFAULT 0, archive_reason TEXT DEFAULT '',
        links TEXT DEFAULT '[]', verified INTEGER DEFAULT 0, source TEXT DEFAULT 'agent',
        created_at_unix_ms INTEGER NOT NULL, last_accessed_unix_ms INTEGER NOT NULL,
        embedding BLOB, always_on INTEGER DEFAULT 0, certainty REAL DEFAULT 0.5,
        workspace_hash TEXT NOT NULL DEFAULT '', agent_id TEXT NOT NULL DEFAULT '',
        visibility TEXT NOT NULL DEFAULT 'workspace', valid_from_unix_ms INTEGER,
        valid_to_unix_ms INTEGER, recorded_at_unix_ms INTEGER, invalidated_at_unix_ms INTEGER,
        supersedes TEXT DEFAULT '', superseded_by TEXT DEFAULT '',
        follow_count INTEGER DEFAULT 0, miss_count INTEGER DEFAULT 0, follow_rate REAL DEFAULT 0,
        efficacy_status TEXT DEFAULT 'unverified', importance REAL DEFAULT 0.0, emb_sig BLOB
    )
"""
_INDEX: Final = "CREATE VIRTUAL TABLE entities_fts USING fts5(body_json)"
_INSERT: Final = """
    INSERT INTO entities (id, category, key, body_json, tags, created_at_unix_ms,
        last_accessed_unix_ms, recorded_at_unix_ms, valid_from_unix_ms)
    VALUES (:id, :category, :key, :body_json, :tags, :at, :at, :at, :at)
"""
_AT: Final = 1_760_000_000_000


def migrate(setting: Setting) -> list[Row]:
    """Whole `mimir migrate` commands, process start and all; embedding is left to the server."""
    source = _old_store(setting.folder / "old.db")
    seconds = []
    for number in range(setting.effort.rounds):
        target = setting.folder / f"new-{number}.db"
        started = time.perf_counter()
        said = setting.program.run("migrate", "--from", source, "--to", target, "--json")
        seconds.append(time.perf_counter() - started)
        answer = json.loads(said)
        if answer["entities_created"] != LARGE or answer["errors"]:
            raise BenchError(f"migrated {answer['entities_created']} of {LARGE} memories")
        target.unlink()
    return [
        Row(
            "migrate",
            f"migration of {LARGE:,} plain memories, compared afterwards, not embedded",
            median(seconds),
            f"{median(seconds):.1f} s",
            Goal(30, "s"),
            {"seconds_by_round": seconds},
        )
    ]


def _old_store(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.execute(_SCHEMA)
    connection.execute(_INDEX)
    rows = _rows()
    while part := list(itertools.islice(rows, _AT_ONCE)):
        with connection:
            connection.executemany(_INSERT, part)
    with connection:
        connection.execute(
            "INSERT INTO entities_fts (rowid, body_json) SELECT rowid, body_json FROM entities"
        )
    connection.execute(f"PRAGMA user_version={_LEVEL}")
    connection.close()
    return path


def _rows() -> Iterator[dict[str, Any]]:
    for number, memory in enumerate(large_memories(), start=1):
        line = json.loads(memory.line(entity_id("05", number)))
        yield {
            "id": line["id"],
            "category": line["category"],
            "key": line["key"],
            "body_json": line["body_json"],
            "tags": json.dumps(line.get("tags", [])),
            "at": line.get("created_at_unix_ms", _AT + number),
        }
