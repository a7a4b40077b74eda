"""What `mimir doctor` finds around a store, and `mimir doctor --repair`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mimir_py.cli.session import guarded, settings_for, store_path, with_app
from mimir_py.errors import BrokenCopy, ForeignStore, StorageError
from mimir_py.values import system_clock


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `level` is ok, note or fault; `mend` says what to do about a fault."""

    name: str
    level: str
    detail: str
    mend: str = ""


def around(path: Path) -> Iterator[Finding]:
    """Who has the store open, and what there is to go back to."""
    from mimir_py.storage.backup import backup_folder, backups
    from mimir_py.storage.presence import attached_processes

    others = attached_processes(path)
    detail = "processes " + ", ".join(map(str, others)) if others else "nobody"
    yield Finding("open in", "ok", detail)
    found = backups(path, backup_folder(path))
    if found:
        yield Finding("backups", "ok", f"{len(found)}, the latest is {found[0]}")
    else:
        yield Finding("backups", "note", "there are none", "mimir backup")


def content(path: Path, db: str | None) -> Iterator[Finding]:
    """The first fault in the file that `repaired` would mend."""
    from mimir_py.storage.engine import load_engine

    if not path.exists() or not path.stat().st_size:
        return
    try:
        fault = _fault_of(path, load_engine(settings_for(db).sqlite_driver))
    except StorageError:
        # No store of ours: what opens it says so.
        return
    if fault is None:
        yield Finding("file", "ok", "its structure and its memories' texts are sound")
    else:
        yield Finding("file", "fault", fault, "mimir doctor --repair, or restore a backup")


def repaired(db: str | None) -> Iterator[Finding]:
    """Mend the store: save what can be read if it is damaged, then derive its indexes anew."""
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.salvage import salvage

    settings, path = settings_for(db), store_path(db)
    engine = load_engine(settings.sqlite_driver)
    try:
        fault = _fault_of(path, engine) if path.exists() else None
    except ForeignStore as error:
        yield Finding("repair", "fault", str(error), "mimir backup --list, then mimir restore FILE")
        return
    if fault is None:
        yield Finding("repair", "ok", "the file is sound")
    else:
        done = guarded(
            lambda: salvage(path, engine, settings.busy_timeout_ms, system_clock(), _check)
        )
        detail = f"{fault}. {done.rows} rows were saved; the damaged file is kept: {done.kept}"
        yield Finding("repair", "note", detail)
        if done.quarantined:
            yield Finding(
                "quarantine",
                "note",
                f"{done.quarantined} rows could not be kept: {done.quarantine}",
                "a backup may have them: mimir backup --list",
            )
    count = with_app(db, lambda app: app.upkeep.reindex(_silent))
    yield Finding("indexes", "ok", f"derived anew from {count} memories")


def _fault_of(path: Path, engine: Any) -> str | None:
    from mimir_py.storage.salvage import first_fault
    from mimir_py.storage.verify import verify

    try:
        verify(path, engine)
    except BrokenCopy as error:
        return str(error)
    return first_fault(path, engine, _check)


async def _silent(done: int, total: int | None, message: str) -> None:
    pass


def _check(table: str, row: Mapping[str, Any]) -> str | None:
    """Why a row is not what was stored. A sealed one is vouched for by its seal."""
    from mimir_py.entities.similarity import differs_from_hash

    if table != "entities" or row["sealed"] is not None:
        return None
    return differs_from_hash(row["body_json"], row["text_hash"])
