"""Which SQLite serves the store, and what it can be trusted with.

SQLite before 3.51.3 (except 3.50.7+ and 3.44.6+) can corrupt a WAL file that several processes
write and checkpoint at once. Mimir holds its lock file round every commit and checkpoint and never
lets SQLite checkpoint on its own, which keeps such an engine safe; `Engine.wal_safe` says whether
that guard is what protects the file.
"""

import importlib
import importlib.util
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from mimir_py.errors import EngineError

OLDEST_USABLE: Final = (3, 37, 0)  # STRICT tables


@dataclass(frozen=True)
class Engine:
    """A DB-API module and the facts about the SQLite inside it."""

    dbapi: Any
    name: str
    version: tuple[int, ...]
    extensions: bool

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def wal_safe(self) -> bool:
        """Whether shared WAL files are safe without our lock."""
        return is_wal_safe(self.version)


def is_wal_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the fix of the WAL-reset defect."""
    if version >= (3, 51, 3):
        return True
    return (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def load_engine(preference: str) -> Engine:
    """The DB-API to use: `auto`, `bundled` or `system`.

    Raises:
        EngineError: it is not installed, too old, or has no FTS5.
    """
    module = _bundled() if preference != "system" else None
    if module is None:
        if preference == "bundled":
            raise EngineError("the bundled SQLite (pysqlite3) has no wheel on this platform")
        module = importlib.import_module("sqlite3")
    version = tuple(module.sqlite_version_info)
    name = "bundled" if module.__name__.startswith("pysqlite3") else "system"
    if version < OLDEST_USABLE:
        raise EngineError(
            f"SQLite {module.sqlite_version} is too old: Mimir needs 3.37. "
            "Install pysqlite3 or a newer Python."
        )
    # The class is asked, not a connection: aiosqlite's proxy answers yes to anything.
    extensions = hasattr(module.Connection, "enable_load_extension") and _has_vec()
    engine = Engine(module, name, version, extensions)
    _require_fts5(engine)
    return engine


def _bundled() -> ModuleType | None:
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return None


def _has_vec() -> bool:
    return importlib.util.find_spec("sqlite_vec") is not None


def _require_fts5(engine: Engine) -> None:
    probe = engine.dbapi.connect(":memory:")
    try:
        probe.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    except engine.dbapi.OperationalError as error:
        raise EngineError(
            "this Python's SQLite was built without FTS5: install pysqlite3"
        ) from error
    finally:
        probe.close()
