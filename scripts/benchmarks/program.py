"""The installed `mimir` command, run as its users and their hosts run it."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.client import BenchError, Server
from mimir_py.config import process_environment

_TIMEOUT_S: Final = 1_800
# Not a developer's own settings, and not PYTHONDONTWRITEBYTECODE: users start from bytecode.
_INHERITED: Final = frozenset({"PATH", "HOME", "LANG", "TMPDIR"})


class Program:
    """A `mimir` command whose processes write their stderr to a file in `folder`."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.log = folder / "stderr.log"
        self.environment = {
            name: value for name, value in process_environment().items() if name in _INHERITED
        }

    def serve(self, store: Path, *flags: str) -> Server:
        """A server on a store, just started."""
        return Server([self.path, "serve", "--db", store, *flags], self.log, self.environment)

    def run(self, *arguments: str | Path) -> str:
        """Run a command to its end; its standard output.

        Raises:
            BenchError: it failed or took too long.
        """
        return run([self.path, *arguments], self.log.parent, self.environment)


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> str:
    """Run any command to its end in a folder, with that environment; its standard output.

    Raises:
        BenchError: it failed or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(str(error)) from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise BenchError(f"{command[0]} exited with {done.returncode}: {last}")
    return done.stdout
