"""`mimir backup`, `mimir restore` and `mimir verify`."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from mimir_py.cli.session import (
    Db,
    Json,
    fail,
    guarded,
    print_json,
    settings_for,
    store_path,
    with_app,
)
from mimir_py.values import system_clock


def add_commands(app: typer.Typer) -> None:
    for command in (backup, restore, verify):
        app.command(command.__name__)(command)


def backup(
    path: Annotated[
        str | None,
        typer.Argument(help="File to write, or folder; without it, backups/ beside the store."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="Backups to keep in the folder.  [10]")
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Only list the sound backups of the folder.")
    ] = False,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Copy the store to a file, verified before it counts. Servers may go on writing.

    A journal that is not as it was written is copied too and named; the command exits with 1.
    """
    from mimir_py.storage import backup as backups

    store = store_path(db)
    given = None if path is None else Path(path).expanduser()
    folder = given or backups.backup_folder(store)
    if listing:
        _list(store, folder, db, as_json=as_json)
        return
    if given is not None and not given.is_dir() and not _names_a_folder(path):
        if keep is not None:
            raise fail("--keep: needs a folder to keep them in, not a file", 2)
        _say(_back_up(store, given, db), [], as_json=as_json)
        return
    made = _back_up(store, backups.dated(store, folder, system_clock()), db)
    dropped = guarded(lambda: backups.prune(store, folder, keep or backups.KEPT))
    _say(made, dropped, as_json=as_json)


def restore(
    file: Annotated[str, typer.Argument(help="Backup to restore.")],
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Put a backup in the store's place. The store that was there is kept beside it."""
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.restore import restore as put_back

    settings, store = settings_for(db), store_path(db)
    guarded(lambda: _refuse_wrong_key(Path(file).expanduser(), db))
    restored = guarded(
        lambda: put_back(
            Path(file).expanduser(),
            store,
            load_engine(settings.sqlite_driver),
            settings.busy_timeout_ms,
            system_clock(),
        )
    )
    # Else the journal's head, which knows of more, would take the restored store for a forgery.
    with contextlib.suppress(typer.Exit):  # has no key: said on stderr; the store is restored
        with_app(db, lambda app: app.journal.accept(f"restored from {Path(file).name}"))
    kept = None if restored.kept is None else str(restored.kept)
    if as_json:
        print_json({**_file_facts(restored.verified), "kept": kept})
        return
    print(f"Restored {store}: {restored.verified.memories} memories")
    if kept is not None:
        print(f"What was there before is kept: {kept}")


def verify(
    file: Annotated[str | None, typer.Argument(help="A backup; without it, the store.")] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Read a backup or a store from end to end, journal included, and say whether it is sound.

    Changes nothing. The journal of a sealed one needs its key.
    """
    path = store_path(db) if file is None else Path(file).expanduser()
    found = guarded(lambda: _examined(path, db, is_own=file is None))
    if as_json:
        print_json(_facts(found))
    else:
        is_sound = "is sound" if found.journal_fault is None else "has sound memories"
        print(f"{path} {is_sound}: {_summary(found)}")
        if not found.file.index_in_step:
            print("Its search index is behind the memories: mimir reindex")
    _end(found)


def _names_a_folder(path: str | None) -> bool:
    """Whether a path that does not exist yet is written as a folder's."""
    return path is not None and path.endswith(("/", "\\"))


class _Found(NamedTuple):
    """What is in a file, and whether its journal is as it was written (`None`: it was not seen)."""

    file: Any
    journal: Any

    @property
    def journal_fault(self) -> Any:
        return None if self.journal is None else self.journal.fault


def _back_up(store: Path, target: Path, db: str | None) -> _Found:
    from mimir_py.storage.backup import back_up
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.files import is_store
    from mimir_py.storage.lock import lock_file

    if target.exists() and (
        not is_store(target) or target.samefile(store) or lock_file(target).exists()
    ):
        raise fail(f"{target} is there and no backup: it was left untouched", 2)
    settings = settings_for(db)
    engine = load_engine(settings.sqlite_driver)

    def work() -> _Found:
        _refuse_wrong_key(store, db)
        made = back_up(store, target, engine, settings.busy_timeout_ms)
        return _Found(made, _journal_of(made.path, db, has_head=False))

    return guarded(work)


def _examined(path: Path, db: str | None, *, is_own: bool = False) -> _Found:
    """`is_own` says that it is a store in its place, with the head of its journal beside it."""
    from mimir_py.journal.head import HeadFile
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.verify import verify as examine

    found = examine(path, load_engine(settings_for(db).sqlite_driver))
    has_head = is_own or HeadFile(path).path.exists()
    return _Found(found, _journal_of(path, db, has_head=has_head))


def _journal_of(path: Path, db: str | None, *, has_head: bool) -> Any:
    from mimir_py.journal.following import verify_file
    from mimir_py.security.unlocking import secret_of, unlocking
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.files import is_sealed

    settings, unlock = settings_for(db), None
    if is_sealed(path):
        unlock = unlocking(secret_of(settings), seal_names=False)
        if unlock is None:
            return None
    return verify_file(path, load_engine(settings.sqlite_driver), unlock, has_head=has_head)


def _refuse_wrong_key(path: Path, db: str | None) -> None:
    """See that a key that was given opens a sealed file; without one it stays closed.

    Raises:
        KeyRefused: it does not.
    """
    from mimir_py.security.unlocking import secret_of, unlocking
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.files import is_sealed
    from mimir_py.storage.verify import readable

    settings = settings_for(db)
    if settings.has_key and is_sealed(path):
        unlock = unlocking(secret_of(settings), seal_names=False)
        with readable(path, load_engine(settings.sqlite_driver), unlock):
            pass


def _list(store: Path, folder: Path, db: str | None, *, as_json: bool) -> None:
    from mimir_py.errors import StorageError
    from mimir_py.storage.backup import backups

    guarded(lambda: _refuse_wrong_key(store, db))
    sound, broken = [], []
    for file in backups(store, folder):
        try:
            sound.append(_examined(file, db))
        except StorageError as error:
            broken.append(str(error))
    if as_json:
        print_json([_facts(found) for found in sound])
    else:
        for found in sound:
            print(f"{found.file.path}  {_summary(found)}")
        if not sound:
            print(f"There are no backups in {folder}")
    for problem in broken:
        print(f"mimir: not listed: {problem}", file=sys.stderr)


def _say(made: _Found, dropped: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json({**_facts(made), "deleted": [str(file) for file in dropped]})
    else:
        print(f"Backed up to {made.file.path}: {_summary(made)}")
        for file in dropped:
            print(f"  deleted {file}")
    _end(made)


def _end(found: _Found) -> None:
    """Name what is wrong with the journal, and exit so."""
    fault = found.journal_fault
    if fault is not None:
        raise fail(f"{found.file.path}: the journal is not as it was written: {_named(fault)}")


def _named(fault: Any) -> str:
    return f"entry {fault.seq}: {fault.problem}"


def _facts(found: _Found) -> dict[str, Any]:
    journal = None
    if found.journal is not None:
        fault = found.journal_fault
        entries, intact = found.journal.head.seq, found.journal.intact
        journal = {
            "intact": intact,
            "entries": entries,
            "fault": None if fault is None else vars(fault),
        }
    return {**_file_facts(found.file), "journal": journal}


def _file_facts(file: Any) -> dict[str, Any]:
    return {**vars(file), "path": str(file.path)}


def _summary(found: _Found) -> str:
    file = found.file
    counts = f"{file.memories} memories, {file.versions} versions, {file.bytes:,} bytes"
    if found.journal is None:
        return f"{counts}; its journal was not checked: that needs its key"
    if found.journal_fault is not None:
        return f"{counts}; its journal is not as it was written ({_named(found.journal_fault)})"
    return f"{counts}, {found.journal.head.seq} journal entries"
