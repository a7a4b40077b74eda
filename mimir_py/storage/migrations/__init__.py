"""Numbered changes of the schema, each one transaction together with its record.

A migration is never edited once released; the next number corrects it. The caller holds the write
lock, so of many processes that open an old store one migrates and the rest find it done.
"""

from typing import TYPE_CHECKING, Any, Final, Protocol

from mimir_py.errors import ForeignStore
from mimir_py.storage.files import APPLICATION_ID, IDS, SEALED_ID
from mimir_py.storage.migrations import (
    m0001_memories,
    m0002_graph,
    m0003_journal,
    m0004_retries,
    m0005_state,
    m0006_documents,
)
from mimir_py.storage.sealing import HEADER
from mimir_py.storage.tables import Table
from mimir_py.values import system_clock

if TYPE_CHECKING:
    from mimir_py.storage.database import Writer


class Migration(Protocol):
    """A module of this folder."""

    VERSION: int
    NAME: str
    TABLES: tuple[Table, ...]

    def apply(self, tx: "Writer") -> None: ...


MIGRATIONS: Final[tuple[Any, ...]] = (
    m0001_memories,
    m0002_graph,
    m0003_journal,
    m0004_retries,
    m0005_state,
    m0006_documents,
)
LATEST: Final[int] = MIGRATIONS[-1].VERSION
TABLES: Final = {table.name: table for step in MIGRATIONS for table in step.TABLES}

_ANY_TABLE: Final = "SELECT name FROM sqlite_schema LIMIT 1"
_ANY_MEMORY: Final = "SELECT row_id FROM main.entities LIMIT 1"
_RECORD: Final = """
    INSERT INTO migrations (version, name, applied_at_unix_ms)
    VALUES (:version, :name, :applied_at_unix_ms)
"""


def migrate(tx: "Writer", upto: int | None = None, *, header: str | None = None) -> bool:
    """Bring an open store to schema `upto`, else to the latest; whether there was anything to do.

    `header` is kept in a new store that is sealed.

    Raises:
        ForeignStore: another program's tables came out of the file's log.
    """
    if tx.value("PRAGMA application_id") not in IDS and tx.value(_ANY_TABLE) is not None:
        raise ForeignStore("a database of another program; it was left untouched")
    last = upto or LATEST
    steps = [step for step in MIGRATIONS if current_version(tx) < step.VERSION <= last]
    for step in steps:
        _apply(step, tx, header if step is MIGRATIONS[0] else None)
    return bool(steps)


def would_change_memories(tx: "Writer") -> bool:
    """Whether `migrate` would work on a store that has memories in it."""
    return 0 < current_version(tx) < LATEST and tx.value(_ANY_MEMORY) is not None


def current_version(tx: "Writer") -> int:
    version: int = tx.value("PRAGMA user_version")
    return version


def _apply(migration: Any, tx: "Writer", header: str | None) -> None:
    tx.run("BEGIN IMMEDIATE")
    try:
        migration.apply(tx)
        if header is not None:
            tx.insert_row("meta", {"name": HEADER, "value": header})
        tx.run(
            _RECORD,
            {
                "version": migration.VERSION,
                "name": migration.NAME,
                "applied_at_unix_ms": system_clock(),
            },
        )
        # PRAGMA takes no parameters; both numbers are our own constants.
        tx.run(f"PRAGMA application_id={SEALED_ID if tx.is_sealed else APPLICATION_ID}")
        tx.run(f"PRAGMA user_version={migration.VERSION}")
        tx.run("COMMIT")
    except BaseException:
        tx.run("ROLLBACK")
        raise
