"""`mimir keygen`, `seal`, `unseal`, `rotate` and `rekey`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mimir_py.cli.progress import Advance, progress_bar
from mimir_py.cli.session import Db, Json, fail, guarded, print_json, settings_for, store_path
from mimir_py.config import Settings

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
    _reseal(db, None, _secret(settings_for(db), create=True), as_json, seal_names=seal_names)


def unseal(db: Db = None, as_json: Json = False) -> None:
    """Make a sealed store a plain one. No other process may have it open."""
    _reseal(db, _secret(settings_for(db)), None, as_json)


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
    secret = _secret(settings_for(db))
    _reseal(db, secret, secret, as_json, seal_names=seal_names)


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


def _reseal(db: str | None, old: Any, new: Any, as_json: bool, *, seal_names: bool = False) -> None:
    from mimir_py.app import remake
    from mimir_py.security.unlocking import unlocking
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.files import refuse_foreign
    from mimir_py.storage.migrations import LATEST
    from mimir_py.storage.reseal import reseal

    settings, path = settings_for(db), store_path(db)
    engine = load_engine(settings.sqlite_driver)
    if not path.exists():
        raise fail(f"{path} does not exist")

    def run(advance: Advance) -> Any:
        refuse_foreign(path, LATEST, has_key=old is not None)
        return reseal(
            path,
            engine,
            settings.busy_timeout_ms,
            unlocking(old, seal_names=False),
            unlocking(new, seal_names=seal_names),
            finish=lambda tx: remake(tx, engine),
            report=lambda done, total: advance(done, total, ""),
        )

    with progress_bar("copying rows") as advance:
        done = guarded(lambda: run(advance))
    if as_json:
        print_json({"path": str(path), "sealed": new is not None, "memories": done.memories})
    else:
        print(f"{path}: {done.memories} memories {'sealed' if new else 'no longer sealed'}.")
