"""`mimir connect` and `mimir disconnect`: put Mimir into a host's configuration, and out again."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mimir_py.cli.session import KEY_OPTIONS, Db, guarded, settings_for, top_level
from mimir_py.values import system_clock

Client = Annotated[
    str,
    typer.Option(
        "--client",
        help="claude-code, claude-desktop, cursor, windsurf, zed, vscode, codex or hermes.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the change and make none.")]


def add_commands(app: typer.Typer) -> None:
    app.command("connect")(connect_host)
    app.command("disconnect")(disconnect_host)


def connect_host(client: Client, db: Db = None, dry_run: DryRun = False) -> None:
    """Make a host start Mimir. Only our entry changes; the file is backed up first."""
    from mimir_py.cli import hosts

    chosen = db if db is not None else top_level.db
    _report(
        lambda: hosts.connect(
            client,
            command=_command(),
            db=None if chosen is None else Path(chosen).absolute(),
            key=_key(),
            dry_run=dry_run,
            now_unix_s=system_clock() // 1000,
            **_place(),
        )
    )


def _key() -> tuple[str, ...]:
    """The option that opens a sealed store, as it was given, with a path that holds anywhere."""
    settings = settings_for(None)
    for option, field in KEY_OPTIONS.items():
        if field in top_level.key:
            value = getattr(settings, field)
            return (option, str(value.absolute() if isinstance(value, Path) else value))
    return ()


def disconnect_host(client: Client, dry_run: DryRun = False) -> None:
    """Take Mimir out of a host's configuration; an unedited file comes back byte for byte."""
    from mimir_py.cli import hosts

    _report(lambda: hosts.disconnect(client, dry_run=dry_run, **_place()))


def connected_hosts() -> list[str]:
    """Titles of the hosts whose configuration has Mimir in it, seen from this folder."""
    from mimir_py.cli import hosts

    titles = []
    for host in hosts.HOSTS.values():
        path = hosts.locate(
            host,
            home=Path.home(),
            cwd=Path.cwd(),
            platform=sys.platform,
            override=settings_for(None).connect_config,
        )
        if path.is_file() and _has_entry(host, path):
            titles.append(host.title)
    return titles


def _has_entry(host: Any, path: Path) -> bool:
    from mimir_py.cli.hosts.models import ENTRY_NAME, EditError

    try:
        text = path.read_text(encoding="utf-8-sig")
        found: bool = host.editor.outline(text, host.container, ENTRY_NAME).has_entry
    except (OSError, UnicodeDecodeError, EditError):
        return False
    return found


def _place() -> dict[str, Any]:
    return {
        "home": Path.home(),
        "cwd": Path.cwd(),
        "platform": sys.platform,
        "config_override": settings_for(None).connect_config,
    }


def _command() -> str:
    """The whole path of the `mimir` command: hosts rarely share the shell's PATH."""
    started = Path(sys.argv[0])
    if started.stem == "mimir" and started.exists():
        return os.path.abspath(started)  # noqa: PTH100  # resolve() would leave the environment
    beside = Path(sys.executable).with_name("mimir.exe" if os.name == "nt" else "mimir")
    return str(beside) if beside.exists() else shutil.which("mimir") or "mimir"


def _report(run: Callable[[], Any]) -> None:
    from mimir_py.cli import hosts

    report = guarded(run)
    if report.dry_run:
        print(report.diff or f"{report.path}: nothing to change", end="\n")
        return
    print(f"{hosts.HOSTS[report.host].title}: {report.action}")
    print(f"  config:  {report.path}")
    if report.backup is not None:
        print(f"  backup:  {report.backup}")
    if report.kept:
        print(f"  kept:    {', '.join(report.kept)}")
    if report.next_step:
        print(f"  next:    {report.next_step}")
