"""What sealing costs: a sealed store against the same store plain, by turns in one run."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.client import Server
from benchmarks.corpus import Corpus
from benchmarks.measure import Goal, Row, latency, median, shown_latency
from benchmarks.scale import ask, questions
from benchmarks.setting import Setting

_SEED: Final = 31
_ASKED: Final = 300
_WARM_UP: Final = 30
_OPENED: Final = 5


def sealed_recall(setting: Setting) -> list[Row]:
    """Recalls over 10,000 memories, sealed and plain."""
    asked = list(questions(_WARM_UP + _ASKED))
    turns: list[Callable[[Server], object]] = [
        lambda server, question=question: ask(server, question) for question in asked
    ]
    return [_compared(setting, "sealed_recall", "recall over 10,000 memories", turns, 1.1)]


def sealed_remember(setting: Setting) -> list[Row]:
    """Remembers into 10,000 memories, sealed and plain."""
    turns: list[Callable[[Server], object]] = [
        lambda server, memory=memory: server.call("mimir_remember", memory.arguments())
        for memory in Corpus(_SEED).memories(_WARM_UP + _ASKED)
    ]
    return [_compared(setting, "sealed_remember", "remember into 10,000 memories", turns, 1.25)]


def sealed_open(setting: Setting) -> list[Row]:
    """Start of a server on 100,000 memories, sealed and plain, to the handshake and an answer."""
    stores = _both(setting, setting.stores.large())
    shaken: dict[str, list[float]] = {name: [] for name in stores}
    answered: dict[str, list[float]] = {name: [] for name in stores}
    for question in questions(_OPENED + 1):
        for name, (store, flags) in stores.items():
            with setting.program.serve(store, *flags) as server:
                server.initialize()
                shaken[name].append(time.perf_counter() - server.started)
                ask(server, question)
                answered[name].append(time.perf_counter() - server.started)
    ratio = median(shaken["sealed"][1:]) / median(shaken["plain"][1:])
    raw = latency(answered["sealed"][1:])
    return [
        Row(
            "sealed_handshake",
            "start to initialize on a sealed store of 100,000, against a plain one",
            ratio,
            f"{ratio:.2f} x",
            Goal(1.1, "x"),
        ),
        Row(
            "sealed_open",
            "start to the first answer on a sealed store of 100,000",
            raw["p50_ms"],
            f"{shown_latency(raw)} (plain {latency(answered['plain'][1:])['p50_ms']:.0f})",
            Goal(3_000, "ms"),
            raw,
        ),
    ]


def _compared(
    setting: Setting,
    name: str,
    what: str,
    turns: list[Callable[[Server], object]],
    most: float,
) -> Row:
    """Every turn on both servers, one right after the other."""
    seconds: dict[str, list[float]] = {"plain": [], "sealed": []}
    stores = _both(setting, setting.stores.small())
    with ExitStack() as running:
        servers = {
            kind: running.enter_context(setting.program.serve(store, *flags))
            for kind, (store, flags) in stores.items()
        }
        for server in servers.values():
            server.initialize()
        for turn in turns:
            for kind, server in servers.items():
                started = time.perf_counter()
                turn(server)
                seconds[kind].append(time.perf_counter() - started)
    raw = {kind: latency(taken[_WARM_UP:]) for kind, taken in seconds.items()}
    ratio = median(seconds["sealed"][_WARM_UP:]) / median(seconds["plain"][_WARM_UP:])
    shown = f"{ratio:.2f} x (plain {raw['plain']['p50_ms']:.1f} ms)"
    return Row(name, f"{what}, sealed against plain", ratio, shown, Goal(most, "x"), raw)


def _both(setting: Setting, store: Path) -> dict[str, tuple[Path, tuple[str | Path, ...]]]:
    """A plain copy and a sealed one, each with the flags to serve it."""
    key = setting.folder / "bench.key"
    if not key.exists():
        setting.program.run("keygen", "--key-file", key)
    flags = ("--encryption-key", key)
    copies = dict(zip(("plain", "sealed"), _copies(setting, store), strict=True))
    # A copy has no head file of its own.
    setting.program.run("journal", "verify", "--accept", "a copy", "--db", copies["sealed"])
    setting.program.run("seal", "--db", copies["sealed"], *flags)
    return {"plain": (copies["plain"], ()), "sealed": (copies["sealed"], flags)}


def _copies(setting: Setting, store: Path) -> Iterator[Path]:
    for name in ("plain", "sealed"):
        folder = setting.folder / name
        folder.mkdir(exist_ok=True)
        yield setting.stores.copy(store, folder)
