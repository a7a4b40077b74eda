"""The journal: what happened, in one gapless sequence, each entry chained to the one before."""

from typing import TYPE_CHECKING, Final

from mimir_py.storage.tables import Table

if TYPE_CHECKING:
    from mimir_py.storage.database import Writer

VERSION: Final = 3
NAME: Final = "journal"

TABLES: Final = (
    Table(
        "journal",
        key="seq",
        # Salts are as secret as the words: with them a guess at a field can be tried.
        sealed=("evaluated_json", "acted_json", "forward_json", "salts"),
        names=("event_type", "category", "key", "entity_id", "agent_id", "workspace_hash"),
        public=("id", "kind", "commitments", "hash"),
        bound=("created_at_unix_ms",),
    ),
)

_SCHEMA: Final = (
    """
    CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('event', 'audit')),
        created_at_unix_ms INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        category TEXT NOT NULL DEFAULT '',
        key TEXT NOT NULL DEFAULT '',
        entity_id TEXT NOT NULL DEFAULT '',
        agent_id TEXT NOT NULL DEFAULT '',
        workspace_hash TEXT NOT NULL DEFAULT '',
        commitments BLOB NOT NULL,
        hash BLOB NOT NULL,
        evaluated_json TEXT NOT NULL DEFAULT 'null',
        acted_json TEXT NOT NULL DEFAULT 'null',
        forward_json TEXT NOT NULL DEFAULT 'null',
        salts BLOB,
        sealed BLOB
    ) STRICT
    """,
    # Audit entries are many and rarely read; only their memory is looked up, to erase them.
    """
    CREATE INDEX idx_journal_events ON journal (created_at_unix_ms DESC, seq DESC)
    WHERE kind = 'event'
    """,
    "CREATE INDEX idx_journal_entity ON journal (entity_id) WHERE entity_id <> ''",
    """
    CREATE INDEX idx_journal_name ON journal (category, key, workspace_hash)
    WHERE kind = 'event' AND key <> ''
    """,
)


def apply(tx: "Writer") -> None:
    for statement in _SCHEMA:
        tx.run(statement)
