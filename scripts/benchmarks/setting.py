"""What every row works with: the installed command, folders, stores, and how many samples to take."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError, Server
from benchmarks.corpus import Memory
from benchmarks.stores import Stores
from mimir_py.config import process_environment
from mimir_py.vault.jsonl import header

_COMMAND_TIMEOUT_S: Final = 900


@dataclass(frozen=True)
class Effort:
    """How many samples a row takes."""

    starts: int = 11
    warm_up: int = 20
    rounds: int = 3
    per_round: int = 200


QUICK: Final = Effort(starts=5, rounds=1, per_round=60)


class Setting:
    """The installed `mimir`, a folder that is thrown away, and the stores to measure on."""

    def __init__(self, command: Path, folder: Path, stores: Stores, effort: Effort) -> None:
        self.command = command
        self.folder = folder
        self.stores = stores
        self.effort = effort
        self.log = folder / "stderr.log"
        # A developer's own settings must not change what is measured.
        self.environment = {
            name: value for name, value in process_environment().items()
            if not name.startswith("MIMIR_")
        }

    def server(self, store: Path, *flags: str) -> Server:
        """`mimir serve` on a store, just started."""
        return Server(
            [self.command, "serve", "--db", store, *flags], self.log, self.environment
        )

    def run(self, *arguments: str | Path) -> str:
        """Run `mimir` with arguments to its end; its standard output.

        Raises:
            BenchError: it failed.
        """
        return run([self.command, *arguments], self.folder, self.environment)

    def copy(self, store: Path) -> Path:
        """A copy of a store to write to, already on the disk."""
        return self.stores.copy(store, self.folder)


def run(command: list[str | Path], folder: Path, environment: dict[str, str]) -> str:
    """Run a command to its end in a folder; its standard output.

    Raises:
        BenchError: it failed or took too long.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False,
            timeout=_COMMAND_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(str(error)) from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise BenchError(f"{command[0]} exited with {done.returncode}: {last}")
    return done.stdout
