"""`mimir vault-export` and `mimir vault-import`: memories as Markdown notes."""

from typing import Annotated, Any

import typer

from mimir_py.cli import importing
from mimir_py.cli.session import Db, WorkspaceHash, print_json, run_tool, with_app
from mimir_py.cli.transfer import NoEmbed, Trusted

VaultDir = Annotated[str, typer.Option("--vault-dir", help="Folder of the notes.", metavar="DIR")]
Plain = Annotated[
    bool, typer.Option("--plain", help="The store is sealed; write readable notes all the same.")
]

_USUAL_DIR = "~/.mimir/vault"


def add_commands(app: typer.Typer) -> None:
    app.command("vault-export")(vault_export)
    app.command("vault-import")(vault_import)


def vault_export(
    vault_dir: VaultDir = _USUAL_DIR,
    db: Db = None,
    workspace_hash: WorkspaceHash = None,
    plain: Plain = False,
) -> None:
    """Write every memory as a Markdown note; edited notes are left as they are."""
    every = "*" if workspace_hash is None else workspace_hash
    print_json(run_tool(db, "vault_export", vault_dir=vault_dir, workspace_hash=every, plain=plain))


def vault_import(
    vault_dir: VaultDir = _USUAL_DIR,
    db: Db = None,
    no_embed: NoEmbed = False,
    trusted: Trusted = False,
) -> None:
    """Take in the notes of a folder: new memories, and edits as new versions."""
    from mimir_py.security import Trust
    from mimir_py.vault.exchange import folder_of

    trust = Trust.AGENT if trusted else Trust.FILE

    async def work(app: Any) -> dict[str, Any]:
        done = await app.notes.take_in(folder_of(vault_dir), trust)
        embedded = 0 if no_embed else await importing.embed(app)
        return {
            "files_created": done.created,
            "files_updated": done.updated,
            "errors": done.errors,
            "vault_dir": vault_dir,
            "completed_at_unix_ms": app.notes.now(),
            "files_unchanged": done.unchanged,
            "conflicts": done.conflicts,
            "embedded_chunks": embedded,
            **({"secrets": dict(done.secrets)} if done.secrets else {}),
        }

    print_json(with_app(db, work, bulk=True))
