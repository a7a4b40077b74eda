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
)


def apply(tx: "Writer") -> None:
    for statement in _SCHEMA:
        tx.run(statement)
