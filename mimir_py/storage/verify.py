"""Whether a file is a whole and sound Mimir store, found out without changing a byte of it.

Works without the key of a sealed store: it looks at structure, references and counts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from mimir_py.errors import BrokenCopy, ForeignStore, StorageError
from mimir_py.storage import migrations
from mimir_py.storage.connection import log_of
from mimir_py.storage.engine import Engine
from mimir_py.storage.files import IDS, is_whole, refuse_foreign
from mimir_py.storage.rows import Reader
from mimir_py.storage.sealing import Seals, Unlock, read_header

T = TypeVar("T")

_INTEGRITY: Final = "PRAGMA integrity_check(1)"
_REFERENCES: Final = "PRAGMA foreign_key_check"
_TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table'"
# Of a group, SQLite takes the other columns from the row that has the maximum. Row 0 is nobody's:
# such an entry speaks of all.
_LOST: Final = """
    SELECT count(*) FROM (
        SELECT entity_row_id, kind, max(seq) FROM changes
        WHERE entity_row_id > 0 GROUP BY entity_row_id
    ) WHERE kind <> 'delete' AND entity_row_id NOT IN (SELECT row_id FROM entities)
"""
_COUNTS: Final = """
    SELECT (SELECT count(*) FROM entities), (SELECT count(*) FROM entity_history),
        (SELECT coalesce(max(seq), 0) FROM changes)
"""
_STRAY_WORDS: Final = """
    SELECT EXISTS (SELECT row_id FROM entity_text EXCEPT SELECT id FROM entities_fts_docsize)
        OR EXISTS (SELECT id FROM entities_fts_docsize EXCEPT SELECT row_id FROM entity_text)
"""


@dataclass(frozen=True)
class Verified:
    """A sound store. `last_change` is the number of the newest entry of its change feed."""

    path: Path
    schema: int
    memories: int
    versions: int
    last_change: int
    bytes: int
    index_in_step: bool


def verify(path: Path, engine: Engine) -> Verified:
    """Read the whole file and say what is in it.

    Raises:
        BrokenCopy: it is cut off, damaged, or not all of what its change feed tells is there.
        ForeignStore, StoreTooNew: it is not a store, or one of a newer program.
        StorageError: it cannot be read.
    """
    if not path.is_file():
        raise StorageError(f"there is no file {path}")
    refuse_foreign(path, migrations.LATEST)
    if not path.stat().st_size:
        raise BrokenCopy(f"{path} is empty")
    if not is_whole(path):
        raise BrokenCopy(f"{path} is cut off: it is not as long as its header says")
    try:
        with reading(path, engine) as connection:
            return _examined(path, connection)
    except engine.dbapi.Error as error:
        raise BrokenCopy(f"{path} is damaged: {error}") from error


@contextmanager
def reading(path: Path, engine: Engine) -> Iterator[Any]:
    """A connection to a file that cannot change it; its log is read if there is one."""
    fixed = "" if log_of(path).exists() else "&immutable=1"
    uri = f"{path.absolute().as_uri()}?mode=ro{fixed}"
    connection = engine.dbapi.connect(uri, uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def readable(
    path: Path, engine: Engine, unlock: Unlock | None
) -> Iterator[Callable[[Callable[[Reader], T]], T]]:
    """What runs functions on the rows of a file that nothing changes; `unlock` is for a sealed one.

    Raises:
        KeyRefused: the key does not open it.
        BrokenSeal, BrokenCopy: from what is run.
    """
    with reading(path, engine) as connection:
        seals: Seals | None = None

        def run(work: Callable[[Reader], T]) -> T:
            try:
                return work(Reader(connection, seals))
            except engine.dbapi.Error as error:
                broken = None if seals is None else seals.take_fault()
                raise broken or BrokenCopy(f"{path} is damaged: {error}") from error

        connection.row_factory = engine.dbapi.Row
        if unlock is not None:
            cipher, _ = unlock(read_header(connection))
            seals = Seals(cipher, migrations.TABLES)
            seals.install(connection)
        connection.execute("BEGIN")
        yield run


def _examined(path: Path, connection: Any) -> Verified:
    def row(statement: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = connection.execute(statement).fetchone()
        return found

    if row("PRAGMA application_id")[0] not in IDS:
        raise ForeignStore(f"{path} has no tables of Mimir's")
    [verdict] = row(_INTEGRITY)
    if verdict != "ok":
        raise BrokenCopy(f"{path} is damaged: {verdict}")
    if connection.execute(_REFERENCES).fetchone() is not None:
        raise BrokenCopy(f"{path} is damaged: a row refers to one that is not there")
    [lost] = row(_LOST)
    if lost:
        raise BrokenCopy(f"{path} lacks {lost} memories that its change feed tells of")
    memories, versions, last_change = row(_COUNTS)
    tables = {name for (name,) in connection.execute(_TABLES)}
    return Verified(
        path=path,
        schema=row("PRAGMA user_version")[0],
        memories=memories,
        versions=versions,
        last_change=last_change,
        bytes=path.stat().st_size,
        index_in_step="entities_fts_docsize" not in tables or not row(_STRAY_WORDS)[0],
    )
