"""Links between memories, and the communities that are found in them."""

from typing import TYPE_CHECKING, Final

from mimir_py.storage.tables import Table

if TYPE_CHECKING:
    from mimir_py.storage.database import Writer

VERSION: Final = 2
NAME: Final = "graph"

TABLES: Final = (
    Table(
        "links",
        key="link_id",
        sealed=("note",),
        names=("relationship",),
        public=("target_id",),
        bound=("source_row_id",),
    ),
    Table(
        "communities",
        sealed=("summary",),
        names=("workspace_hash",),
        public=("id", "member_ids", "member_digest", "summary_entity_id", "algorithm"),
    ),
)

_SCHEMA: Final = (
    # A target is named by its id: an import brings links before the memories they lead to.
    """
    CREATE TABLE links (
        link_id INTEGER PRIMARY KEY AUTOINCREMENT,
        source_row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        target_id TEXT NOT NULL,
        relationship TEXT NOT NULL,
        weight REAL NOT NULL DEFAULT 0.5 CHECK (weight BETWEEN 0 AND 1),
        note TEXT NOT NULL DEFAULT '',
        created_at_unix_ms INTEGER NOT NULL,
        sealed BLOB
    ) STRICT
    """,
    "CREATE UNIQUE INDEX idx_links_source ON links (source_row_id, target_id, relationship)",
    "CREATE INDEX idx_links_target ON links (target_id)",
    # seen_change: the entry of the change feed up to which links and memories were looked at.
    """
    CREATE TABLE communities (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        workspace_hash TEXT NOT NULL,
        member_ids TEXT NOT NULL,
        member_digest TEXT NOT NULL,
        summary TEXT NOT NULL,
        summary_entity_id TEXT NOT NULL DEFAULT '',
        algorithm TEXT NOT NULL,
        modularity REAL NOT NULL,
        member_count INTEGER NOT NULL,
        generated_at_unix_ms INTEGER NOT NULL,
        seen_change INTEGER NOT NULL,
        sealed BLOB
    ) STRICT
    """,
    "CREATE INDEX idx_communities_workspace ON communities (workspace_hash)",
)


def apply(tx: "Writer") -> None:
    for statement in _SCHEMA:
        tx.run(statement)
