"""`mimir export` and `mimir import`: JSON Lines files of whole memories."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mimir_py.cli import importing
from mimir_py.cli.progress import progress_bar
from mimir_py.cli.session import (
    Db,
    Json,
    WorkspaceHash,
    fail,
    guarded,
    print_json,
    secret_from,
    secret_of_store,
    with_app,
)
from mimir_py.cli.streams import STREAM, reading, writing

_CONFLICTS_NAMED = 10

Replace = Annotated[
    bool, typer.Option("--replace", help="Let the file's memories win over stored ones.")
]
Trusted = Annotated[
    bool,
    typer.Option(
        "--trusted", help="The file is your own: trust it like what your agents remember."
    ),
]
NoEmbed = Annotated[
    bool, typer.Option("--no-embed", help="Leave embedding to the next server's idle time.")
]


Program = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="NAME",
        help="The program it comes from: mcp-memory, mem0, basic-memory, mcp-memory-service, "
        "claude, codex, jsonl, csv, rmem, mnemo. PATH is its file or folder.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="With --from: only say what would be.")]
SealKey = Annotated[
    str | None,
    typer.Option("--seal-encryption-key", metavar="FILE", help="Key file that the file is for."),
]
SealPassphrase = Annotated[
    str | None,
    typer.Option("--seal-passphrase-file", metavar="FILE", help="Or the file of a passphrase."),
]
SealKeychain = Annotated[
    str | None,
    typer.Option("--seal-keychain", metavar="ENTRY", help="Or an entry of the keychain."),
]
Undo = Annotated[
    bool, typer.Option("--undo", help="With --from: forget what was taken from PATH, or all.")
]


def add_commands(app: typer.Typer) -> None:
    app.command("export")(export_file)
    app.command("import")(import_file)


def export_file(
    path: Annotated[str, typer.Argument(help="File to write; - is standard output.")],
    db: Db = None,
    seal: Annotated[
        bool, typer.Option("--seal", help="Seal the file, by itself for the store's own key.")
    ] = False,
    seal_key: SealKey = None,
    seal_passphrase: SealPassphrase = None,
    seal_keychain: SealKeychain = None,
) -> None:
    """Write every memory, with its history and links, to a JSON Lines file.

    With a key it is sealed: nobody without that key reads it. What is damaged is named and left
    out; then the command exits with 1.
    """
    secret = secret_from(seal_key, seal_passphrase, seal_keychain, create=True)
    if seal and secret is None:
        secret = guarded(lambda: secret_of_store(db))
        if secret is None:
            raise fail("--seal: the store has no key; name one, e.g. --seal-encryption-key FILE", 2)

    async def work(app: Any) -> tuple[int, dict[str, str]]:
        total, outgoing = await app.vault.count(), app.vault.outgoing()
        with writing(path, secret) as write, progress_bar("exporting") as advance:
            written = -1
            async for line in app.vault.export(outgoing):
                write(line + "\n")
                written += 1
                if written % 500 == 0:
                    advance(written, total, "")
            return written, outgoing.damaged

    count, damaged = with_app(db, work)
    print(f"Exported {count} memories", file=sys.stderr if path == STREAM else sys.stdout)
    for id, why in damaged.items():
        print(f"mimir: not exported: {id}: {why}", file=sys.stderr)
    if damaged:
        raise typer.Exit(1)


def import_file(
    path: Annotated[str | None, typer.Argument(help="File to read; - is standard input.")] = None,
    db: Db = None,
    replace: Replace = False,
    no_embed: NoEmbed = False,
    trusted: Trusted = False,
    as_json: Json = False,
    seal_key: SealKey = None,
    seal_passphrase: SealPassphrase = None,
    seal_keychain: SealKeychain = None,
    program: Program = None,
    workspace: WorkspaceHash = None,
    dry_run: DryRun = False,
    undo: Undo = False,
) -> None:
    """Store the memories of a JSON Lines file, or with --from those of another program.

    Doing it twice changes nothing. A sealed file opens with its key, by itself the store's; one
    that was cut off or changed is refused, and nothing of it stored.
    """
    secret = secret_from(seal_key, seal_passphrase, seal_keychain)
    if program is not None:
        importing.take(path, db, program, workspace, dry_run, undo, no_embed, as_json)
        return
    if path is None:
        raise fail("name the file to import", 2)
    if dry_run or undo or workspace is not None:
        raise fail("--dry-run, --undo and --workspace-hash need --from", 2)
    if path != STREAM and not Path(path).is_file():
        raise fail(f"there is no file {path}")

    from mimir_py.security import Trust

    trust = Trust.AGENT if trusted else Trust.IMPORT

    async def work(app: Any) -> tuple[Any, int]:
        with (
            reading(path, secret, lambda: secret_of_store(db)) as file,
            progress_bar("importing") as advance,
        ):

            async def report(done: int) -> None:
                advance(done, None, "")

            imported = await app.vault.import_lines(
                file, replace=replace, report=report, trust=trust
            )
        embedded = 0 if no_embed else await importing.embed(app)
        return imported, embedded

    imported, embedded = with_app(db, work, bulk=True)
    _say(imported, embedded, as_json=as_json)


def _say(imported: Any, embedded: int, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "created": imported.created,
                "replaced": imported.replaced,
                "unchanged": imported.unchanged,
                "conflicts": imported.conflicts,
                "embedded_chunks": embedded,
                **({"secrets": dict(imported.secrets)} if imported.secrets else {}),
            }
        )
        return
    print(
        f"Imported {imported.created} new memories; {imported.replaced} replaced, "
        f"{imported.unchanged} unchanged, {len(imported.conflicts)} kept as they are stored"
    )
    if imported.secrets:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(imported.secrets.items()))
        print(f"The file holds secrets, stored as they are: {kinds}")
    for name in imported.conflicts[:_CONFLICTS_NAMED]:
        print(f"  kept: {name}")
    if len(imported.conflicts) > _CONFLICTS_NAMED:
        print(
            f"  and {len(imported.conflicts) - _CONFLICTS_NAMED} more (--json lists all; "
            "--replace lets the file win)"
        )
