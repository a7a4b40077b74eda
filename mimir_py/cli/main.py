"""The `mimir` command line."""

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from mimir_py import __version__
from mimir_py.cli import (
    backups,
    connect,
    doctor,
    documents,
    journal,
    lifecycle,
    memories,
    migrating,
    notes,
    prepare,
    quality,
    sealing,
    sharing,
    transfer,
)
from mimir_py.cli.session import top_level

app = typer.Typer(
    name="mimir",
    help="Durable memory for coding agents. Without a command: serve it over stdio (MCP).",
    epilog="Every command opens a sealed store with --encryption-key FILE, --passphrase-file FILE "
    "or --keychain ENTRY.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mimir {__version__}")
        raise typer.Exit


@app.callback()
def main(
    db: Annotated[
        str | None, typer.Option("--db", help="The store to use.", metavar="PATH")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    top_level.db = db


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    help="Serve memory to an agent over stdio (MCP). `mimir serve --help` lists the flags.",
)
def serve() -> None:
    # `mimir_py.__main__` takes this command before typer is imported.
    raise typer.Exit(2)


memories.add_commands(app)
lifecycle.add_commands(app)
transfer.add_commands(app)
migrating.add_commands(app)
sharing.add_commands(app)
notes.add_commands(app)
documents.add_commands(app)
backups.add_commands(app)
journal.add_commands(app)
quality.add_commands(app)
prepare.add_commands(app)
sealing.add_commands(app)
doctor.add_commands(app)
connect.add_commands(app)


def run_command(arguments: Sequence[str]) -> int:
    """Run a command line; its exit code."""
    top_level.db = None
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name need not be text; stderr has this from Python.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(args=top_level.take_key(arguments), standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0
