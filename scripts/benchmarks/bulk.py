"""Rows of whole commands: importing, and the size of what is installed."""

import fcntl
import json
import os
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.client import BenchError
from benchmarks.corpus import Corpus
from benchmarks.measure import MB, MS, Goal, Row, median, percentile
from benchmarks.program import run
from benchmarks.setting import Setting
from benchmarks.stores import LARGE, large_memories, write_import
from mimir_py.config import process_environment

_REPOSITORY: Final = Path(__file__).parents[2]
_EMBEDDED: Final = 1_500
_EMBEDDED_WORDS: Final = 30
_EMBEDDED_SEED: Final = 21
_PROBE_EVERY_S: Final = 0.001
_LONGEST_KEPT: Final = 10


class LockProbe:
    """Takes a store's write lock for an instant every millisecond and notes how long it waited.

    How late its naps ended is noted too: on a busy machine that much of a wait is not the holder's.
    """

    def __init__(self, store: Path) -> None:
        self._handle = os.open(store.with_name(store.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lock-probe", daemon=True)
        self._started = time.perf_counter()
        self.waits: list[tuple[float, float]] = []
        self.naps: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._handle)

    def _run(self) -> None:
        while not self._stop.is_set():
            asked = time.perf_counter()
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            had = time.perf_counter()
            fcntl.flock(self._handle, fcntl.LOCK_UN)
            self.waits.append((had - asked, asked - self._started))
            time.sleep(_PROBE_EVERY_S)
            self.naps.append(time.perf_counter() - had - _PROBE_EVERY_S)


def import_plain(setting: Setting) -> list[Row]:
    """Whole `mimir import` commands, process start and all, with the lock probed meanwhile."""
    lines = write_import(setting.folder / "plain.jsonl", large_memories(), "02")
    rates, probes = [], []
    for number in range(setting.effort.rounds):
        store = setting.folder / f"plain-{number}.db"
        with LockProbe(store) as probe:
            rates.append(_import(setting, lines, store, LARGE, "--no-embed"))
        probes.append(probe)
        store.unlink()
    rate = median(rates)
    lock_raw = [summary(probe) for probe in probes]
    longest = max(summary["longest_ms"] for summary in lock_raw)
    late = max(summary["latest_nap_ms"] for summary in lock_raw)
    return [
        Row(
            "import_plain",
            f"import of {LARGE:,} memories, not embedded",
            rate,
            f"{rate:,.0f} /s",
            Goal(10_000, "/s", at_least=True),
            {"per_second_by_round": [round(value) for value in rates]},
        ),
        Row(
            "import_plain_lock",
            "... longest wait for the write lock meanwhile",
            longest,
            f"{longest:.0f} ms (the probe's own delay: up to {late:.0f})",
            Goal(50, "ms"),
            {"rounds": lock_raw},
        ),
    ]


def import_embedded(setting: Setting) -> list[Row]:
    """Whole `mimir import` commands, loading of the model and all."""
    memories = Corpus(_EMBEDDED_SEED, _EMBEDDED_WORDS).memories(_EMBEDDED)
    lines = write_import(setting.folder / "embedded.jsonl", memories, "03")
    rates = [
        _import(setting, lines, setting.folder / f"embedded-{number}.db", _EMBEDDED)
        for number in range(setting.effort.rounds)
    ]
    rate = median(rates)
    return [
        Row(
            "import_embedded",
            f"import of {_EMBEDDED:,} {_EMBEDDED_WORDS}-word texts, embedded",
            rate,
            f"{rate:.0f} /s",
            Goal(300, "/s", at_least=True),
            {"per_second_by_round": [round(value, 1) for value in rates]},
        )
    ]


def wheel(setting: Setting) -> list[Row]:
    """What a user downloads of ours."""
    folder = setting.folder / "wheel"
    command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ".")
    # All of the environment: pip may be told there where packages come from.
    run(command, _REPOSITORY, process_environment())
    [built] = folder.glob("*.whl")
    size = built.stat().st_size
    return [
        Row("wheel", built.name, size / MB, f"{size / MB:.1f} MB", Goal(30, "MB"), {"bytes": size})
    ]


def _import(setting: Setting, lines: Path, store: Path, count: int, *flags: str) -> float:
    """Memories a second of one command."""
    started = time.perf_counter()
    answer = json.loads(setting.program.run("import", lines, "--db", store, "--json", *flags))
    seconds = time.perf_counter() - started
    if answer["created"] != count:
        raise BenchError(f"imported {answer['created']} of {count} memories")
    return count / seconds


def summary(probe: LockProbe) -> dict[str, Any]:
    """A probe's longest waits in milliseconds, each with when it began."""
    longest = sorted(probe.waits, reverse=True)[:_LONGEST_KEPT]
    return {
        "longest_ms": round(longest[0][0] * MS, 2),
        "longest_waits": [
            {"ms": round(wait * MS, 2), "at_s": round(at, 3)} for wait, at in longest
        ],
        "p99_ms": round(percentile([wait for wait, _ in probe.waits], 0.99) * MS, 3),
        "probes": len(probe.waits),
        "latest_nap_ms": round(max(probe.naps) * MS, 2),
        "p99_nap_ms": round(percentile(probe.naps, 0.99) * MS, 3),
    }
