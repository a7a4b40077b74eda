"""Commands on memories: the tools, for people and shell scripts."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from mimir_py.cli.session import Db, Json, WorkspaceHash, fail, print_json, run_tool, with_app

_FEATURES_SHOWN: Final = 6
_ARMS: Final = (("keywords", "keyword_rank"), ("meaning", "dense_rank"))
_REASONS: Final = (("by its key", "is_named"), ("through a link", "is_linked"))
_SNIPPET: Final = 96


def add_commands(app: typer.Typer) -> None:
    for command in (write, recall, list_memories, show, forget, purge, stats, reindex):
        name = {"list_memories": "list"}.get(command.__name__, command.__name__)
        app.command(name)(command)
    app.command("state-digest")(state_digest)


def write(
    category: Annotated[str, typer.Option(help="Namespace, e.g. decision.")],
    key: Annotated[str, typer.Option(help="Name within the category.")],
    body: Annotated[str, typer.Option(help="JSON object or plain text.")],
    db: Db = None,
    tags: Annotated[str | None, typer.Option(help="Tags, separated by commas.")] = None,
    entity_type: Annotated[str | None, typer.Option(help="Kind of memory.")] = None,
    importance: Annotated[float | None, typer.Option(help="0..1.")] = None,
    always_on: Annotated[bool | None, typer.Option("--always-on", help="In every context.")] = None,
    visibility: Annotated[str | None, typer.Option(help="private, workspace or public.")] = None,
    agent_id: Annotated[str | None, typer.Option(help="Who says so.")] = None,
    workspace_hash: WorkspaceHash = None,
) -> None:
    """Remember something."""
    named = None if tags is None else [tag.strip() for tag in tags.split(",") if tag.strip()]
    answer = run_tool(
        db,
        "remember",
        category=category,
        key=key,
        body_json=body,
        tags=named,
        type=entity_type,
        importance=importance,
        always_on=always_on,
        visibility=visibility,
        agent_id=agent_id,
        workspace_hash=workspace_hash,
    )
    print_json({"ok": True, "id": answer["id"], "action": answer["action"]})


def recall(
    query: Annotated[str, typer.Argument(help="What you want to know.")],
    db: Db = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Most memories.")] = 10,
    mode: Annotated[str, typer.Option(help="hybrid, dense or fts5.")] = "hybrid",
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    workspace_hash: WorkspaceHash = None,
    archived: Annotated[bool, typer.Option("--archived", help="Forgotten ones too.")] = False,
    min_relevance: Annotated[
        float | None, typer.Option(help="Leave out what is less likely to answer, 0 to 1.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what each place is made of.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Search memory."""
    answer = run_tool(
        db,
        "recall",
        query=query,
        limit=limit,
        mode=mode,
        category=category,
        workspace_hash=workspace_hash,
        include_archived=archived,
        min_relevance=min_relevance,
        explain=explain,
    )
    _print_items(answer, as_json=as_json, empty="Nothing found.")
    if explain and not as_json:
        _print_explanations(answer["items"])


def list_memories(
    db: Db = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Most memories.")] = 20,
    offset: Annotated[int, typer.Option(help="Skip so many.")] = 0,
    workspace_hash: WorkspaceHash = None,
    archived: Annotated[bool, typer.Option("--archived", help="Forgotten ones too.")] = False,
    as_json: Json = False,
) -> None:
    """List memories, the latest first."""
    answer = run_tool(
        db,
        "recall",
        query="",
        limit=limit,
        offset=offset,
        category=category,
        workspace_hash=workspace_hash,
        include_archived=archived,
        reinforce=False,
    )
    _print_items(answer, as_json=as_json, empty="No memories yet.", scored=False)


def show(
    name: Annotated[str, typer.Argument(help="An id, or a category followed by a key.")],
    key: Annotated[str | None, typer.Argument(help="The key, when a category came first.")] = None,
    db: Db = None,
    workspace_hash: WorkspaceHash = None,
    as_json: Json = False,
) -> None:
    """Show one memory whole."""
    entity_id = name if key is None else _id_of(db, name, key, workspace_hash)
    answer = run_tool(db, "get_entity", id=entity_id)
    if as_json:
        print_json(answer)
        return
    _print_memory(answer)


def forget(
    category: Annotated[str, typer.Option(help="Its category.")],
    key: Annotated[str, typer.Option(help="Its key.")],
    db: Db = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "forgotten via CLI",
    workspace_hash: WorkspaceHash = None,
) -> None:
    """Archive a memory so that it no longer answers."""
    answer = run_tool(
        db, "forget", category=category, key=key, reason=reason, workspace_hash=workspace_hash
    )
    if not answer["found"]:
        raise fail(f"there is no live memory {category}/{key}")
    print(f"Archived {category}/{key}")


def purge(
    db: Db = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    memory_id: Annotated[str | None, typer.Option("--id", help="Erase this memory.")] = None,
    category: Annotated[str | None, typer.Option(help="With --key: erase this memory.")] = None,
    key: Annotated[str | None, typer.Option(help="With --category: erase this memory.")] = None,
    workspace_hash: WorkspaceHash = None,
) -> None:
    """Erase for good what was forgotten, or one memory; names the backups that still have it."""
    answer = run_tool(
        db,
        "purge",
        progress="erasing",
        dry_run=dry_run,
        id=memory_id,
        category=category,
        key=key,
        workspace_hash=workspace_hash,
    )
    print_json(answer)


def stats(db: Db = None, as_json: Json = False) -> None:
    """Count what is stored."""
    answer = run_tool(db, "stats")
    if as_json or not sys.stdout.isatty():
        print_json(answer)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in answer.items():
        table.add_row(name.replace("_unix_ms", "").replace("_", " "), _readable(name, value))
    Console().print(table)


def reindex(db: Db = None) -> None:
    """Build the search indexes anew."""
    from mimir_py.cli.progress import progress_bar

    async def work(app: Any) -> int:
        with progress_bar("reindexing") as advance:

            async def report(done: int, total: int | None, what: str) -> None:
                advance(done, total, what)

            count: int = await app.upkeep.reindex(report)
            return count

    print(f"Reindexed {with_app(db, work, bulk=True)} entities into FTS5")


def state_digest(db: Db = None, as_json: Json = False) -> None:
    """Print a number that changes whenever a live memory does."""
    from mimir_py.cli.progress import progress_bar

    async def work(app: Any) -> tuple[str, int]:
        with progress_bar("reading") as advance:

            async def report(done: int, total: int | None, what: str) -> None:
                advance(done, total, what)

            found: tuple[str, int] = await app.upkeep.digest(report)
            return found

    digest, count = with_app(db, work)
    if as_json or not sys.stdout.isatty():
        print_json({"digest": digest, "entity_count": count})
        return
    print(f"{digest}  {count} memories")


def _id_of(db: str | None, category: str, key: str, workspace_hash: str | None) -> str:
    async def work(app: Any) -> str | None:
        workspaces = None if workspace_hash is None else [workspace_hash]
        found = await app.memories.named(category, key, workspaces)
        return found[0].id if found else None

    entity_id = with_app(db, work)
    if entity_id is None:
        raise fail(f"there is no live memory {category}/{key}")
    return str(entity_id)


def _print_items(answer: Any, *, as_json: bool, empty: str, scored: bool = True) -> None:
    if as_json:
        print_json(answer)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not answer["items"]:
        console.print(empty)
        return
    table = Table(box=None, pad_edge=False)
    if scored:
        table.add_column("#", justify="right")
        table.add_column("score", justify="right")
    table.add_column("memory", overflow="fold")
    table.add_column("text", overflow="fold")
    for rank, item in enumerate(answer["items"], start=1):
        name = Text(f"{item['category']}/{item['key']}", style="bold")
        # Stored text is never markup: brackets in it must stay brackets.
        row = [name, Text(_snippet(item))]
        if scored:
            row = [Text(str(rank)), Text(f"{item['score']:.3f}"), *row]
        table.add_row(*row)
    console.print(table)


def _print_explanations(items: Any) -> None:
    """What found each memory, and the features that weigh most in its place."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for rank, item in enumerate(items, start=1):
        why = item["explanation"]
        found = [f"{arm} {why[place]}" for arm, place in _ARMS if why[place] is not None]
        found += [reason for reason, flag in _REASONS if why[flag]]
        console.print(Text(f"{rank}. {item['category']}/{item['key']}", style="bold"))
        places = ", ".join(found) or "beside a memory found"
        console.print(f"   relevance {item.get('relevance', 0.0):.3f}; {places}")
        for part in why["features"][:_FEATURES_SHOWN]:
            console.print(f"   {part['adds']:+8.3f}  {part['feature']} = {part['value']:.3f}")


def _snippet(item: Any) -> str:
    text = item.get("passage") or _plain(item["body_json"])
    text = " ".join(text.split())
    return text if len(text) <= _SNIPPET else text[: _SNIPPET - 1] + "…"


def _plain(body_json: str) -> str:
    from mimir_py.entities.text import body_text

    try:
        return body_text(json.loads(body_json))
    except ValueError:
        return body_json


def _print_memory(answer: Any) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(f"{answer['category']}/{answer['key']}", style="bold"), Text(answer["id"]))
    details = [answer["entity_type"], answer["status"], answer["layer"]]
    if answer["tags"]:
        details.append("tags: " + ", ".join(answer["tags"]))
    if answer["archived"]:
        details.append("forgotten")
    console.print(Text(" · ".join(details), style="dim"))
    for name in ("created_at_unix_ms", "last_accessed_unix_ms"):
        console.print(
            Text(f"{name[:-8].replace('_', ' ')}: {_readable(name, answer[name])}", style="dim")
        )
    console.print()
    console.print(Text(_plain(answer["body_json"])))


def readable_time(unix_ms: int) -> str:
    """A time for people, to the minute."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _readable(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("_unix_ms"):
        return readable_time(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(f"{item['category']}/{item['key']} ({item['versions']})" for item in value)
    return str(value)
