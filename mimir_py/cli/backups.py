"""`mimir backup`, `mimir restore` and `mimir verify`."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any

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
    """Copy the store to a file, verified before it counts. Servers may go on writing."""
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
        print_json({**_facts(restored.verified), "kept": kept})
        return
    print(f"Restored {store}: {restored.verified.memories} memories")
    if kept is not None:
        print(f"What was there before is kept: {kept}")


def verify(
    file: Annotated[str | None, typer.Argument(help="A backup; without it, the store.")] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Read a backup or a store from end to end and say whether it is sound. Changes nothing."""
    path = store_path(db) if file is None else Path(file).expanduser()
    found = guarded(lambda: _verified(path, db))
    if as_json:
        print_json(_facts(found))
        return
    print(f"{path} is sound: {_summary(found)}")
    if not found.index_in_step:
        print("Its search index is behind the memories: mimir reindex")


def _names_a_folder(path: str | None) -> bool:
    """Whether a path that does not exist yet is written as a folder's."""
    return path is not None and path.endswith(("/", "\\"))


def _back_up(store: Path, target: Path, db: str | None) -> Any:
    from mimir_py.storage.backup import back_up
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.files import is_store
    from mimir_py.storage.lock import lock_file

    if target.exists() and (
        not is_store(target) or target.samefile(store) or lock_file(target).exists()
    ):
        raise fail(f"{target} is there and no backup: it was left untouched", 2)
    settings = settings_for(db)
    return guarded(
        lambda: back_up(
            store, target, load_engine(settings.sqlite_driver), settings.busy_timeout_ms
        )
    )


def _verified(path: Path, db: str | None) -> Any:
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.verify import verify as examine

    return examine(path, load_engine(settings_for(db).sqlite_driver))


def _list(store: Path, folder: Path, db: str | None, *, as_json: bool) -> None:
    from mimir_py.errors import StorageError
    from mimir_py.storage.backup import backups

    sound, broken = [], []
    for file in backups(store, folder):
        try:
            sound.append(_verified(file, db))
        except StorageError as error:
            broken.append(str(error))
    if as_json:
        print_json([_facts(found) for found in sound])
    else:
        for found in sound:
            print(f"{found.path}  {_summary(found)}")
        if not sound:
            print(f"There are no backups in {folder}")
    for problem in broken:
        print(f"mimir: not listed: {problem}", file=sys.stderr)


def _say(made: Any, dropped: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json({**_facts(made), "deleted": [str(file) for file in dropped]})
        return
    print(f"Backed up to {made.path}: {_summary(made)}")
    for file in dropped:
        print(f"  deleted {file}")


def _facts(found: Any) -> dict[str, Any]:
    return {**vars(found), "path": str(found.path)}


def _summary(found: Any) -> str:
    return f"{found.memories} memories, {found.versions} versions, {found.bytes:,} bytes"
