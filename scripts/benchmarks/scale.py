"""Rows of recall by the size of the store: latency of each mode, recall@10, memory, loading."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.client import Answer, BenchError, Server
from benchmarks.corpus import Corpus
from benchmarks.measure import MS, Goal, Row, latency, percentile, resident, shown_latency
from benchmarks.setting import Setting
from benchmarks.stores import HUGE, LARGE, SMALL, TINY, Matrix, small_memories
from mimir_py.embedding.onnx import OnnxEmbedder
from mimir_py.storage.database import Reader, open_database
from mimir_py.storage.engine import load_engine

LIMIT: Final = 10

_QUESTION_SEED: Final = 11
_MODES: Final = ("hybrid", "dense", "fts5")
# Of all questions these are asked in each mode, and their exact answers worked out.
_JUDGED: Final = 200
_AT_ONCE: Final = 20_000
_ASK_EVERY_S: Final = 0.25
_BUSY_TIMEOUT_MS: Final = 30_000
_VECTORS: Final = """
    SELECT chunk_id, vector FROM chunks WHERE chunk_id > ? AND vector IS NOT NULL
    ORDER BY chunk_id LIMIT ?
"""
_ID: Final = """
    SELECT e.id FROM chunks c JOIN entities e ON e.row_id = c.row_id WHERE c.chunk_id = ?
"""


def recall_1k(setting: Setting) -> list[Row]:
    """Distinct questions, one after another, to 1,000 memories."""
    return _recall(setting, "1k", TINY, None)


def recall_10k(setting: Setting) -> list[Row]:
    """The same, to 10,000."""
    return _recall(setting, "10k", SMALL, Goal(6, "ms"))


def recall_100k(setting: Setting) -> list[Row]:
    """The same, to 100,000; its resident memory, and answers while vectors are loaded."""
    return _recall(setting, "100k", LARGE, Goal(15, "ms"), Goal(350, "MB"))


def recall_1m(setting: Setting) -> list[Row]:
    """The same, to 1,000,000; the store takes some minutes to make."""
    return _recall(setting, "1m", HUGE, Goal(80, "ms"), Goal(1_600, "MB"))


def questions(count: int) -> list[str]:
    """Distinct questions about what the small store holds, the same for every store."""
    return Corpus(_QUESTION_SEED).questions(list(small_memories()), count)


def ask(server: Server, question: str, mode: str = "hybrid") -> Answer:
    """One recall.

    Raises:
        BenchError: it found less than it was asked for.
    """
    answer = server.call("mimir_recall", {"query": question, "limit": LIMIT, "mode": mode})
    if mode == "hybrid" and len(answer.result["items"]) != LIMIT:
        raise BenchError(f"{len(answer.result['items'])} items for {question!r}")
    return answer


def _recall(
    setting: Setting, name: str, size: int, goal: Goal | None, memory: Goal | None = None
) -> list[Row]:
    effort = setting.effort
    asked = questions(effort.warm_up + effort.rounds * effort.per_round)
    warm_up, measured = asked[: effort.warm_up], asked[effort.warm_up :]
    judged = measured[: min(_JUDGED, effort.per_round)]
    store = setting.store_copy(setting.stores.of(size))
    exact = asyncio.run(_exactly(store, judged))
    with setting.program.serve(store) as server:
        server.initialize()
        loading = _loaded(server, warm_up[0])
        for question in warm_up:
            ask(server, question)
        pings = [server.request("ping", {}).seconds for _ in range(effort.per_round)]
        answers = {
            mode: [ask(server, q, mode) for q in (measured if mode == "hybrid" else judged)]
            for mode in _MODES
        }
        memory_kib = server.memory_kib()
    found = [{item["id"] for item in answer.result["items"]} for answer in answers["dense"]]
    share = sum(len(ours & best) for ours, best in zip(found, exact, strict=True)) / (
        LIMIT * len(judged)
    )
    rows = []
    for mode in _MODES:
        seconds = [answer.seconds for answer in answers[mode]]
        raw = {**latency(seconds), "recall_at_10": share, "ping": latency(pings)}
        raw["p95_ms_by_round"] = [
            round(percentile(part, 0.95) * MS, 3) for part in _rounds(seconds, effort.per_round)
        ]
        rows.append(
            Row(
                f"recall_{name}" if mode == "hybrid" else f"recall_{name}_{mode}",
                f"{mode} recall, {size:,} memories, limit {LIMIT}; the p95",
                raw["p95_ms"],
                f"{shown_latency(raw)}, recall@10 {share:.3f}",
                goal if mode == "hybrid" else None,
                raw,
            )
        )
    if memory is not None:
        rows.append(resident(f"rss_{name}", "... resident memory after that", [memory_kib], memory))
        rows.append(_loading_row(name, *loading))
    return rows


def _loaded(server: Server, question: str) -> tuple[float, list[float]]:
    """Seconds from the start until an answer came from all vectors, and of answers before."""
    meanwhile: list[float] = []
    while True:
        answer = ask(server, question)
        if "index_building" not in answer.result:
            return time.perf_counter() - server.started, meanwhile
        meanwhile.append(answer.seconds)
        time.sleep(_ASK_EVERY_S)


def _loading_row(name: str, took: float, meanwhile: Sequence[float]) -> Row:
    # The first waits for the model.
    raw: dict[str, Any] = {"seconds": took, **(latency(meanwhile[1:]) if meanwhile[1:] else {})}
    shown = f"{took:.1f} s"
    if meanwhile[1:]:
        shown += f"; answers meanwhile {shown_latency(raw)}"
    return Row(
        f"load_{name}",
        "... start to all vectors loaded, a question each 1/4 s",
        took,
        shown,
        None,
        raw,
    )


async def _exactly(store: Path, asked: Sequence[str]) -> list[set[str]]:
    """The ids of the nearest memories of each question, by the stored float vectors."""
    embedder = OnnxEmbedder(1)
    try:
        vectors = await embedder.embed(asked)
    finally:
        embedder.close()
    queries = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(asked), -1)
    async with open_database(store, load_engine("auto"), _BUSY_TIMEOUT_MS) as database:
        return await database.read(lambda reader: _nearest(reader, queries))


def _nearest(reader: Reader, queries: Matrix) -> list[set[str]]:
    best = np.full((len(queries), LIMIT), -1.0, dtype=np.float32)
    chunks = np.zeros((len(queries), LIMIT), dtype=np.int64)
    after = 0
    while rows := reader.tuples(_VECTORS, (after, _AT_ONCE)):
        after = rows[-1][0]
        matrix = np.frombuffer(b"".join(vector for _, vector in rows), dtype="<f4")
        cosines = np.hstack([best, queries @ matrix.reshape(len(rows), -1).T])
        numbers = np.array([chunk_id for chunk_id, _ in rows])
        numbers = np.hstack([chunks, np.broadcast_to(numbers, (len(queries), len(rows)))])
        kept = np.argpartition(-cosines, LIMIT, axis=1)[:, :LIMIT]
        best = np.take_along_axis(cosines, kept, axis=1)
        chunks = np.take_along_axis(numbers, kept, axis=1)
    return [{reader.value(_ID, (number,)) for number in line} for line in chunks.tolist()]


def _rounds(values: Sequence[float], size: int) -> list[Sequence[float]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
