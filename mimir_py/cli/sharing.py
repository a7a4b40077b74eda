"""`mimir share` and `mimir federate`: copies in other workspaces and stores."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mimir_py.cli.session import (
    Db,
    WorkspaceHash,
    fail,
    print_json,
    secret_from,
    with_app,
)

ToWorkspace = Annotated[
    str, typer.Option("--to-workspace", help='Where the copy goes; "" is the global workspace.')
]
To = Annotated[
    str | None, typer.Option("--to", metavar="FILE", help="Another store, for the copy to go into.")
]
ToKey = Annotated[
    str | None,
    typer.Option("--to-encryption-key", metavar="FILE", help="Its key file, if it is sealed."),
]
ToPassphrase = Annotated[
    str | None,
    typer.Option("--to-passphrase-file", metavar="FILE", help="Or the file of its passphrase."),
]
ToKeychain = Annotated[
    str | None,
    typer.Option("--to-keychain", metavar="ENTRY", help="Or its entry of the keychain."),
]
Create = Annotated[
    bool,
    typer.Option("--create", help="Make the other store if it is missing; sealed if with a key."),
]
Plain = Annotated[
    bool,
    typer.Option("--plain", help="This store is sealed and the other is not: copy all the same."),
]


def add_commands(app: typer.Typer) -> None:
    app.command("share")(share)
    app.command("federate")(federate)


def share(
    category: Annotated[str, typer.Argument(help="Its category.")],
    key: Annotated[str, typer.Argument(help="Its key.")],
    to_workspace: ToWorkspace,
    db: Db = None,
    workspace_hash: WorkspaceHash = None,
    to: To = None,
    to_key: ToKey = None,
    to_passphrase: ToPassphrase = None,
    to_keychain: ToKeychain = None,
    create: Create = False,
    plain: Plain = False,
) -> None:
    """Copy a memory, with its history and links, into another workspace or store.

    Doing it again changes nothing.
    """
    other = _other(to, to_key, to_passphrase, to_keychain, create, plain)
    seen = None if workspace_hash is None else [workspace_hash]

    async def work(app: Any) -> Any:
        return await app.sharing.share(category, key, to_workspace, seen, other)

    done = with_app(db, work)
    print_json(
        {
            "shared_id": done.id,
            "action": done.action,
            "from_workspace": done.from_workspace,
            "to_workspace": to_workspace,
        }
    )


def federate(
    from_workspace: Annotated[str, typer.Option(help='Whose memories; "" is the global one.')],
    to_workspace: ToWorkspace,
    db: Db = None,
    to: To = None,
    to_key: ToKey = None,
    to_passphrase: ToPassphrase = None,
    to_keychain: ToKeychain = None,
    create: Create = False,
    plain: Plain = False,
) -> None:
    """Copy all live memories of a workspace into another workspace or store.

    Doing it again brings what is new. Exits with 1 if anything could not be copied.
    """
    other = _other(to, to_key, to_passphrase, to_keychain, create, plain)

    async def work(app: Any) -> Any:
        return await app.sharing.federate(from_workspace, to_workspace, other)

    done = with_app(db, work)
    print_json(
        {
            "exported": done.found,
            "remapped": done.found,
            "imported": done.stored,
            "import_errors": done.errors,
        }
    )
    if done.errors:
        raise typer.Exit(1)


def _other(
    path: str | None,
    key: str | None,
    passphrase: str | None,
    keychain: str | None,
    create: bool,
    plain: bool,
) -> Any:
    from mimir_py.importers import OtherStore

    if path is None:
        if key or passphrase or keychain or create or plain:
            raise fail("the options of another store need --to FILE", 2)
        return None
    secret = secret_from(key, passphrase, keychain, create=create)
    return OtherStore(Path(path).expanduser(), secret, create, plain)
