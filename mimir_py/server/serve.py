"""The process around the MCP door: `mimir serve`.

Ends within two seconds of the end of its input, of SIGTERM, SIGINT or SIGHUP, or of its parent's
death. What takes long to import is imported here only after the cheap refusals.
"""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mimir_py.config import Settings, find_store
from mimir_py.errors import MimirError
from mimir_py.storage import migrations
from mimir_py.storage.files import refuse_foreign


def run(settings: Settings, home: Path, cwd: Path) -> int:
    """Serve stdin and stdout until their end; the process's exit code."""
    os.umask(0o077)
    # What is imported stays: to look through it for garbage while it grows takes a tenth of the
    # start. The door collects again when the app is open.
    gc.disable()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="mimir: %(message)s")
    # The SDK logs rejected payloads, which may be memories.
    logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)
    found = find_store(settings, home)
    try:
        _check_selection(settings.tools)
        refuse_foreign(found.path, migrations.LATEST, has_key=settings.has_key)
        if settings.has_key:
            _check_key(settings, found.path)
    except MimirError as error:
        print(f"mimir: {error}", file=sys.stderr)
        return error.exit_code
    _say_which(found.path, found.ignored)
    from mimir_py.server.connection import Connection

    asyncio.run(Connection(settings, home, cwd).serve())
    return 0


def _check_key(settings: Settings, path: Path) -> None:
    """Refuse a key that does not open the store, before a client hears that we serve."""
    from mimir_py.security import keys
    from mimir_py.security.unlocking import secret_of
    from mimir_py.storage.engine import load_engine
    from mimir_py.storage.sealing import read_header
    from mimir_py.storage.verify import reading

    secret = secret_of(settings)
    if secret is None or not path.exists():
        return
    with reading(path, load_engine(settings.sqlite_driver)) as connection:
        header = read_header(connection)
    if header is not None:
        keys.unlock(header, secret)


def _check_selection(tools: str) -> None:
    """Refuse names of tools there are not; the usual words need no look at the catalogue."""
    if tools not in ("full", "lean"):
        from mimir_py.app import CATALOGUE

        CATALOGUE.selected(tools)


def _say_which(path: Path, ignored: Sequence[Path]) -> None:
    if ignored:
        others = ", ".join(map(str, ignored))
        print(f"mimir: using {path}; not using {others} (choose with --db)", file=sys.stderr)
