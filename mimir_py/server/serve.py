"""The process around the MCP door: `mimir serve`.

Ends within two seconds of the end of its input, of SIGTERM, SIGINT or SIGHUP, or of its parent's
death. What takes long to import is imported here only after the cheap refusals.
"""

import asyncio
import contextlib
import gc
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from mimir_py.config import Settings, find_store
from mimir_py.errors import MimirError
from mimir_py.server.streams import open_standard_descriptors
from mimir_py.storage import migrations
from mimir_py.storage.files import is_rust_store, refuse_foreign

_GIVE_WAY_S: Final = 0.0005


def run(settings: Settings, home: Path, cwd: Path) -> int:
    """Serve stdin and stdout until their end; the process's exit code."""
    os.umask(0o077)
    open_standard_descriptors()
    # What is imported stays: to look through it for garbage while it grows takes a tenth of the
    # start. The door collects again when the app is open.
    gc.disable()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="mimir: %(message)s")
    # The SDK logs rejected payloads, which may be memories.
    logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)
    found = find_store(settings, home)
    try:
        _check_selection(settings.tools)
        if is_rust_store(found.path):
            _check_old(settings, found.path)
        else:
            refuse_foreign(found.path, migrations.LATEST, has_key=settings.has_key)
            if settings.has_key:
                _check_key(settings, found.path)
    except MimirError as error:
        print(f"mimir: {error}", file=sys.stderr)
        return error.exit_code
    _say_which(found.path, found.ignored)
    from mimir_py.server.connection import Connection

    _run_to_its_end(Connection(settings, home, cwd).serve())
    return 0


def _check_old(settings: Settings, path: Path) -> None:
    """Refuse a store of the Rust program that could not be taken over, as `_check_key` does."""
    from mimir_py.importers.takeover import check_old_store
    from mimir_py.security.unlocking import secret_of
    from mimir_py.storage.engine import load_engine

    secret = secret_of(settings)
    key = None if secret is None or secret.kind != "file" else secret.value
    check_old_store(path, load_engine(settings.sqlite_driver), key)


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


def _run_to_its_end(serving: Coroutine[Any, Any, None]) -> None:
    """Run `serving`, whatever a task or callback beside it raises.

    `SystemExit` and `KeyboardInterrupt` leave the event loop wherever they are raised; who awaits
    the task that raised them is told all the same. Only a signal ends the server.
    """
    # Long work on threads of its own gives way to answers that soon, not only after 5 ms.
    sys.setswitchinterval(_GIVE_WAY_S)
    with asyncio.Runner() as runner:
        task = runner.get_loop().create_task(serving, name="mimir-serve")
        while not task.done():
            with contextlib.suppress(SystemExit, KeyboardInterrupt):
                runner.get_loop().run_until_complete(task)


def _check_selection(tools: str) -> None:
    """Refuse names of tools there are not; the usual words need no look at the catalogue."""
    if tools not in ("full", "lean"):
        from mimir_py.app import CATALOGUE

        CATALOGUE.selected(tools)


def _say_which(path: Path, ignored: Sequence[Path]) -> None:
    if ignored:
        others = ", ".join(map(str, ignored))
        print(f"mimir: using {path}; not using {others} (choose with --db)", file=sys.stderr)
