"""Rows of opening a sealed store, against the same store in plain, by turns in the same run."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.client import Server
from benchmarks.measure import Goal, Row, median
from benchmarks.scale import ask, questions
from benchmarks.setting import Setting
from benchmarks.stores import LARGE

_ASK_EVERY_S: Final = 0.1
_UNCHANGED: Final = 1.1
_SEARCHABLE_S: Final = 3


def sealed_open(setting: Setting) -> list[Row]:
    """Fresh servers on 100,000 memories: to the handshake, and until all can be searched."""
    plain = setting.store_copy(setting.stores.large())
    held, key = setting.stores.sealed()
    sealed = setting.store_copy(held)
    question = questions(1)[0]
    opened: dict[Path, list[tuple[float, float]]] = {plain: [], sealed: []}
    # The first of each only warms the disk cache.
    for _ in range(setting.effort.rounds + 1):
        for store, flags in ((plain, ()), (sealed, ("--encryption-key", str(key)))):
            with setting.program.serve(store, *flags) as server:
                opened[store].append((server.initialize(), _searchable(server, question)))
    shaken = {store: [took for took, _ in runs[1:]] for store, runs in opened.items()}
    searchable = {store: [took for _, took in runs[1:]] for store, runs in opened.items()}
    ratio = median(shaken[sealed]) / median(shaken[plain])
    took = median(searchable[sealed])
    raw = {"sealed_s": searchable[sealed], "plain_s": searchable[plain]}
    return [
        Row(
            "sealed_handshake",
            f"start to initialize, {LARGE:,} sealed memories against plain ones",
            ratio,
            f"{ratio:.2f} x ({_shown(shaken[sealed])}; plain {_shown(shaken[plain])})",
            Goal(_UNCHANGED, "x"),
            {"sealed_s": shaken[sealed], "plain_s": shaken[plain]},
        ),
        Row(
            "sealed_open",
            "... until words and vectors of all are searched; the median",
            took,
            f"{_shown(searchable[sealed])}; plain {_shown(searchable[plain])}",
            Goal(_SEARCHABLE_S, "s"),
            raw,
        ),
    ]


def _searchable(server: Server, question: str) -> float:
    """Seconds from the start to the first answer that comes from the whole store."""
    while "index_building" in ask(server, question).result:
        time.sleep(_ASK_EVERY_S)
    return time.perf_counter() - server.started


def _shown(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} s"
