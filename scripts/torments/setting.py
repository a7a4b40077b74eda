"""What every test works with: the program, a folder that is thrown away, a seed and an effort."""

import itertools
import math
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.client import Server
from benchmarks.program import Program

_SABOTAGE: Final = Path(__file__).with_name("sabotage.py")
_KILLED_S: Final = 120
_BARE_SERVER: Final = Path(__file__).parents[1] / "benchmarks" / "bare_server.py"


@dataclass(frozen=True)
class Effort:
    """How often each test is tried, and its control."""

    kill_cycles: int
    kill_controls: int
    vault_kills: int
    vault_controls: int
    odd_memories: int
    images: int
    image_controls: int
    power_sessions: int
    servers: int
    writes: int
    start_rounds: int
    start_servers: int
    stress_runs: int
    stress_s: float
    full_points: int
    damages: int
    cancels: int
    exits: int
    canary_runs: int
    mutations: int
    journal_edits: int
    secrets: int
    orders: int
    backup_rounds: int
    leak_runs: int
    messages: int
    message_processes: int
    hostile_calls: int
    queries: int
    retries: int


QUICK: Final = Effort(
    kill_cycles=12,
    kill_controls=3,
    vault_kills=9,
    vault_controls=4,
    odd_memories=1_000,
    images=300,
    image_controls=150,
    power_sessions=2,
    servers=6,
    writes=30,
    start_rounds=1,
    start_servers=6,
    stress_runs=1,
    stress_s=4,
    full_points=4,
    damages=120,
    cancels=80,
    exits=12,
    canary_runs=1,
    mutations=1_000,
    journal_edits=140,
    secrets=700,
    orders=200,
    backup_rounds=2,
    leak_runs=1,
    messages=1_000,
    message_processes=2,
    hostile_calls=1_500,
    queries=2_000,
    retries=50,
)
USUAL: Final = Effort(
    kill_cycles=60,
    kill_controls=5,
    vault_kills=60,
    vault_controls=6,
    odd_memories=10_000,
    images=1_500,
    image_controls=500,
    power_sessions=4,
    servers=16,
    writes=100,
    start_rounds=5,
    start_servers=16,
    stress_runs=2,
    stress_s=20,
    full_points=12,
    damages=600,
    cancels=300,
    exits=66,
    canary_runs=10,
    mutations=5_000,
    journal_edits=1_000,
    secrets=1_000,
    orders=500,
    backup_rounds=10,
    leak_runs=3,
    messages=5_000,
    message_processes=5,
    hostile_calls=8_000,
    queries=10_000,
    retries=200,
)
FULL: Final = Effort(
    kill_cycles=2_000,
    kill_controls=30,
    vault_kills=2_000,
    vault_controls=20,
    odd_memories=10_000,
    images=5_000,
    image_controls=1_000,
    power_sessions=8,
    servers=32,
    writes=300,
    start_rounds=200,
    start_servers=16,
    stress_runs=40,
    stress_s=25,
    full_points=40,
    damages=5_000,
    cancels=5_000,
    exits=500,
    canary_runs=200,
    mutations=20_000,
    journal_edits=5_000,
    secrets=10_000,
    orders=5_000,
    backup_rounds=500,
    leak_runs=20,
    messages=50_000,
    message_processes=20,
    hostile_calls=30_000,
    queries=100_000,
    retries=1_000,
)


@dataclass(frozen=True)
class Setting:
    """The program under test, where it may work, and how hard to try.

    `until` is when to stop trying, on the performance counter.
    """

    program: Program
    folder: Path
    seed: int
    effort: Effort
    until: float = math.inf
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def is_over(self) -> bool:
        """Whether the time a test may take is up."""
        return time.perf_counter() > self.until

    def tries(self, count: int) -> Iterator[int]:
        """The numbers of the tries, as many as time allows, and at least one."""
        return (number for number in range(count) if not number or not self.is_over)

    def random(self, purpose: str) -> random.Random:
        """Randomness that is the same for the same seed and purpose."""
        return random.Random(f"{self.seed} {purpose}")  # noqa: S311  # data, not secrets

    def new_folder(self, parent: Path | None = None) -> Path:
        """A folder nobody has used."""
        folder = (parent or self.folder) / f"run-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def serve(
        self, store: Path, sabotage: str | None = None, prefix: Sequence[str | Path] = ()
    ) -> Server:
        """A server on a store, just started; `prefix` is a command to run it under."""
        command = [*prefix, *self.command(sabotage), "serve", "--db", store]
        return Server(command, self.program.log, self.program.environment)

    def command(self, sabotage: str | None = None) -> list[str | Path]:
        """The installed program, or the same with one of its safeguards taken out."""
        return [sys.executable, _SABOTAGE, sabotage] if sabotage else [self.program.path]

    def kill(self, command: Sequence[str | Path], moment: float) -> bool:
        """Start a command and kill it after so many seconds; whether it was still at work."""
        process = subprocess.Popen(
            command,
            env=self.program.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moment)
        process.kill()
        return process.wait(_KILLED_S) == -signal.SIGKILL

    def bare_server(self) -> Server:
        """The least an MCP server can be, for start-up figures."""
        return Server([sys.executable, _BARE_SERVER], self.program.log, self.program.environment)


def seconds_to_answer(server: Server, method: str = "tools/list") -> float:
    """Shake hands and ask one thing; seconds from the process's start to the answer."""
    server.initialize()
    server.request(method, {})
    return time.perf_counter() - server.started
