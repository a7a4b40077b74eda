"""`mimir doctor`: try what a session needs on the configured store, and say how to mend it."""

import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mimir_py import __version__
from mimir_py.cli.repair import Finding, around, content, repaired
from mimir_py.cli.session import Db, Json, print_json, settings_for, store_path, with_app
from mimir_py.config import Settings
from mimir_py.errors import MimirError

_PROBE: Final = "mimir-doctor"
_DAY_MS: Final = 86_400_000


def add_commands(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    db: Db = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Save what can be read of a damaged store; redo its indexes."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check this installation and its store; really writes, recalls and deletes a memory."""
    findings = list(repaired(db)) if repair else []
    findings.extend(_examine(db))
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.level == "fault" for finding in findings):
        raise typer.Exit(1)


def _examine(db: str | None) -> Iterator[Finding]:
    yield Finding("version", "ok", f"mimir {__version__}, Python {sys.version.split()[0]}")
    yield _command()
    path = store_path(db)
    settings = settings_for(db)
    yield from _engine(settings.sqlite_driver)
    existed = path.exists()
    yield from _permissions(path, settings)
    yield from around(path)
    yield from content(path, db)
    try:
        yield from _store_findings(db)
    except (typer.Exit, MimirError):
        yield Finding(
            "store",
            "fault",
            f"{path} could not be opened or used",
            "see the line above; give another file with --db, or check its folder's permissions",
        )
    else:
        detail = str(path) if existed else f"{path} (made just now)"
        yield Finding("store", "ok", detail)
    yield from _clients()


def _store_findings(db: str | None) -> list[Finding]:
    """What can be said of the open store."""

    async def work(app: Any) -> list[Finding]:
        return [await _round_trip(app), *_activity(await app.upkeep.statistics())]

    return with_app(db, work)


async def _round_trip(app: Any) -> Finding:
    from mimir_py.entities import Draft, Identity
    from mimir_py.recall import Filter, Mode, Query

    word = secrets.token_hex(8)
    draft = Draft(
        Identity(_PROBE, word, _PROBE),
        f'{{"content":"the doctor was here: {word}"}}',
        source=_PROBE,
    )
    remembered = await app.memories.remember(draft)
    try:
        missed = []
        for mode in Mode:
            query = Query(f"doctor {word}", mode, filter=Filter(workspaces=(_PROBE,)))
            found = await app.recall.search(query, note_use=False)
            if remembered.id not in [hit.entity.id for hit in found.hits]:
                missed.append(mode.value)
    finally:
        await app.memories.delete(remembered.id)
    if missed:
        return Finding(
            "write, recall, delete", "fault", f"not found by {', '.join(missed)}", "mimir reindex"
        )
    return Finding(
        "write, recall, delete", "ok", "a memory was stored, found in every mode, and deleted"
    )


def _activity(statistics: Any) -> Iterator[Finding]:
    from mimir_py.values import system_clock

    now = system_clock()
    yield Finding(
        "memories",
        "ok",
        f"{statistics.live_entities} live, {statistics.archived_entities} forgotten; last write "
        f"{_ago(statistics.last_write_unix_ms, now)}, last recall "
        f"{_ago(statistics.last_recall_unix_ms, now)}",
    )
    if statistics.pending_chunks:
        yield Finding(
            "embedding queue",
            "note",
            f"{statistics.pending_chunks} chunks wait; a running server works them off",
            "mimir reindex does it now",
        )


def _command() -> Finding:
    found = shutil.which("mimir")
    if found is None:
        return Finding(
            "command",
            "note",
            "mimir is not on PATH; hosts need its whole path",
            "mimir connect writes it for you",
        )
    return Finding("command", "ok", found)


def _engine(preference: str) -> Iterator[Finding]:
    from mimir_py.storage.engine import load_engine

    try:
        engine = load_engine(preference)
    except MimirError as error:
        yield Finding("SQLite", "fault", str(error), "pip install pysqlite3")
        return
    detail = f"{engine.version_text} ({engine.name})"
    if engine.wal_safe:
        yield Finding("SQLite", "ok", detail)
    else:
        yield Finding(
            "SQLite",
            "note",
            f"{detail} can damage a log that several processes share; Mimir's lock "
            "file prevents that",
            "pip install pysqlite3 for a newer one",
        )
    if engine.extensions:
        yield Finding("sqlite-vec", "ok", "loads")
    else:
        yield Finding(
            "sqlite-vec",
            "note",
            "this Python cannot load extensions; vectors are searched in memory instead",
        )


def _permissions(path: Path, settings: Settings) -> Iterator[Finding]:
    from mimir_py.storage.files import open_to_others

    secrets = [file for file in (settings.encryption_key, settings.passphrase_file) if file]
    for file in (path, path.with_name(path.name + "-wal"), path.parent, *secrets):
        if file.exists() and open_to_others(file):
            mode = "700" if file.is_dir() else "600"
            if file.is_dir() and file != Path.home() / ".mimir" / "data":
                continue
            yield Finding("permissions", "fault", f"others can read {file}", f"chmod {mode} {file}")


def _clients() -> Iterator[Finding]:
    from mimir_py.cli.connect import connected_hosts

    hosts = connected_hosts()
    if hosts:
        yield Finding("clients", "ok", "connected: " + ", ".join(hosts))
    else:
        yield Finding(
            "clients",
            "note",
            "no host is connected from here",
            "mimir connect --client NAME (mimir connect --help lists them)",
        )


def _ago(then: int | None, now: int) -> str:
    if then is None:
        return "never"
    days = max(0, now - then) // _DAY_MS
    return "today" if days == 0 else f"{days} days ago"


_MARKS: Final[dict[str, tuple[str, str]]] = {
    "ok": ("ok", "green"),
    "note": ("note", "yellow"),
    "fault": ("FAULT", "red"),
}


def _print(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        mark, style = _MARKS[finding.level]
        table.add_row(Text(mark, style=style), finding.name, Text(finding.detail))
        if finding.mend:
            table.add_row("", "", Text(f"→ {finding.mend}", style="bold"))
    console = Console()
    console.print(table)
    faults = sum(finding.level == "fault" for finding in findings)
    console.print("All is well." if not faults else f"{faults} to mend.")
