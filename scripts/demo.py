"""Stores real memories in a fresh Mimir over stdio, asks questions, and shows what comes back.

Reads the shipped sample project, or a file of conversations (`{"conversations": [{"sessions": ...,
"questions": ...}]}`) or of memories and queries (`{"memories": ..., "queries": ...}`).
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evaluation.datasets import DataError, Granularity, read, spread
from mcp import Client, StdioServerParameters
from rich.console import Console
from rich.progress import track
from rich.text import Text

SAMPLE: Final = Path(__file__).with_name("sample_project.json")
SHOWN: Final = 3
COUNTED: Final = 5
SNIPPET: Final = 88


@dataclass(frozen=True)
class Asked:
    """A question and the keys of the memories that answer it, within one workspace."""

    text: str
    keys: frozenset[str]
    workspace: str


@dataclass(frozen=True)
class Tour:
    """What to store (arguments of `mimir_remember`) and what to ask."""

    name: str
    memories: list[dict[str, Any]]
    questions: list[Asked]


def read_tour(path: Path) -> Tour:
    """The tour of a file: all its conversations in one store, each a workspace."""
    try:
        [data_set] = read(path, [Granularity.TURN], dated=True)
    except DataError as error:
        sys.exit(f"demo: {error}")
    tour = Tour(data_set.name, [], [])
    for collection in data_set.collections:
        workspace = collection.name if collection.speakers else ""
        tour.memories.extend({**m, "workspace_hash": workspace} for m in collection.memories)
        tour.questions.extend(Asked(q.text, q.keys, workspace) for q in collection.questions)
    return tour


class Tally:
    """Answers so far: how often the right memory came first or among the first five, how fast."""

    def __init__(self) -> None:
        self.first = 0
        self.early = 0
        self.milliseconds: list[float] = []

    def count(self, found: Sequence[str], right: frozenset[str], milliseconds: float) -> None:
        self.first += bool(found) and found[0] in right
        self.early += any(key in right for key in found[:COUNTED])
        self.milliseconds.append(milliseconds)

    def line(self) -> str:
        asked = len(self.milliseconds)
        slow = sorted(self.milliseconds)[int(0.95 * (asked - 1))]
        return (
            f"{asked} questions: the right memory came first {self.first} times "
            f"({self.first / asked:.0%}), among the first five {self.early} times "
            f"({self.early / asked:.0%}); median {statistics.median(self.milliseconds):.1f} ms, "
            f"95 % within {slow:.1f} ms"
        )


async def run(tour: Tour, asked: int, store: Path) -> None:
    console = Console()
    command = Path(sys.executable).with_name("mimir")
    server = StdioServerParameters(command=str(command), args=["serve", "--db", str(store)])
    console.print(f"[bold]{tour.name}[/bold]: {len(tour.memories)} memories into {store}")
    async with Client(server) as client:
        started = time.perf_counter()
        for memory in track(tour.memories, "Remembering", console=console, transient=True):
            await _call(client, "mimir_remember", memory)
        took = time.perf_counter() - started
        console.print(
            f"Stored in {took:.1f} s ({len(tour.memories) / took:.0f} a second), "
            "each on disk and searchable before its answer."
        )
        tally = Tally()
        for question in spread(tour.questions, asked):
            await _ask(client, console, question, tally)
    console.print()
    console.print(f"[bold]{tally.line()}[/bold]")


async def _ask(client: Client, console: Console, question: Asked, tally: Tally) -> None:
    arguments = {"query": question.text, "limit": COUNTED, "workspace_hash": question.workspace}
    started = time.perf_counter()
    answer = await _call(client, "mimir_recall", arguments)
    milliseconds = (time.perf_counter() - started) * 1000
    items = answer["items"]
    tally.count([item["key"] for item in items], question.keys, milliseconds)
    console.print()
    console.print(Text(question.text, style="bold"), Text(f"{milliseconds:.1f} ms", style="dim"))
    for rank, item in enumerate(items[:SHOWN], start=1):
        right = item["key"] in question.keys
        text = " ".join(str(item.get("content", item["body_json"])).split())
        snippet = text if len(text) <= SNIPPET else text[: SNIPPET - 1] + "…"
        line = Text(f"  {rank}  {item['score']:.3f}  {item['key']}: {snippet}")
        line.stylize("green" if right else "default")
        console.print(Text("✓" if right else " ", style="green"), line, soft_wrap=True)


async def _call(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        sys.exit(f"demo: {tool} failed: {result.structured_content}")
    payload: dict[str, Any] = result.structured_content
    return payload


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=SAMPLE, help="the input file")
    parser.add_argument("--questions", type=int, default=60, help="how many to ask; 0 asks all")
    options = parser.parse_args()
    tour = read_tour(options.path)
    with tempfile.TemporaryDirectory(prefix="mimir-demo-") as folder:
        asyncio.run(run(tour, options.questions, Path(folder) / "demo.db"))


if __name__ == "__main__":
    main()
