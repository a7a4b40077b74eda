"""R9: backups of a store that is written meanwhile, killed backups and killed restores."""

import json
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.client import Server

from torments import checks
from torments.kills import stream
from torments.outcome import Outcome, Tally
from torments.setting import Setting
from torments.workload import State, Workload

_BACKUPS: Final = 4
_RESTORES: Final = 2
# Writes before the first backup, and seconds within which a command is killed.
_WRITTEN_FIRST: Final = 30
_BACKUP_LATEST_S: Final = 1.5
_RESTORE_LATEST_S: Final = 1.2
_PATIENCE_S: Final = 120


def backed_up(setting: Setting) -> Outcome:
    """R9: backups under writes, kill -9 of backups and restores, restores of a store in use."""
    tally, control = Tally(), Tally()
    figures = {"backups": 0, "killed at work": 0, "restores killed": 0}
    for number in setting.tries(setting.effort.backup_rounds):
        run = _Round(setting, number)
        run.write_and_back_up()
        tally.add(f"round {number}", [*run.faults, *run.restore_faults()])
        control.add(f"round {number}", run.copy_faults)
        figures["backups"] += run.made
        figures["killed at work"] += run.killed
        figures["restores killed"] += run.restores_killed
    return Outcome(
        "R9",
        "a finished backup holds all that was acknowledged before it began; a killed one is never "
        "listed; a restore is whole or not at all, and refused while the store is in use",
        tally,
        "copies of the main file alone",
        control,
        figures=figures,
    )


@dataclass
class _Progress:
    """What the stream of writes has got acknowledged."""

    last: int = 0


class _Round:
    """One store, from its first write to its last restore."""

    def __init__(self, setting: Setting, number: int) -> None:
        self._setting = setting
        self._random: random.Random = setting.random(f"backups {number}")
        self._folder = setting.new_folder()
        self._store = self._folder / "memory.db"
        self._workload = Workload(self._random, number % 100)
        self._progress = _Progress()
        self.faults: list[str] = []
        self.copy_faults: list[str] = []
        self.made = self.killed = self.restores_killed = 0

    def write_and_back_up(self) -> None:
        with self._setting.serve(self._store) as server:
            server.initialize()
            writing = threading.Thread(target=self._write, args=(server,))
            writing.start()
            try:
                while self._progress.last < _WRITTEN_FIRST and writing.is_alive():
                    time.sleep(0.01)
                before = self._progress.last
                bare = shutil.copyfile(self._store, self._folder / "bare.db")
                needed = [self._back_up(is_killed=turn % 2 == 1) for turn in range(_BACKUPS)]
                refused = self._command("restore", bare)
            finally:
                server.kill()
                writing.join()
        if refused.returncode == 0 or "open in other processes" not in refused.stderr:
            self.faults.append(f"a restore of a store in use: {refused.stderr or refused.stdout}")
        self.copy_faults = self._judged(bare, before)
        listed = self._listed()
        for path, acknowledged in filter(None, needed):
            if path not in listed:
                self.faults.append(f"{path.name} was made and is not listed")
            self.faults += self._judged(path, acknowledged)
        for path in listed:
            self.faults += self._judged(path, 0)

    def restore_faults(self) -> list[str]:
        """Restore backups, killed meanwhile: the store is the old one or the new one."""
        faults: list[str] = []
        for path in self._listed()[:_RESTORES]:
            old, new = _held(self._store), _held(path)
            process = self._started("restore", path)
            self.restores_killed += self._is_killed(process, _RESTORE_LATEST_S)
            found = _held(self._store)
            if found not in (old, new):
                faults.append("a killed restore left neither the old store nor the new one")
            done = self._command("restore", path)
            if done.returncode or _held(self._store) != new:
                faults.append(f"restore: {done.stderr or 'another store than the backup'}")
            verified = self._command("journal", "verify")
            if verified.returncode:
                faults.append(f"journal after a restore: {verified.stderr}")
        return faults

    def _write(self, server: Server) -> None:
        def heard(number: int) -> None:
            self._progress.last = number

        stream(server, self._workload, heard)

    def _back_up(self, *, is_killed: bool) -> tuple[Path, int] | None:
        """One backup, and what was acknowledged before it began; `None` if it was killed."""
        before = self._progress.last
        if is_killed:
            self.killed += self._is_killed(self._started("backup"), _BACKUP_LATEST_S)
            return None
        done = self._command("backup", "--json")
        if done.returncode:
            self.faults.append(f"backup: {done.stderr}")
            return None
        self.made += 1
        return Path(json.loads(done.stdout)["path"]), before

    def _is_killed(self, process: "subprocess.Popen[str]", latest: float) -> bool:
        """Kill a command at some moment; whether it was still at work."""
        try:
            process.wait(self._random.uniform(0, latest))
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait() < 0

    def _listed(self) -> list[Path]:
        done = self._command("backup", "--list", "--json")
        if done.stderr:
            self.faults.append(f"listing: {done.stderr}")
        return [Path(found["path"]) for found in json.loads(done.stdout)]

    def _judged(self, path: Path, acknowledged: int) -> list[str]:
        """Why a copy is not the store as it was at some moment after that many writes."""
        try:
            with checks.opened(path) as connection:
                if not checks.has_tables(connection):
                    return [f"{path.name} has no tables"]
                faults = checks.not_a_prefix(checks.held(connection), self._workload, acknowledged)
                faults += checks.parts_disagree(connection) + checks.broken(connection)
        except checks.SqliteError as error:
            return [f"{path.name}: {error}"]
        return [f"{path.name}: {fault}" for fault in faults]

    def _started(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self._line(arguments),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self._setting.program.environment,
        )

    def _command(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._line(arguments),
            capture_output=True,
            text=True,
            check=False,
            env=self._setting.program.environment,
            timeout=_PATIENCE_S,
        )

    def _line(self, arguments: Sequence[str | Path]) -> list[str | Path]:
        return [self._setting.program.path, *arguments, "--db", self._store]


def _held(path: Path) -> State:
    with checks.opened(path) as connection:
        return checks.held(connection)
