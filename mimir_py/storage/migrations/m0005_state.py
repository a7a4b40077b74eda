"""State: values under keys, for as long as they are wanted."""

from typing import TYPE_CHECKING, Final

from mimir_py.storage.tables import Table

if TYPE_CHECKING:
    from mimir_py.storage.database import Writer

VERSION: Final = 5
NAME: Final = "state"

TABLES: Final = (
    Table(
        "state",
        key="version",
        sealed=("value_json",),
        names=("key", "workspace_hash", "agent_id"),
        bound=("expires_at_unix_ms", "created_at_unix_ms"),
    ),
)

_SCHEMA: Final = (
    # Each value is a row of its own: a key that is set again gets a number never used before, so
    # whoever compares numbers cannot take a later value for the one that was read.
    """
    CREATE TABLE state (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        workspace_hash TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        value_json TEXT NOT NULL,
        expires_at_unix_ms INTEGER,
        created_at_unix_ms INTEGER NOT NULL,
        sealed BLOB
    ) STRICT
    """,
    "CREATE UNIQUE INDEX idx_state_key ON state (key, workspace_hash, agent_id)",
    """
    CREATE INDEX idx_state_expires ON state (expires_at_unix_ms)
    WHERE expires_at_unix_ms IS NOT NULL
    """,
)


def apply(tx: "Writer") -> None:
    for statement in _SCHEMA:
        tx.run(statement)
