"""`mimir vault-export`, `vault-import`, `obsidian-sync`: memories as Markdown notes."""

import json
from typing import Annotated, Any

import typer

from mimir_py.cli import importing
from mimir_py.cli.session import (
    Db,
    WorkspaceHash,
    print_json,
    run_tool,
    settings_for,
    with_app,
)
from mimir_py.cli.transfer import NoEmbed, Trusted
from mimir_py.values import clean_text

VaultDir = Annotated[str, typer.Option("--vault-dir", help="Folder of the notes.", metavar="DIR")]
Plain = Annotated[
    bool, typer.Option("--plain", help="The store is sealed; write readable notes all the same.")
]

_USUAL_DIR = "~/.mimir/vault"


def add_commands(app: typer.Typer) -> None:
    app.command("vault-export")(vault_export)
    app.command("vault-import")(vault_import)
    app.command("obsidian-sync")(obsidian_sync)


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


def obsidian_sync(
    vault_path: Annotated[str, typer.Argument(help="The vault, or a folder of it.")],
    db: Db = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until stopped.")] = False,
    two_way: Annotated[
        bool, typer.Option("--two-way", help="Take hand edits of notes into the memory.")
    ] = False,
    plain: Plain = False,
    no_embed: NoEmbed = False,
    trusted: Trusted = False,
) -> None:
    """Keep an Obsidian or Logseq vault in step with the memory.

    Writes the notes of what changed, an index of each category and a diary of each day, and removes
    the notes of what was forgotten.
    """
    from mimir_py.security import Trust
    from mimir_py.vault.exchange import folder_of
    from mimir_py.vault.sync import Terms
    from mimir_py.vault.watching import watched

    path = folder_of(vault_path)
    trust = Trust.AGENT if trusted else Trust.FILE
    terms = Terms(plain=plain, two_way=two_way, trust=trust)

    async def work(app: Any) -> None:
        if watch:
            async for done in watched(app.sync, path, terms, settings_for(db).sync_interval_s):
                said = {
                    **_said(done),
                    "vault_dir": vault_path,
                    "completed_at_unix_ms": app.notes.now(),
                }
                print(clean_text(json.dumps(said, ensure_ascii=False)), flush=True)
                if said.get("edits") and not no_embed:
                    await app.vault.embed_queue(_silent)
            return
        said = {**_said(await app.sync.once(path, terms)), "vault_dir": vault_path}
        if said.get("edits") and not no_embed:
            said["embedded_chunks"] = await importing.embed(app)
        print_json({**said, "completed_at_unix_ms": app.notes.now()})

    with_app(db, work, bulk=two_way)


def _said(done: Any) -> dict[str, Any]:
    """A round as the commands report it."""
    notes, taken = done.notes, done.taken
    said: dict[str, Any] = {
        "files_created": notes.created,
        "files_updated": notes.updated,
        "files_unchanged": notes.unchanged,
        "files_removed": notes.removed,
        "pages": done.pages,
        "kept": notes.kept,
        "conflicts": notes.conflicts,
        "errors": notes.errors,
    }
    if taken is not None:
        said["edits"] = taken.updated
        said["errors"] = list(dict.fromkeys(taken.errors + notes.errors))
        if taken.secrets:
            said["secrets"] = dict(taken.secrets)
    return said


async def _silent(_: int) -> None:
    """No bar: nobody waits for it."""
