"""`mimir migrate`: a store of the Rust program, copied into one of ours."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mimir_py.cli.progress import progress_bar
from mimir_py.cli.session import Json, fail, guarded, print_json, settings_for, with_app

_ERRORS_NAMED = 10


def add_commands(app: typer.Typer) -> None:
    app.command("migrate")(migrate)


def migrate(
    source: Annotated[
        str, typer.Option("--from", metavar="FILE", help="The old store; it is only read.")
    ],
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="FILE", help="The store to copy into; made if missing."),
    ] = None,
    source_key: Annotated[
        str | None,
        typer.Option(
            help="Key file of the old store, if it is not the --encryption-key.", metavar="FILE"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a store of the Rust program (perseus-vault, mneme, mimir), and look if all arrived.

    An encrypted one needs --encryption-key; a store made for it is sealed with the same key. Doing
    it again goes on where it was. Exits with 1 if anything is not as it was, and says what.
    """
    from mimir_py.config import find_store
    from mimir_py.security import Trust
    from mimir_py.security.keys import from_key_file
    from mimir_py.storage.files import is_sealed

    settings = guarded(lambda: settings_for(target))
    path = find_store(settings, Path.home()).path
    if path.resolve() == Path(source).resolve():
        raise fail("--to is the old store itself: give another file, or open it with --db")
    named = settings.encryption_key if source_key is None else Path(source_key).expanduser()
    key = None if named is None else guarded(lambda: from_key_file(named).value)
    if path.exists() and path.stat().st_size and not is_sealed(path):
        settings = replace(settings, encryption_key=None)

    async def work(app: Any) -> Any:
        with progress_bar("migrating") as advance:

            async def report(done: int, total: int | None, what: str) -> None:
                advance(done, total, what)

            return await app.migrations.migrate(
                Path(source), most=Trust.AGENT, report=report, key=key
            )

    done = with_app(None, work, settings=settings)
    _say(done, as_json=as_json)
    if done.errors:
        raise typer.Exit(1)


def _say(done: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "total_old_memories": done.total,
                "entities_created": done.created,
                "entities_updated": done.updated,
                "entities_unchanged": done.unchanged,
                "versions": done.versions,
                "journal_entries": done.journal_entries,
                "state_values": done.state_values,
                "communities": done.communities,
                "errors": done.errors,
            }
        )
        return
    print(
        f"{done.total} memories: {done.created} created, {done.updated} updated, "
        f"{done.unchanged} here already; {done.versions} versions, {done.journal_entries} new "
        f"journal entries, {done.state_values} values, {done.communities} communities"
    )
    for error in done.errors[:_ERRORS_NAMED]:
        print(f"  not as it was: {error}")
    if len(done.errors) > _ERRORS_NAMED:
        print(f"  and {len(done.errors) - _ERRORS_NAMED} more (--json lists all)")
