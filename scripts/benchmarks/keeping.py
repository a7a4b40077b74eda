"""Rows of keeping memories over time: what a pass takes, and what others notice of it.

Seconds on the clock are held against the goals; CPU seconds of the server are shown beside them,
because a busy machine lengthens only the former.
"""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.bulk import LockProbe, summary
from benchmarks.client import BenchError, Server
from benchmarks.corpus import Memory
from benchmarks.measure import Goal, Row
from benchmarks.setting import Setting
from benchmarks.stores import LARGE, write_import
from mimir_py.storage.database import Writer, open_database
from mimir_py.storage.engine import load_engine

LOCK_GOAL: Final = Goal(50, "ms")
_BUSY_TIMEOUT_MS: Final = 30_000
_SETS: Final = Path(__file__).parents[1] / "evaluation"
_STATEMENTS: Final = 2_000
_STATEMENTS_SEED: Final = 5
_CATEGORY: Final = "note"
# Fresh once, then unused for five to ten days: every one fades, none is archived.
_AGE: Final = """
    UPDATE main.entities SET decay_score = 1,
        last_accessed_unix_ms = last_accessed_unix_ms - 86400000 * (5 + row_id % 6)
"""


@dataclass(frozen=True)
class Timed:
    """A call: what it answered, seconds on the clock, CPU seconds of the server."""

    result: Mapping[str, Any]
    seconds: float
    cpu_seconds: float

    @property
    def shown(self) -> str:
        return f"{self.seconds:.2f} s ({self.cpu_seconds:.2f} of CPU)"

    @property
    def raw(self) -> dict[str, float]:
        return {"seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_seconds, 3)}


def decay(setting: Setting) -> list[Row]:
    """Two passes over 100,000 memories: all fade in the first, none in the second."""
    store = setting.store_copy(setting.stores.large())
    asyncio.run(_change(store, _AGE))
    with setting.program.serve(store) as server:
        server.initialize()
        server.call("mimir_health", {})
        with LockProbe(store) as probe:
            first = timed(server, "mimir_decay", {})
        second = timed(server, "mimir_decay", {})
    stored = [run.result["entities_updated"] for run in (first, second)]
    if stored != [LARGE, 0] or first.result["auto_archived"]:
        raise BenchError(f"freshness was stored {stored} times: {first.result}")
    what = f"decay of {LARGE:,} memories"
    return [
        Row("decay", f"{what}, all fading", first.seconds, first.shown, Goal(0.6, "s"), first.raw),
        lock_row("decay_lock", probe),
        Row(
            "decay_again",
            f"{what}, again",
            second.seconds,
            second.shown,
            Goal(0.2, "s"),
            second.raw,
        ),
    ]


def conflicts(setting: Setting) -> list[Row]:
    """2,000 memories, 100 contradictions planted among near repeats, look-alikes and others.

    Twice, with sets of different authors: of software work, and of everyday life.
    """
    return _conflicts(setting, "contradictions", "software") + _conflicts(
        setting, "contradictions_everyday", "everyday"
    )


def _conflicts(setting: Setting, name: str, of: str) -> list[Row]:
    store, lines = setting.folder / f"{name}.db", setting.folder / f"{name}.jsonl"
    planted = {frozenset(pair) for pair in _write_statements(lines, f"{name}.tsv")}
    setting.program.run("import", lines, "--db", store)
    with setting.program.serve(store) as server:
        server.initialize()
        server.call("mimir_health", {})
        run = timed(server, "mimir_conflicts", {"category": _CATEGORY, "limit": _STATEMENTS})
    found = {
        frozenset(pair[end]["key"] for end in ("entity_a", "entity_b"))
        for pair in run.result["conflicts"]
    }
    if run.result["entities_compared"] != _STATEMENTS or len(found) != run.result["total"]:
        raise BenchError(f"not all was compared, or not all told: {run.result['total']}")
    right = len(found & planted)
    raw = {**run.raw, "found": len(found), "right": right, "planted": len(planted)}
    precision, recall = right / max(1, len(found)), right / len(planted)
    return [
        Row(
            f"conflicts_{of}_precision",
            f"contradictions among {_STATEMENTS:,} memories, {of}: precision",
            precision,
            f"{precision:.3f} ({right} of {len(found)})",
            Goal(0.9, "", at_least=True),
            raw,
        ),
        Row(
            f"conflicts_{of}_recall",
            "... recall",
            recall,
            f"{recall:.3f} ({right} of {len(planted)})",
            Goal(0.8, "", at_least=True),
        ),
        Row(f"conflicts_{of}", "... time", run.seconds, run.shown, None),
    ]


def timed(server: Server, tool: str, arguments: Mapping[str, Any]) -> Timed:
    """Call a tool."""
    cpu, started = server.cpu_seconds(), time.perf_counter()
    result = server.call(tool, arguments).result
    return Timed(result, time.perf_counter() - started, server.cpu_seconds() - cpu)


def lock_row(name: str, probe: LockProbe) -> Row:
    """The longest that another program waited for the write lock."""
    raw = summary(probe)
    shown = f"{raw['longest_ms']:.0f} ms (the probe's own delay: up to {raw['latest_nap_ms']:.0f})"
    what = "... longest wait for the write lock meanwhile"
    return Row(name, what, raw["longest_ms"], shown, LOCK_GOAL, raw)


def _write_statements(path: Path, name: str) -> list[tuple[str, str]]:
    """Write a frozen set for `mimir import`, shuffled; the keys of what contradicts what.

    Notes of software work that have nothing to do with each other fill it up.
    """
    pairs = [line.split("\t") for line in (_SETS / name).read_text().splitlines()]
    notes = json.loads((_SETS / "distractors.json").read_text(encoding="utf-8"))["memories"]
    texts = [text for _, one, other in pairs for text in (one, other)]
    texts += [note["body"] for note in notes[: _STATEMENTS - len(texts)]]
    numbers = list(range(_STATEMENTS))
    random.Random(_STATEMENTS_SEED).shuffle(numbers)  # noqa: S311  # only to mix them
    memories = [
        Memory(_CATEGORY, f"s{place:04}", texts[number], (), "")
        for place, number in enumerate(numbers)
    ]
    write_import(path, memories, "04")
    keys = {number: f"s{place:04}" for place, number in enumerate(numbers)}
    return [
        (keys[2 * line], keys[2 * line + 1])
        for line, (kind, _, _) in enumerate(pairs)
        if kind == "contradiction"
    ]


async def _change(store: Path, statement: str) -> None:
    def work(tx: Writer) -> int:
        return tx.run(statement)

    async with open_database(store, load_engine("auto"), _BUSY_TIMEOUT_MS) as database:
        await database.write(work)
