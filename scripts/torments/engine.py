"""R4: writers and checkpoints against each other, on the engines a store may meet."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from mimir_py.storage.engine import is_wal_safe
from torments import checks
from torments.outcome import NotMeasured, Outcome, Tally
from torments.setting import Setting

_WORKER: Final = Path(__file__).with_name("engine_worker.py")
_WRITERS: Final = 3
_CHECKPOINTERS: Final = 2
_MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108  # the defect shows best without a disk
_CONTROL_RUNS: Final = 4


def engine_stress(setting: Setting) -> Outcome:
    """R4: three writers and two checkpointers at full speed."""
    effort = setting.effort
    tally, commits = Tally(), 0
    stock = importlib.import_module("sqlite3").sqlite_version_info
    ways = ["bundled-locked", "bundled-bare", "system-locked"]
    for number in setting.tries(effort.stress_runs):
        for way in ways:
            faults, done = _stress(setting, way, effort.stress_s)
            commits += done
            tally.add(f"run {number}, {way}", faults)
    control = Tally()
    if not is_wal_safe(stock):
        for number in range(min(_CONTROL_RUNS, effort.stress_runs + 1)):
            faults, _ = _stress(setting, "system-bare", effort.stress_s)
            control.add(f"run {number}", faults)
    version = ".".join(map(str, stock))
    return Outcome(
        "R4",
        "writers and checkpoints at full speed: nothing lost or broken by the bundled engine, by "
        "it without our lock, by the system's under our lock",
        tally,
        f"the system's SQLite {version} without our lock"
        + (" (has the defect mended)" if is_wal_safe(stock) else ""),
        control,
        figures={"commits": commits, "bundled": checks.ENGINE.version_text, "system": version},
    )


def _stress(setting: Setting, way: str, seconds: float) -> tuple[list[str], int]:
    """Run workers on a new store; faults of the file afterwards, and how many commits it took."""
    folder = setting.new_folder()
    if _MEMORY_FOLDER.is_dir():
        folder = Path(f"{_MEMORY_FOLDER}/mimir-torture-{time.monotonic_ns()}")
        folder.mkdir()
    store = folder / "stress.db"
    try:
        _run(way, "make", store, 0, 0)
        roles = ["write"] * _WRITERS + ["checkpoint"] * _CHECKPOINTERS
        workers = [_started(way, role, store, number, seconds) for number, role in enumerate(roles)]
        reports = [worker.communicate()[0] for worker in workers]
        faults, written = [], {}
        for number, (worker, report) in enumerate(zip(workers, reports, strict=True)):
            if worker.returncode:
                faults.append(f"worker {number}: {report.strip().splitlines()[-1:]}")
            elif roles[number] == "write":
                written[number] = json.loads(report)["last"]
        return faults + _faults(store, written), sum(written.values())
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def _faults(store: Path, written: dict[int, int]) -> list[str]:
    try:
        with checks.opened(store) as connection:
            faults = [
                row[0] for row in connection.execute("PRAGMA integrity_check(3)") if row[0] != "ok"
            ]
            for writer, last in written.items():
                [count] = connection.execute(
                    "SELECT count(*) FROM written WHERE writer = ?", (writer,)
                ).fetchone()
                if count != last:
                    faults.append(f"writer {writer}: {last} acknowledged, {count} there")
            return faults
    except checks.SqliteError as error:
        return [f"corrupt: {error}"]


def _run(way: str, role: str, store: Path, number: int, seconds: float) -> None:
    worker = _started(way, role, store, number, seconds)
    report, _ = worker.communicate()
    if worker.returncode:
        raise NotMeasured(f"{way}: {report}")


def _started(
    way: str, role: str, store: Path, number: int, seconds: float
) -> "subprocess.Popen[str]":
    command = [sys.executable, _WORKER, way, role, store, str(number), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
