"""Commands that let memories fade, end and merge, and look after the file."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mimir_py.cli.session import Db, Json, WorkspaceHash, print_json, run_tool

_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]


def add_commands(app: typer.Typer) -> None:
    for command in (prune, decay, compact, cohere, consolidate, autocohere, maintenance):
        app.command()(command)


def prune(
    db: Db = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    min_decay: Annotated[float | None, typer.Option(help="Only less fresh, 0 to 1.")] = None,
    older_than_days: Annotated[int | None, typer.Option(help="Only older.")] = None,
    limit: Annotated[int, typer.Option(help="Most memories; 0: no limit.")] = 100,
    scope: Annotated[str, typer.Option(help="entities, or history for versions.")] = "entities",
    max_age_days: Annotated[int | None, typer.Option(help="History: keep so many days.")] = None,
    max_versions_per_key: Annotated[
        int | None, typer.Option(help="History: keep so many of a name.")
    ] = None,
    max_bytes: Annotated[int | None, typer.Option(help="History: keep so many bytes.")] = None,
    workspace_hash: WorkspaceHash = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Archive stale memories, least valuable first; never verified, always-on or important ones."""
    answer = run_tool(
        db,
        "prune",
        progress="pruning",
        category=category,
        min_decay=min_decay,
        older_than_days=older_than_days,
        limit=limit,
        scope=scope,
        max_age_days=max_age_days,
        max_versions_per_key=max_versions_per_key,
        max_bytes=max_bytes,
        workspace_hash=workspace_hash,
        dry_run=dry_run,
    )
    _print(answer, as_json=as_json)


def decay(
    db: Db = None,
    workspace_hash: WorkspaceHash = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Let memories fade with the time they were not used; archive what has faded away."""
    answer = run_tool(
        db, "decay", progress="fading", workspace_hash=workspace_hash, dry_run=dry_run
    )
    _print(answer, as_json=as_json)


def compact(
    db: Db = None,
    min_decay: Annotated[float, typer.Option(help="Archive what is less fresh.")] = 0.1,
    workspace_hash: WorkspaceHash = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Archive every memory that has faded below a freshness, but protected ones."""
    answer = run_tool(
        db,
        "compact",
        progress="compacting",
        min_decay=min_decay,
        workspace_hash=workspace_hash,
        dry_run=dry_run,
    )
    _print(answer, as_json=as_json)


def cohere(
    db: Db = None,
    max_links: Annotated[int, typer.Option(help="Most links to make.")] = 20,
    promote_threshold: Annotated[int, typer.Option(help="Uses to leave the first layer.")] = 5,
    archive_threshold: Annotated[float, typer.Option(help="Archive what is less fresh.")] = 0.05,
    workspace_hash: WorkspaceHash = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Tidy up: promote what is used, let the rest fade, link what is alike."""
    answer = run_tool(
        db,
        "cohere",
        progress="tidying",
        max_links=max_links,
        promote_threshold=promote_threshold,
        archive_threshold=archive_threshold,
        workspace_hash=workspace_hash,
        dry_run=dry_run,
    )
    _print(answer, as_json=as_json)


def consolidate(
    category: Annotated[str, typer.Option(help="Whose memories are merged.")],
    db: Db = None,
    similarity_threshold: Annotated[float, typer.Option(help="How alike, 0 to 1.")] = 0.6,
    limit: Annotated[int, typer.Option(help="Most observations.")] = 50,
    archive_sources: Annotated[
        bool, typer.Option("--archive-sources", help="Hide what was merged.")
    ] = False,
    workspace_hash: WorkspaceHash = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Merge memories that say nearly the same into observations that lead to them."""
    answer = run_tool(
        db,
        "consolidate",
        progress="merging",
        category=category,
        similarity_threshold=similarity_threshold,
        limit=limit,
        archive_sources=archive_sources,
        workspace_hash=workspace_hash,
        dry_run=dry_run,
    )
    _print(answer, as_json=as_json)


def autocohere(
    db: Db = None,
    workspace_hash: WorkspaceHash = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Groom the whole memory once: fade, link, merge, and keep history to its limits."""
    answer = run_tool(
        db, "autocohere", progress="grooming", workspace_hash=workspace_hash, dry_run=dry_run
    )
    _print(answer, as_json=as_json)


def maintenance(
    db: Db = None,
    orphans: Annotated[bool, typer.Option("--orphans", help="Count what leads nowhere.")] = False,
    vacuum: Annotated[bool, typer.Option("--vacuum", help="Give free pages back.")] = False,
    reindex: Annotated[bool, typer.Option("--reindex", help="Build the indexes anew.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Keep it to its limits.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="All of these.")] = False,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Look after the file: orphans, free pages, indexes, earlier versions."""
    answer = run_tool(
        db,
        "maintenance",
        progress="maintaining",
        orphans=orphans,
        vacuum=vacuum,
        reindex=reindex,
        history=history,
        all=everything,
        dry_run=dry_run,
    )
    _print(answer, as_json=as_json)


def _print(answer: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json or not sys.stdout.isatty():
        print_json(answer)
        return
    for name, value in answer.items():
        shown = len(value) if isinstance(value, list) else value
        print(f"{name.removesuffix('_unix_ms').replace('_', ' ')}: {shown}")
