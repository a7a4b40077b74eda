"""Makes stores of the Rust program from the columns of the compatibility contract, section 3."""

import base64
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY: Final = bytes(range(32))

_FIRST: Final = """
    id TEXT PRIMARY KEY, category TEXT NOT NULL DEFAULT 'general', key TEXT NOT NULL,
    body_json TEXT NOT NULL DEFAULT '{}', status TEXT DEFAULT 'active',
    type TEXT DEFAULT 'insight', tags TEXT DEFAULT '[]', decay_score REAL DEFAULT 1.0,
    retrieval_count INTEGER DEFAULT 0, layer TEXT DEFAULT 'working', topic_path TEXT DEFAULT '',
    archived INTEGER DEFAULT 0, archive_reason TEXT DEFAULT '', links TEXT DEFAULT '[]',
    verified INTEGER DEFAULT 0, source TEXT DEFAULT 'agent',
    created_at_unix_ms INTEGER NOT NULL, last_accessed_unix_ms INTEGER NOT NULL
"""
# Columns each level brought, in the order of section 3.8; nobody says at which of the first ones.
_LEVELS: Final = (
    (2, "embedding BLOB, always_on INTEGER DEFAULT 0, certainty REAL DEFAULT 0.5"),
    (
        3,
        "workspace_hash TEXT NOT NULL DEFAULT '', agent_id TEXT NOT NULL DEFAULT '',"
        " visibility TEXT NOT NULL DEFAULT 'workspace'",
    ),
    (
        4,
        "valid_from_unix_ms INTEGER, valid_to_unix_ms INTEGER, recorded_at_unix_ms INTEGER,"
        " invalidated_at_unix_ms INTEGER, supersedes TEXT DEFAULT '',"
        " superseded_by TEXT DEFAULT '', follow_count INTEGER DEFAULT 0,"
        " miss_count INTEGER DEFAULT 0, follow_rate REAL DEFAULT 0,"
        " efficacy_status TEXT DEFAULT 'unverified'",
    ),
    (5, "importance REAL DEFAULT 0.0"),
    (6, "emb_sig BLOB"),
)
_NO_HISTORY: Final = frozenset(
    "embedding emb_sig importance follow_count miss_count follow_rate efficacy_status".split()
)


def sealed(text: str, category: str, key: str, *, legacy: bool = False) -> str:
    """A text as the Rust program encrypts it."""
    place = f"{category}:{key}" if legacy else f"{len(category.encode())}:{category}:{key}"
    nonce = bytes(12)
    return base64.b64encode(
        nonce + AESGCM(KEY).encrypt(nonce, text.encode(), place.encode())
    ).decode()


def _columns(level: int) -> list[str]:
    parts = [_FIRST, *(columns for first, columns in _LEVELS if first <= level)]
    return [column.strip() for part in parts for column in part.split(",")]


class RustStore:
    """A store to fill; closing it leaves a file as the program does."""

    def __init__(self, path: Path, level: int = 10) -> None:
        self.level = level
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None)
        run = self.connection.execute
        run("PRAGMA journal_mode=WAL")
        columns = _columns(level)
        self._columns = [column.split()[0] for column in columns]
        run(f"CREATE TABLE entities ({', '.join(columns)})")
        identity = "category,key,workspace_hash" if level >= 4 else "category,key"
        run(f"CREATE UNIQUE INDEX idx_entities_category_key_ws ON entities ({identity})")
        run("CREATE VIRTUAL TABLE entities_fts USING fts5(body_json)")
        if level >= 4:
            kept = [
                c.replace(" PRIMARY KEY", "") for c in columns if c.split()[0] not in _NO_HISTORY
            ]
            run(f"CREATE TABLE entity_history (history_id TEXT PRIMARY KEY, {', '.join(kept)})")
            run("CREATE INDEX idx_history_id ON entity_history (id)")
        run(
            "CREATE TABLE journal (id TEXT PRIMARY KEY, event_type TEXT DEFAULT 'decision',"
            " evaluated_json TEXT, acted_json TEXT, forward_json TEXT DEFAULT '{}', category TEXT,"
            " key TEXT, entity_id TEXT, agent_id TEXT DEFAULT '', audit_hash TEXT DEFAULT '',"
            " created_at_unix_ms INTEGER)"
        )
        run(
            "CREATE TABLE state (key TEXT PRIMARY KEY, value_json TEXT,"
            " expires_at_unix_ms INTEGER, created_at_unix_ms INTEGER)"
        )
        if level >= 8:
            run(
                "CREATE TABLE communities (id TEXT PRIMARY KEY, workspace_hash TEXT,"
                " member_ids TEXT, member_digest TEXT, summary TEXT, summary_entity_id TEXT,"
                " algorithm TEXT, modularity REAL, member_count INTEGER,"
                " generated_at_unix_ms INTEGER)"
            )
        run(f"PRAGMA user_version={level}")

    def add(self, table: str, **values: Any) -> int:
        """Insert a row, of the columns that the level has."""
        known = {name for (_, name, *_) in self.connection.execute(f"PRAGMA table_info({table})")}
        given = {name: value for name, value in values.items() if name in known}
        return (
            self.connection.execute(
                f"INSERT INTO {table} ({', '.join(given)}) VALUES ({', '.join('?' * len(given))})",
                list(given.values()),
            ).lastrowid
            or 0
        )

    def remember(self, id: str, key: str, body: Any, **more: Any) -> None:
        """Insert a memory with its indexed text; `stored` is what stands in its place."""
        text = body if isinstance(body, str) else json.dumps(body)
        stored = more.pop("stored", text)
        at = more.pop("at", 1_000)
        rowid = self.add(
            "entities",
            **{
                "id": id,
                "category": "note",
                "key": key,
                "body_json": stored,
                "created_at_unix_ms": at,
                "last_accessed_unix_ms": at,
                "recorded_at_unix_ms": at,
                "valid_from_unix_ms": at,
                **more,
            },
        )
        if not more.get("archived"):
            self.connection.execute(
                "INSERT INTO entities_fts (rowid, body_json) VALUES (?, ?)", (rowid, text)
            )

    def close(self) -> None:
        self.connection.close()


def rows_of(path: Path, table: str) -> list[Mapping[str, Any]]:
    """The rows of a table of a store of the Rust program."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()
    connection.close()
    return rows
