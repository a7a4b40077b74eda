"""`mimir keygen`, `seal`, `unseal`, `rotate` and `rekey`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from mimir_py.cli.progress import Advance, progress_bar
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
from mimir_py.config import Settings
from mimir_py.errors import StorageError

NewKey = Annotated[
    str | None, typer.Option("--new-encryption-key", help="Key file to use from now on.")
]
NewPassphrase = Annotated[
    str | None, typer.Option("--new-passphrase-file", help="File with the passphrase to use.")
]
NewKeychain = Annotated[
    str | None, typer.Option("--new-keychain", help="Entry of the keychain to use; made if new.")
]


def add_commands(app: typer.Typer) -> None:
    for command in (keygen, seal, unseal, rotate, rekey):
        app.command(command.__name__)(command)


def keygen(
    key_file: Annotated[
        str, typer.Option("--key-file", help="File to write; never overwritten.")
    ] = "~/.mimir/secret.key",
) -> None:
    """Make a key file for a sealed store."""
    from mimir_py.security.keys import make_key_file

    path = Path(key_file).expanduser()
    guarded(lambda: make_key_file(path))
    print(f"Wrote a new key to {path}.")
    print("Keep a copy elsewhere: without it, what is sealed with it cannot be read by anyone.")


def seal(
    seal_names: Annotated[
        bool, typer.Option("--seal-names", help="Seal categories and keys too.")
    ] = False,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Seal a plain store with the key that --encryption-key, --passphrase-file or --keychain names.

    No other process may have the store open. Older plain backups stay as they are.
    """
    from mimir_py.storage.files import is_sealed
    from mimir_py.storage.reseal import clear_up

    settings, path = settings_for(db), store_path(db)
    if is_sealed(path):
        if guarded(lambda: clear_up(path, settings.busy_timeout_ms)):
            if as_json:
                print_json({"path": str(path), "sealed": True, "wiped": True})
            else:
                print(f"{path}: what an interrupted command left of the old file was wiped.")
            return
        raise fail(f"{path} is sealed already; nothing was changed. For another key: mimir rotate")
    new = _secret(settings, create=True)
    _reseal(
        db, _Sealing(_without_key(settings), None), _Sealing(settings, new), as_json, seal_names
    )


def unseal(db: Db = None, as_json: Json = False) -> None:
    """Make a sealed store a plain one. No other process may have it open."""
    settings = settings_for(db)
    old = _Sealing(settings, _secret(settings))
    _reseal(db, old, _Sealing(_without_key(settings), None), as_json)


def rekey(
    seal_names: Annotated[
        bool, typer.Option("--seal-names", help="Seal categories and keys too.")
    ] = False,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Seal every row anew under a new master key, which the same secret unlocks.

    For when the old master key may have been seen. Other secrets no longer unlock the store.
    """
    settings = settings_for(db)
    both = _Sealing(settings, _secret(settings))
    _reseal(db, both, both, as_json, seal_names)


def rotate(
    new_key: NewKey = None,
    new_passphrase: NewPassphrase = None,
    new_keychain: NewKeychain = None,
    keep: Annotated[
        bool, typer.Option("--keep-old", help="Let the old secret unlock the store as well.")
    ] = False,
    db: Db = None,
) -> None:
    """Unlock a sealed store with another secret from now on. Rows stay as they are."""
    from mimir_py.security.keys import with_secret
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.reseal import rewrap

    settings = settings_for(db)
    wanted = replace(
        settings,
        encryption_key=None if new_key is None else Path(new_key),
        passphrase_file=None if new_passphrase is None else Path(new_passphrase),
        keychain=new_keychain,
    )
    if not wanted.has_key:
        raise fail("rotate: name the new secret, e.g. --new-encryption-key FILE", 2)
    old, new, path = _secret(settings), _secret(wanted, create=True), store_path(db)
    guarded(
        lambda: rewrap(
            path,
            load_engine(settings.sqlite_driver),
            settings.busy_timeout_ms,
            lambda header: with_secret(header, old, new, keep_old=keep),
        )
    )
    also = ", and the old one too" if keep else ""
    print(f"{path} opens with the new secret{also}.")


def _secret(settings: Settings, *, create: bool = False) -> Any:
    from mimir_py.security.unlocking import secret_of

    secret = guarded(lambda: secret_of(settings, create=create))
    if secret is None:
        raise fail(
            "name the key: --encryption-key FILE, --passphrase-file FILE or --keychain ENTRY", 2
        )
    return secret


class _Sealing(NamedTuple):
    """How a store is opened: with the settings' key, or as a plain one."""

    settings: Settings
    secret: Any


def _without_key(settings: Settings) -> Settings:
    return replace(settings, encryption_key=None, passphrase_file=None, keychain=None)


def _reseal(
    db: str | None, old: _Sealing, new: _Sealing, as_json: bool, seal_names: bool = False
) -> None:
    from mimir_py.app import remake
    from mimir_py.security.unlocking import unlocking
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.reseal import reseal

    path, settings = store_path(db), old.settings
    engine = load_engine(settings.sqlite_driver)
    if not path.exists():
        raise fail(f"{path} does not exist")
    # A chain is made anew under the other key: a broken one would come out whole.
    with_app(db, _refuse_broken_journal, settings=settings)

    def run(advance: Advance) -> Any:
        return reseal(
            path,
            engine,
            settings.busy_timeout_ms,
            unlocking(old.secret, seal_names=False),
            unlocking(new.secret, seal_names=seal_names),
            finish=lambda tx: remake(tx, engine),
            report=lambda done, total: advance(done, total, ""),
        )

    with progress_bar("copying rows") as advance:
        done = guarded(lambda: run(advance))
    with_app(db, _accept_journal, settings=new.settings)
    is_sealed = new.secret is not None
    if as_json:
        print_json({"path": str(path), "sealed": is_sealed, "memories": done.memories})
    else:
        print(f"{path}: {done.memories} memories {'sealed' if is_sealed else 'no longer sealed'}.")


async def _refuse_broken_journal(app: Any) -> None:
    verdict = await app.journal.verify()
    if verdict.fault is not None:
        raise StorageError(
            f"the journal is not as it was written (entry {verdict.fault.seq}: "
            f"{verdict.fault.problem}); nothing was changed. See: mimir journal verify"
        )


async def _accept_journal(app: Any) -> None:
    if (await app.journal.verify()).head.seq:
        await app.journal.accept("the store was copied under another key")
