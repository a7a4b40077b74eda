"""The flags of `mimir serve`, made from the settings' rows. Imports nothing slow: hosts wait."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from mimir_py import __version__
from mimir_py.config import Settings, load, process_environment
from mimir_py.connectors import read_connectors
from mimir_py.errors import ConfigError

# Flags of the program whose clients we serve that ask for what is so anyway.
_ACCEPTED: Final = ("--mcp", "--offline")
# ... and those that ask for what this version does not have. To ignore them could be unsafe.
_NOT_YET: Final = {
    "--web": "the dashboard",
    "--port": "the dashboard",
    "--web-bind": "the dashboard",
    "--web-auth-token": "the dashboard",
    "--llm-endpoint": "language models",
    "--llm-api-key": "language models",
    "--llm-model": "language models",
    "--embedding-endpoint": "remote embedding",
    "--embedding-model": "other embedding models",
    "--mcp-token": "network transports",
    "--workspace-token": "network transports",
}
_FLAGS_WITHOUT_VALUE: Final = frozenset({*_ACCEPTED, "--web"})


def is_serving(arguments: Sequence[str], *, interactive: bool) -> bool:
    """Whether the command line asks for the server: `serve`, or no command at all.

    A person who types a bare `mimir` wants the help.
    """
    if not arguments:
        return not interactive
    for position, argument in enumerate(arguments):
        if not argument.startswith("-"):
            before = arguments[position - 1] if position else ""
            if before.startswith("--") and "=" not in before and before not in _FLAGS_WITHOUT_VALUE:
                continue
            return argument == "serve"
    return not {"--help", "-h", "--version", "--install-completion", "--show-completion"} & set(
        arguments
    )


def parse_serve(arguments: Sequence[str]) -> Settings:
    """The settings of a server's command line and environment; exits with 2 if they are wrong."""
    parser = _parser()
    given = vars(parser.parse_args([a for a in arguments if a != "serve"]))
    if given.pop("transport") != "stdio":
        parser.error("--transport: this version serves stdio only")
    for flag, what in _NOT_YET.items():
        if given.pop(_name(flag)) not in (None, False):
            parser.error(f"{flag}: this version does not have {what} yet")
    for flag in _ACCEPTED:
        given.pop(_name(flag))
    try:
        settings = load(process_environment(), given)
        read_connectors(settings.connectors_config)
    except ConfigError as error:
        print(f"mimir: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mimir serve",
        description="Serve memory to an agent over stdio (MCP).",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"mimir {__version__}")
    for row in fields(Settings):
        if row.metadata["flag"]:
            help_text = row.metadata["help"].replace("%", "%%")
            parser.add_argument(row.metadata["flag"], dest=row.name, help=help_text)
    parser.add_argument("--transport", default="stdio", help=argparse.SUPPRESS)
    for flag in _ACCEPTED:
        parser.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    for flag in _NOT_YET:
        if flag in _FLAGS_WITHOUT_VALUE:
            parser.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
        else:
            parser.add_argument(flag, help=argparse.SUPPRESS)
    return parser


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")
