"""`mimir conflicts` and `mimir undo`: finding contradictions, and taking changes back."""

from typing import Annotated, Any

import typer

from mimir_py.cli.session import Db, Json, WorkspaceHash, print_json, run_tool

DryRun = Annotated[
    bool | None,
    typer.Option("--dry-run/--no-dry-run", help="Only say what would be done."),
]


def add_commands(app: typer.Typer) -> None:
    app.command()(conflicts)
    app.command()(undo)


def conflicts(
    category: Annotated[str, typer.Argument(help="Whose memories to compare.")],
    db: Db = None,
    threshold: Annotated[float, typer.Option(help="Least similarity of a pair, 0 to 1.")] = 0.4,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Most pairs.")] = 10,
    offset: Annotated[int, typer.Option(help="Skip so many memories.")] = 0,
    resolve: Annotated[bool, typer.Option("--resolve", help="Let the surer one win.")] = False,
    dry_run: DryRun = True,
    certainty_margin: Annotated[float, typer.Option(help="How much surer it must be.")] = 0.2,
    workspace_hash: WorkspaceHash = None,
    as_json: Json = False,
) -> None:
    """List memories that contradict each other; with --resolve --no-dry-run settle them."""
    answer = run_tool(
        db,
        "conflicts",
        progress="comparing",
        category=category,
        threshold=threshold,
        limit=limit,
        offset=offset,
        resolve=resolve,
        dry_run=dry_run,
        certainty_margin=certainty_margin,
        workspace_hash=workspace_hash,
    )
    if as_json:
        print_json(answer)
        return
    for pair in answer.get("conflicts", ()):
        print(f"{_pair(pair, 'entity_a', '<>', 'entity_b')}  {pair['similarity']:.2f}")
    for pair in answer.get("invalidations", ()):
        print(_pair(pair, "winner", "over", "loser"))
    found = answer["resolved"] if resolve else answer["conflicts_found"]
    done = ("would be " if dry_run else "") + "resolved" if resolve else "found"
    print(f"{found} {done} among {answer['entities_compared']} memories of {category}")


def undo(
    journal_id: Annotated[
        str | None, typer.Argument(help="The journal entry of the change.")
    ] = None,
    db: Db = None,
    source: Annotated[str | None, typer.Option(help="All that this source changed ...")] = None,
    since_ms: Annotated[int | None, typer.Option(help="... since, in Unix milliseconds.")] = None,
    dry_run: DryRun = None,
    workspace_hash: WorkspaceHash = None,
    as_json: Json = False,
) -> None:
    """Take a change back, or all of a source since a time (which --no-dry-run really does)."""
    answer = run_tool(
        db,
        "undo",
        progress="undoing",
        journal_id=journal_id,
        source=source,
        since_unix_ms=since_ms,
        dry_run=dry_run,
        workspace_hash=workspace_hash,
    )
    if as_json:
        print_json(answer)
        return
    would = "would be " if answer["dry_run"] else ""
    for step in answer["undone"]:
        print(f"{step['category']}/{step['key']} {would}{step['action']}")
    for left in answer["skipped"]:
        print(f"{left['entity_id']} left: {left['why']}")
    print(f"{answer['total']} {would}undone, {len(answer['skipped'])} left")


def _pair(pair: Any, one: str, between: str, other: str) -> str:
    return f"{pair[one]['key']} {between} {pair[other]['key']}"
