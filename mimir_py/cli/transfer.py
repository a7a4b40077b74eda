"""`mimir export` and `mimir import`: JSON Lines files of whole memories."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from mimir_py.cli import importing
from mimir_py.cli.progress import progress_bar
from mimir_py.cli.session import Db, Json, WorkspaceHash, fail, print_json, with_app
from mimir_py.storage.files import create_private

_STREAM = "-"
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
Undo = Annotated[bool, typer.Option("--undo", help="With --from: forget what was taken from PATH.")]


def add_commands(app: typer.Typer) -> None:
    app.command("export")(export_file)
    app.command("import")(import_file)


def export_file(
    path: Annotated[str, typer.Argument(help="File to write; - is standard output.")],
    db: Db = None,
) -> None:
    """Write every memory, with its history and links, to a JSON Lines file.

    What is damaged is named and left out; then the command exits with 1.
    """

    async def work(app: Any) -> tuple[int, dict[str, str]]:
        total, outgoing = await app.vault.count(), app.vault.outgoing()
        with _output(path) as file, progress_bar("exporting") as advance:
            written = -1
            async for line in app.vault.export(outgoing):
                file.write(line + "\n")
                written += 1
                if written % 500 == 0:
                    advance(written, total, "")
            return written, outgoing.damaged

    count, damaged = with_app(db, work)
    print(f"Exported {count} memories", file=sys.stderr if path == _STREAM else sys.stdout)
    for id, why in damaged.items():
        print(f"mimir: not exported: {id}: {why}", file=sys.stderr)
    if damaged:
        raise typer.Exit(1)


def import_file(
    path: Annotated[str, typer.Argument(help="File to read; - is standard input.")],
    db: Db = None,
    replace: Replace = False,
    no_embed: NoEmbed = False,
    trusted: Trusted = False,
    as_json: Json = False,
    program: Program = None,
    workspace: WorkspaceHash = None,
    dry_run: DryRun = False,
    undo: Undo = False,
) -> None:
    """Store the memories of a JSON Lines file, or with --from those of another program.

    Doing it twice changes nothing.
    """
    if program is not None:
        importing.take(path, db, program, workspace, dry_run, undo, no_embed, as_json)
        return
    if dry_run or undo or workspace is not None:
        raise fail("--dry-run, --undo and --workspace-hash need --from", 2)
    if path != _STREAM and not Path(path).is_file():
        raise fail(f"there is no file {path}")

    from mimir_py.security import Trust

    trust = Trust.AGENT if trusted else Trust.IMPORT

    async def work(app: Any) -> tuple[Any, int]:
        with _input(path) as file, progress_bar("importing") as advance:

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


@contextmanager
def _output(path: str) -> Iterator[IO[str]]:
    """A private file that appears whole or not at all."""
    if path == _STREAM:
        yield sys.stdout
        return
    target = Path(path)
    part = target.with_name(target.name + f".part{os.getpid()}")
    create_private(part)
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _input(path: str) -> Any:
    if path == _STREAM:
        sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # stdin is a text file here
        return nullcontext(sys.stdin)
    return Path(path).open(encoding="utf-8", newline="\n")
