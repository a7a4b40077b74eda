"""`mimir ingest`: files and folders of them, read into memories."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mimir_py.cli import importing
from mimir_py.cli.progress import progress_bar
from mimir_py.cli.session import Db, Json, print_json, with_app
from mimir_py.cli.transfer import NoEmbed

_NAMED = 10


def add_commands(app: typer.Typer) -> None:
    app.command()(ingest)


def ingest(
    paths: Annotated[list[str], typer.Argument(help="Files, and folders with all in them.")],
    db: Db = None,
    category: Annotated[str, typer.Option(help="Category of the memories.")] = "document",
    tags: Annotated[str, typer.Option(help="Tags, separated by commas.")] = "",
    workspace: Annotated[
        str, typer.Option("--workspace-hash", help='Workspace; "" is the global one.')
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Read unchanged files, too, and forgotten ones.")
    ] = False,
    no_embed: NoEmbed = False,
    as_json: Json = False,
) -> None:
    """Remember what files say: text, source code, HTML, PDF, DOCX.

    A file that is as it was is not read again; one that changed becomes a new version.
    """
    from mimir_py.documents import Wish, named
    from mimir_py.values import system_clock

    began = system_clock()
    named_paths = [Path(path).expanduser() for path in paths]
    listed = tuple(tag.strip() for tag in tags.split(",") if tag.strip())
    wish = Wish(category, None, listed or None, workspace, again=again, embed=False)

    async def work(app: Any) -> tuple[Any, int]:
        places = [named(path) for path in named_paths]
        with progress_bar("reading") as advance:

            async def report(done: int, total: int | None, what: str) -> None:
                advance(done, total, what)

            done = await app.documents.ingest(places, wish, report)
        return done, 0 if no_embed else await importing.embed(app)

    done, embedded = with_app(db, work, bulk=True)
    if as_json:
        print_json({**vars(done), "embedded_chunks": embedded, "began_at_unix_ms": began})
    else:
        _say(done, began)


def _say(done: Any, began: int) -> None:
    print(
        f"Read {done.created} new files; {done.updated} updated, {done.unchanged} unchanged, "
        f"{done.forgotten} forgotten here, {done.skipped} of other kinds or empty"
    )
    if done.secrets:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(done.secrets.items()))
        print(f"Secrets in them: {kinds} (see MIMIR_SECRETS)")
    _list("not read", [f"{path}: {why}" for path, why in done.problems.items()])
    _list("not there any more, still remembered", done.deleted)
    if done.created or done.updated:
        print(f"To undo: mimir undo --source ingest_file --since-ms {began} --no-dry-run")


def _list(what: str, lines: list[str]) -> None:
    for line in lines[:_NAMED]:
        print(f"  {what}: {line}")
    if len(lines) > _NAMED:
        print(f"  and {len(lines) - _NAMED} more (--json lists all)")
