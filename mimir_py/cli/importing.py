"""`mimir import --from NAME PATH`: the memories of another program."""

from pathlib import Path
from typing import Any

from mimir_py.cli.progress import progress_bar
from mimir_py.cli.session import fail, print_json, with_app

_PROBLEMS_NAMED = 10
# Their files lie in the project they are about.
_OF_A_PROJECT = ("claude", "codex")


def take(
    path: str | None,
    db: str | None,
    program: str,
    workspace: str | None,
    dry_run: bool,
    undo: bool,
    no_embed: bool,
    as_json: bool,
) -> None:
    """Take in, look at, or forget again what a file or folder holds, and say what was done."""
    if path is None:
        if not undo:
            raise fail("name the file or folder", 2)
        _forget_all(db, program, as_json=as_json)
        return
    source = Path(path).expanduser()
    if not source.exists():
        raise fail(f"there is no file or folder {path}")
    place = _workspace(source, program) if workspace is None else workspace

    async def work(app: Any) -> tuple[Any, int]:
        if undo:
            return await app.imports.undo(program, source, workspace=place), 0
        if dry_run:
            return await app.imports.look(program, source, workspace=place), 0
        with progress_bar("importing") as advance:

            async def report(done: int) -> None:
                advance(done, None, "")

            taken = await app.imports.take(program, source, workspace=place, report=report)
        return taken, 0 if no_embed else await embed(app)

    taken, embedded = with_app(db, work, bulk=True)
    if as_json:
        print_json({**vars(taken), "embedded_chunks": embedded})
    else:
        _say(taken, dry_run=dry_run, undo=undo)


def _forget_all(db: str | None, program: str, *, as_json: bool) -> None:
    async def work(app: Any) -> Any:
        return await app.imports.undo(program)

    taken = with_app(db, work)
    if as_json:
        print_json({**vars(taken), "embedded_chunks": 0})
    else:
        _say(taken, dry_run=False, undo=True)


async def embed(app: Any) -> int:
    """Embed everything queued, with a bar; how many chunks."""
    total = await app.upkeep.count_pending()
    with progress_bar("embedding") as advance:

        async def report(done: int) -> None:
            advance(done, total, "")

        done: int = await app.vault.embed_queue(report)
    return done


def _workspace(source: Path, program: str) -> str:
    from mimir_py.values import GLOBAL_WORKSPACE
    from mimir_py.workspaces import project_workspace

    if program not in _OF_A_PROJECT:
        return GLOBAL_WORKSPACE
    return project_workspace(source if source.is_dir() else source.parent, Path.home())


def _say(taken: Any, *, dry_run: bool, undo: bool) -> None:
    if undo:
        print(f"Forgot {taken.undone} memories; `mimir purge` erases them")
    else:
        print(
            f"{'Would import' if dry_run else 'Imported'} {taken.created} new memories; "
            f"{taken.updated} updated, {taken.unchanged} unchanged"
        )
        for category, count in sorted(taken.categories.items()):
            print(f"  {category}: {count}")
    if taken.secrets:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(taken.secrets.items()))
        print(f"The file holds secrets, stored as they are: {kinds}")
    named = list(taken.problems.items())
    for place, why in named[:_PROBLEMS_NAMED]:
        print(f"  not taken: {place}: {why}")
    if len(named) > _PROBLEMS_NAMED:
        print(f"  and {len(named) - _PROBLEMS_NAMED} more (--json lists all)")
