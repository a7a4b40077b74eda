"""Rows of a running server: start-up, remember, memory, and the listing of its tools."""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError, Server
from benchmarks.corpus import Corpus, Memory
from benchmarks.measure import KB, Goal, Row, latency, median, resident, shown_latency
from benchmarks.scale import ask, questions
from benchmarks.setting import Setting
from benchmarks.stores import entity_id

_BARE_SERVER: Final = Path(__file__).parent / "bare_server.py"
_REMEMBER_SEED: Final = 12
_RSS_RUNS: Final = 3
_RSS_RECALLS: Final = 300


def initialize(setting: Setting) -> list[Row]:
    """Fresh processes, by turns ours and the bare SDK's, each alone on the machine."""
    store = setting.store_copy(setting.stores.small())
    program = setting.program
    bare_command: list[str | Path] = [sys.executable, _BARE_SERVER]
    ours, bare = [], []
    # The first of each only warms the disk cache.
    for _ in range(setting.effort.starts + 1):
        with program.serve(store) as server:
            ours.append(server.initialize())
        with Server(bare_command, program.log, program.environment) as server:
            bare.append(server.initialize())
    own_raw, bare_raw = latency(ours[1:]), latency(bare[1:])
    ratio = median(ours[1:]) / median(bare[1:])
    raw = {"ratio": round(ratio, 3), "mimir": own_raw, "bare": bare_raw}
    return [
        Row(
            "initialize",
            "start to initialize, against a bare SDK server",
            ratio,
            f"{ratio:.2f} x",
            Goal(1.3, "x"),
            raw,
        ),
        Row(
            "initialize_ms",
            "start to initialize; bare server's median behind",
            own_raw["p50_ms"],
            f"{shown_latency(own_raw)} (bare {bare_raw['p50_ms']:.0f})",
        ),
    ]


def first_answer(setting: Setting) -> list[Row]:
    """Fresh processes that get their first recall right behind the handshake."""
    store = setting.store_copy(setting.stores.small())
    seconds = []
    for question in questions(setting.effort.starts + 1):
        with setting.program.serve(store) as server:
            server.initialize()
            ask(server, question)
            seconds.append(time.perf_counter() - server.started)
    raw = latency(seconds[1:])
    return [
        Row(
            "first_answer",
            "start to first recall answer, 10,000 memories; the median",
            raw["p50_ms"],
            shown_latency(raw),
            Goal(1_000, "ms"),
            raw,
        )
    ]


def remember_0(setting: Setting) -> list[Row]:
    """Into a store that is made by this very server."""
    return [_remember(setting, "remember_0", setting.folder / "remembered.db", "an empty store")]


def remember_10k(setting: Setting) -> list[Row]:
    """Into the small store."""
    store = setting.store_copy(setting.stores.small())
    return [_remember(setting, "remember_10k", store, "10,000 memories")]


def remember_100k(setting: Setting) -> list[Row]:
    """Into the large store."""
    store = setting.store_copy(setting.stores.large())
    return [_remember(setting, "remember_100k", store, "100,000 memories")]


def rss_before(setting: Setting) -> list[Row]:
    """What a server costs a host whose agent has looked at the tools and fetched one memory."""
    store = setting.store_copy(setting.stores.small())
    runs = []
    for _ in range(_RSS_RUNS):
        with setting.program.serve(store) as server:
            server.initialize()
            server.request("tools/list", {})
            server.call("mimir_get_entity", {"id": entity_id("01", 1)})
            runs.append(server.memory_kib())
    return [
        resident("rss_before", "resident memory before the first embedding", runs, Goal(110, "MB"))
    ]


def rss_10k(setting: Setting) -> list[Row]:
    """What it costs after a long session."""
    with setting.program.serve(setting.store_copy(setting.stores.small())) as server:
        server.initialize()
        for question in questions(_RSS_RECALLS):
            ask(server, question)
        runs = [server.memory_kib()]
    what = f"... after {_RSS_RECALLS} recalls over 10,000 memories"
    return [resident("rss_10k", what, runs, Goal(260, "MB"))]


def tools_list(setting: Setting) -> list[Row]:
    """Bytes that hosts put into every prompt."""
    rows = []
    for name, selection, limit in (("tools_list", "full", 45), ("tools_list_lean", "lean", 6)):
        with setting.program.serve(setting.folder / "tools.db", "--tools", selection) as server:
            server.initialize()
            result = server.request("tools/list", {}).result
        sizes = {tool["name"]: _bytes(tool) for tool in result["tools"]}
        size = _bytes(result)
        largest = max(sizes, key=lambda tool: sizes[tool])
        rows.append(
            Row(
                name,
                f"tools/list, {selection}",
                size / KB,
                f"{size / KB:.1f} KB for {len(sizes)}; largest {largest} {sizes[largest]}",
                Goal(limit, "KB"),
                {"bytes": size, "bytes_by_tool": sizes},
            )
        )
    return rows


def _remember(setting: Setting, name: str, store: Path, holding: str) -> Row:
    """Rounds of remembers, each stored, embedded and searchable when it is answered."""
    effort = setting.effort
    memories = Corpus(_REMEMBER_SEED).memories(effort.warm_up + effort.rounds * effort.per_round)
    with setting.program.serve(store) as server:
        server.initialize()
        for _ in range(effort.warm_up):
            _remember_one(server, next(memories))
        rates, seconds, last = [], [], None
        for _ in range(effort.rounds):
            batch = [next(memories) for _ in range(effort.per_round)]
            started = time.perf_counter()
            seconds += [_remember_one(server, memory) for memory in batch]
            rates.append(len(batch) / (time.perf_counter() - started))
            last = batch[-1]
        assert last is not None
        _require_found(server, last)
    rate = median(rates)
    raw = {"per_second_by_round": [round(value, 1) for value in rates], **latency(seconds)}
    return Row(
        name,
        f"remember into {holding}, embedded and durable",
        rate,
        f"{rate:.0f} /s, {shown_latency(raw)}",
        Goal(150, "/s", at_least=True),
        raw,
    )


def _remember_one(server: Server, memory: Memory) -> float:
    answer = server.call("mimir_remember", memory.arguments())
    if answer.result["action"] != "created" or "pending_chunks" in answer.result:
        raise BenchError(f"not a new, embedded memory: {answer.result}")
    return answer.seconds


def _require_found(server: Server, memory: Memory) -> None:
    """Make sure that both arms find what was just remembered.

    Raises:
        BenchError: one does not.
    """
    for mode in ("fts5", "dense"):
        found = server.call("mimir_recall", {"query": memory.text, "mode": mode, "limit": 1})
        if [item["key"] for item in found.result["items"]] != [memory.key]:
            raise BenchError(f"{memory.key} was remembered but mode {mode} does not find it")


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
