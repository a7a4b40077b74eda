"""What calls that may be sent again were answered."""

from typing import TYPE_CHECKING, Final

from mimir_py.storage.tables import Table

if TYPE_CHECKING:
    from mimir_py.storage.database import Writer

VERSION: Final = 4
NAME: Final = "retries"

TABLES: Final = (
    Table(
        "idempotency",
        sealed=("call_hash", "answer"),
        public=("key_hash", "tool"),
        bound=("complete",),
    ),
)

_SCHEMA: Final = (
    # complete 0: the call's change is made, its answer not yet known; then `answer` holds what the
    # transaction itself returned.
    """
    CREATE TABLE idempotency (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        key_hash BLOB NOT NULL UNIQUE,
        tool TEXT NOT NULL,
        call_hash BLOB NOT NULL,
        answer TEXT NOT NULL,
        complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
        created_at_unix_ms INTEGER NOT NULL,
        sealed BLOB
    ) STRICT
    """,
    "CREATE INDEX idx_idempotency_created ON idempotency (created_at_unix_ms)",
)


def apply(tx: "Writer") -> None:
    for statement in _SCHEMA:
        tx.run(statement)
