"""Rows, goals and statistics, and what must be known of the machine to read a number."""

import math
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mimir_py.storage.engine import load_engine
from mimir_py.values import system_clock

MS: Final = 1_000.0
# Megabytes and kilobytes are decimal, the stricter reading of a goal.
MB: Final = 1_000_000
KB: Final = 1_000
_KIB: Final = 1_024
_SYNCS: Final = 40


@dataclass(frozen=True)
class Goal:
    """A limit a measured number should keep to."""

    limit: float
    unit: str
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Row:
    """One line of the table: `value` is held against the goal, `shown` is read by people."""

    name: str
    what: str
    value: float | None
    shown: str
    goal: Goal | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False

    @property
    def verdict(self) -> str:
        """`pass`, `short`, `failed` (not measured), or nothing for a row without a goal."""
        if self.failed:
            return "failed"
        if self.goal is None or self.value is None:
            return ""
        return "pass" if self.goal.met(self.value) else "short"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "value": self.value,
            "shown": self.shown,
            "goal": None if self.goal is None else str(self.goal),
            "verdict": self.verdict,
            "raw": self.raw,
        }


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that `share` of the samples do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latency(seconds: Sequence[float]) -> dict[str, Any]:
    """Percentiles of some latencies in milliseconds, with every sample."""
    return {
        "p50_ms": round(percentile(seconds, 0.50) * MS, 3),
        "p95_ms": round(percentile(seconds, 0.95) * MS, 3),
        "p99_ms": round(percentile(seconds, 0.99) * MS, 3),
        "samples_ms": [round(sample * MS, 3) for sample in seconds],
    }


def shown_latency(raw: Mapping[str, Any]) -> str:
    """`p50/p95/p99` of what `latency` gave."""
    return f"{raw['p50_ms']:.1f} / {raw['p95_ms']:.1f} / {raw['p99_ms']:.1f} ms"


def resident(name: str, what: str, runs: Sequence[dict[str, int]], goal: Goal) -> Row:
    """A row of resident memory: the median of some `Server.memory_kib`."""
    megabytes = median([run["VmRSS"] for run in runs]) * _KIB / MB
    peak = max(run["VmHWM"] for run in runs) * _KIB / MB
    shown = f"{megabytes:.0f} MB (peak {peak:.0f})"
    return Row(name, what, megabytes, shown, goal, {"runs_kib": list(runs)})


class Company:
    """How many cores other programs kept busy since this was made: on a shared machine, noise.

    The CPU time of a child counts as ours once it has been waited for.
    """

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._busy, self._own = _busy_seconds(), _own_seconds()

    def cores(self) -> float:
        elapsed = time.perf_counter() - self._started
        others = _busy_seconds() - self._busy - (_own_seconds() - self._own)
        return max(0.0, round(others / elapsed, 2))


def _busy_seconds() -> float:
    """CPU seconds of all programs since boot, with what the host took away (steal)."""
    user, nice, system, _, _, irq, softirq, steal = map(int, _lines("/proc/stat")[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def machine(work_folder: Path, version: str) -> dict[str, Any]:
    """The machine and the programs, and how busy it is before anything is measured."""
    engine = load_engine("auto")
    return {
        "started_at_unix_ms": system_clock(),
        "mimir": version,
        "cpu": _proc_value("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory_mb": round(int((_proc_value("/proc/meminfo", "MemTotal") or "0").split()[0]) / KB),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": f"{engine.version_text} ({engine.name})",
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "work_folder_file_system": _file_system(work_folder),
        "write_and_sync_4k_ms": latency(_syncs(work_folder)),
    }


def _syncs(folder: Path) -> list[float]:
    """How long a durable write of one page takes: the floor under a remember."""
    seconds = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            started = time.perf_counter()
            file.write(bytes(4_096))
            file.flush()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - started)
    return seconds


def _file_system(folder: Path) -> str:
    """The type of the file system a folder is on; a `tmpfs` makes syncing free."""
    mounts = [line.split() for line in _lines("/proc/mounts")]
    here = [
        (len(mount[1]), mount[2]) for mount in mounts if folder.resolve().is_relative_to(mount[1])
    ]
    return max(here)[1] if here else "unknown"


def _proc_value(path: str, name: str) -> str | None:
    lines = (line.partition(":") for line in _lines(path))
    return next((value.strip() for key, _, value in lines if key.strip() == name), None)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))
