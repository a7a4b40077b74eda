"""Rows of large graphs and of single look-ups, and what a long call leaves to the others."""

import contextlib
import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.bulk import LockProbe
from benchmarks.client import BenchError, Server
from benchmarks.keeping import lock_row
from benchmarks.measure import MS, Goal, Row, latency, percentile, shown_latency
from benchmarks.scale import questions
from benchmarks.setting import Setting
from benchmarks.stores import LARGE, entity_id
from mimir_py.values import system_clock
from mimir_py.vault.jsonl import header

_PREFIX: Final = "05"
_ROOTS: Final = 200
_DEGREE: Final = 20
# Most links stay within a group, as those of a project do.
_GROUP: Final = 50
_WITHIN: Final = 0.7
_SEED: Final = 31
_SAMPLES: Final = 300
_BEFORE: Final = 100

# A tool and its arguments.
Asked = tuple[str, Mapping[str, Any]]


def traverse(setting: Setting) -> list[Row]:
    """From memories with 20 links, three deep, among 100,000 memories with 1,000,000 links."""
    store = _graph(setting, 1_000_000)
    with setting.program.serve(store) as server:
        server.initialize()
        asked = [("mimir_traverse", {"category": "node", "key": _key(n)}) for n in range(_ROOTS)]
        what = "traverse, depth 3 from degree 20, 1,000,000 links; the p95"
        return [_looked_up(server, "traverse", what, asked, Goal(20, "ms"))]


def communities(setting: Setting) -> list[Row]:
    """Over 100,000 memories with 300,000 links, with recalls by words meanwhile."""
    store = _graph(setting, 300_000)
    recall = ("mimir_recall", {"query": "what node 77 is about", "limit": 10, "mode": "fts5"})
    with setting.program.serve(store) as server:
        server.initialize()
        before, seconds, meanwhile, cpu, probe = _beside(
            server, store, ("mimir_communities", {}), lambda number: recall
        )
    return [
        Row(
            "communities",
            f"communities of {LARGE:,} memories with 300,000 links",
            seconds,
            f"{seconds:.2f} s ({cpu:.2f} of CPU)",
            Goal(5, "s"),
            {"seconds": seconds, "cpu_seconds": cpu},
        ),
        _meanwhile_row("communities_recall", before, meanwhile),
        lock_row("communities_lock", probe),
    ]


def autocohere(setting: Setting) -> list[Row]:
    """A whole pass over 100,000 memories, with recalls meanwhile."""
    store = setting.store_copy(setting.stores.large())
    asked = questions(_SAMPLES)

    def recall(number: int) -> Asked:
        return ("mimir_recall", {"query": asked[number % len(asked)], "limit": 10})

    with setting.program.serve(store) as server:
        server.initialize()
        _wait_for_index(server)
        before, seconds, meanwhile, cpu, probe = _beside(
            server, store, ("mimir_autocohere", {}), recall
        )
    return [
        Row(
            "autocohere",
            f"autocohere of {LARGE:,} memories",
            seconds,
            f"{seconds:.2f} s ({cpu:.2f} of CPU, recalls included)",
            Goal(20, "s"),
            {"seconds": seconds, "cpu_seconds": cpu},
        ),
        _meanwhile_row("autocohere_recall", before, meanwhile),
        lock_row("autocohere_lock", probe),
    ]


def look_ups(setting: Setting) -> list[Row]:
    """Single look-ups and journal entries, in a store of 100,000 memories."""
    store = setting.store_copy(setting.stores.large())
    generator = random.Random(_SEED)  # noqa: S311  # only to choose samples
    with setting.program.serve(store) as server:
        server.initialize()
        _wait_for_index(server)
        ids = [entity_id("02", generator.randint(1, LARGE)) for _ in range(_SAMPLES)]
        named = [server.call("mimir_get_entity", {"id": id}).result for id in ids]
        now = system_clock()
        names = [{"category": found["category"], "key": found["key"]} for found in named]
        server.call("mimir_state_set", {"key": "bench", "value": "1"})
        entry = {"event_type": "note", "acted": {"what": "measured"}}
        rows: Mapping[str, Sequence[Asked]] = {
            "get_entity": [("mimir_get_entity", {"id": id}) for id in ids],
            "as_of": [("mimir_as_of", {**name, "as_of_unix_ms": now}) for name in names],
            "state_get": [("mimir_state_get", {"key": "bench"})] * _SAMPLES,
            "journal_append": [("mimir_journal", entry)] * _SAMPLES,
        }
        measured = [
            _looked_up(server, name, f"{name}, {LARGE:,} memories; the p95", asked, Goal(3, "ms"))
            for name, asked in rows.items()
        ]
    return [*measured, _bare_commit(setting.folder / "commits.db")]


def _wait_for_index(server: Server) -> None:
    """Return when all vectors are loaded: what is measured is no server that has just started."""
    while "index_building" in server.call("mimir_recall", {"query": questions(1)[0]}).result:
        time.sleep(0.25)


def _bare_commit(path: Path) -> Row:
    """What this disk takes for the least that an entry needs: one row, one COMMIT."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE t (x TEXT)")
        seconds = []
        for _ in range(_SAMPLES):
            started = time.perf_counter()
            connection.execute("INSERT INTO t VALUES ('what was measured')")
            seconds.append(time.perf_counter() - started)
    raw = latency(seconds)
    what = "... a bare COMMIT of one row on this disk; the p95"
    return Row("bare_commit", what, raw["p95_ms"], shown_latency(raw), None, raw)


def _looked_up(server: Server, name: str, what: str, asked: Sequence[Asked], goal: Goal) -> Row:
    """One call after the other; beside the p95, the server's CPU time of each."""
    for tool, arguments in asked[:_DEGREE]:
        server.call(tool, arguments)
    cpu = server.cpu_seconds()
    raw = latency([server.call(tool, arguments).seconds for tool, arguments in asked])
    each = (server.cpu_seconds() - cpu) / len(asked) * MS
    shown = f"{shown_latency(raw)} ({each:.2f} of CPU each)"
    return Row(name, what, raw["p95_ms"], shown, goal, {**raw, "cpu_ms_each": round(each, 3)})


def _beside(
    server: Server, store: Path, long: Asked, asked: Callable[[int], Asked]
) -> tuple[list[float], float, list[float], float, LockProbe]:
    """A long call with others meanwhile.

    Seconds of the others before and meanwhile, of the long one, its CPU seconds, and the lock.
    """
    before = [server.call(*asked(number)).seconds for number in range(_BEFORE)]
    meanwhile: list[float] = []
    answer: dict[str, Any] | None = None
    with LockProbe(store) as probe:
        cpu, started = server.cpu_seconds(), time.perf_counter()
        own = server.post("tools/call", {"name": long[0], "arguments": long[1]})
        while answer is None:
            tool, arguments = asked(len(meanwhile))
            sent = time.perf_counter()
            other = server.post("tools/call", {"name": tool, "arguments": arguments})
            while (message := server.next_message()).get("id") != other:
                if message.get("id") == own:
                    answer, seconds = message, time.perf_counter() - started
            if answer is None:
                meanwhile.append(time.perf_counter() - sent)
        cpu = server.cpu_seconds() - cpu
    if "error" in answer or answer["result"].get("isError"):
        raise BenchError(f"{long[0]}: {str(answer)[:200]}")
    return before, seconds, meanwhile, cpu, probe


def _meanwhile_row(name: str, before: Sequence[float], meanwhile: Sequence[float]) -> Row:
    if not meanwhile:
        return Row(name, "... recall meanwhile", None, "it was over before the first recall")
    slower = percentile(meanwhile, 0.95) / percentile(before, 0.95)
    raw = {"before": latency(before), "meanwhile": latency(meanwhile)}
    shown = f"{shown_latency(raw['meanwhile'])}, before {shown_latency(raw['before'])}"
    what = "... recall meanwhile, its p95 against that before"
    return Row(name, what, slower, f"{slower:.1f} x: {shown}", Goal(2, "x"), raw)


def _graph(setting: Setting, links: int) -> Path:
    store, lines = setting.folder / "graph.db", setting.folder / "graph.jsonl"
    with lines.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in _nodes(links))
    setting.program.run("import", lines, "--db", store, "--no-embed")
    return store


def _nodes(links: int) -> Iterator[str]:
    """Memories with as many links each; the first ones with 20."""
    generator = random.Random(_SEED)  # noqa: S311  # a made graph
    yield header()
    for number in range(LARGE):
        group = number // _GROUP * _GROUP
        degree = _DEGREE if number < _ROOTS else links // LARGE
        targets: set[int] = set()
        while len(targets) < degree:
            near = generator.random() < _WITHIN
            target = group + generator.randrange(_GROUP) if near else generator.randrange(LARGE)
            if target != number:
                targets.add(target)
        yield json.dumps(
            {
                "record": "memory",
                "id": entity_id(_PREFIX, number),
                "category": "node",
                "key": _key(number),
                "body_json": json.dumps({"content": f"what node {number} is about"}),
                "links": [
                    {"target_id": entity_id(_PREFIX, target), "relationship": "uses"}
                    for target in sorted(targets)
                ],
            }
        )


def _key(number: int) -> str:
    return f"node-{number}"
