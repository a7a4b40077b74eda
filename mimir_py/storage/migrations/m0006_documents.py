"""Documents: which files memories were read from."""

from typing import TYPE_CHECKING, Final

from mimir_py.storage.tables import Table

if TYPE_CHECKING:
    from mimir_py.storage.database import Writer

VERSION: Final = 6
NAME: Final = "documents"

TABLES: Final = (
    Table(
        "documents",
        sealed=("path", "content_hash"),
        bound=("entity_row_id", "parts"),
    ),
)

_SCHEMA: Final = (
    """
    CREATE TABLE documents (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        parts INTEGER NOT NULL,
        sealed BLOB
    ) STRICT
    """,
    "CREATE UNIQUE INDEX idx_documents_entity ON documents (entity_row_id)",
)


def apply(tx: "Writer") -> None:
    for statement in _SCHEMA:
        tx.run(statement)
