"""`mimir journal`: read the journal, and check that it is as it was written."""

from typing import Annotated, Any

import typer

from mimir_py.cli.session import Db, Json, WorkspaceHash, fail, print_json, run_tool, with_app

_SHOWN: Any = ("evaluated_json", "acted_json", "forward_json")


def add_commands(app: typer.Typer) -> None:
    group = typer.Typer(help="Read and check the journal.", no_args_is_help=True)
    group.command("list")(list_entries)
    group.command("verify")(verify)
    app.add_typer(group, name="journal")


def list_entries(
    db: Db = None,
    event_type: Annotated[str | None, typer.Option(help="Only this sort of event.")] = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    entity_id: Annotated[str | None, typer.Option(help="Only about this memory.")] = None,
    from_ms: Annotated[int | None, typer.Option(help="Since, in Unix milliseconds.")] = None,
    to_ms: Annotated[int | None, typer.Option(help="Until, inclusive.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Most entries.")] = 20,
    offset: Annotated[int, typer.Option(help="Skip so many.")] = 0,
    workspace_hash: WorkspaceHash = None,
    audit: Annotated[bool, typer.Option("--audit", help="Also what Mimir noted itself.")] = False,
    as_json: Json = False,
) -> None:
    """List entries, the newest first."""
    answer = run_tool(
        db,
        "timeline",
        event_type=event_type,
        category=category,
        entity_id=entity_id,
        from_ms=from_ms,
        to_ms=to_ms,
        limit=limit,
        offset=offset,
        workspace_hash=workspace_hash,
        include_audit=audit,
    )
    if as_json:
        print_json(answer)
        return
    _print(answer["items"])


def verify(
    db: Db = None,
    accept: Annotated[
        str | None,
        typer.Option(
            "--accept",
            metavar="WHY",
            help="Let the present end count, after an older copy came back.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every entry of the journal; name the first that is not as it was written."""
    from mimir_py.cli.progress import progress_bar

    async def work(app: Any) -> Any:
        if accept is not None:
            await app.journal.accept(accept)
        with progress_bar("verifying") as advance:

            async def report(done: int, total: int | None, what: str) -> None:
                advance(done, total, what)

            return await app.journal.verify(report)

    verdict = with_app(db, work)
    if as_json:
        print_json(
            {
                "intact": verdict.intact,
                "entries": verdict.head.seq,
                "hash": verdict.head.hash.hex(),
                "erased": verdict.erased,
                "head_outside": verdict.outside,
                "fault": None if verdict.fault is None else vars(verdict.fault),
            }
        )
    elif verdict.intact:
        erased = f", {verdict.erased} of them erased" if verdict.erased else ""
        print(f"All {verdict.head.seq} entries are as they were written{erased}.")
    if not verdict.intact:
        if as_json:
            raise typer.Exit(1)
        raise fail(f"entry {verdict.fault.seq}: {verdict.fault.problem}")


def _print(items: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mimir_py.cli.memories import readable_time

    console = Console()
    if not items:
        console.print("No entries.")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("#", "when", "what", "about", "said"):
        table.add_column(title, overflow="fold")
    for item in items:
        name = "/".join(filter(None, (item["category"], item["key"]))) or item["entity_id"]
        said = "  ".join(
            f"{field.removesuffix('_json')} {item[field]}"
            for field in _SHOWN
            if item[field] != "null"
        )
        cells = (
            str(item["seq"]),
            readable_time(item["created_at_unix_ms"]),
            item["event_type"],
            name,
            said,
        )
        # Stored text is never markup: brackets in it must stay brackets.
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
