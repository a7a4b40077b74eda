"""R1: kill -9 at a random moment of a stream of writes; what was acknowledged is there after."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.client import BenchError, Server
from benchmarks.measure import median

from torments import checks
from torments.outcome import Limit, Outcome, Tally
from torments.setting import Setting
from torments.workload import Workload

_OUTSTANDING: Final = 8
# Answers, and seconds behind the last of them.
_LIVES: Final = (0, 240)
_LATEST_S: Final = 0.02
_CYCLES_A_STORE: Final = 40
_WHOLE_CHECK_EVERY: Final = 10
_CONTROL: Final = "early"
# Stores written and killed side by side: each server waits for the disk half of its time.
_LANES: Final = 3
# To the first answer a bare server opens nothing; ours replays a log and imports its rooms.
_START_RATIO: Final = 1.5


def killed(setting: Setting) -> Outcome:
    """R1: kill -9 in a stream of remember, update and forget."""
    runs = [_Run(setting, None, lane) for lane in range(_LANES)]
    cycles = setting.effort.kill_cycles
    with ThreadPoolExecutor(_LANES) as pool:
        done = [pool.submit(run.cycles, _share(setting, cycles, run.lane)) for run in runs]
    for lane in done:
        lane.result()
    control = _Run(setting, _CONTROL, _LANES)
    control.cycles(range(setting.effort.kill_controls))
    first_answers = [seconds for run in runs for seconds in run.first_answers]
    bare = [seconds for run in runs for seconds in run.bare]
    starts = [seconds for run in runs for seconds in run.starts]
    ratio = median(starts) / median(bare)
    return Outcome(
        "R1",
        "kill -9 at a random moment; every acknowledged write is there, none is half there",
        sum((run.tally for run in runs), Tally()),
        "a server that answers before it commits",
        control.tally,
        {"initialize against a bare server": Limit(ratio, _START_RATIO, "x")},
        {
            "acknowledged writes": sum(run.acknowledged for run in runs),
            "files checked whole, journals followed": sum(run.whole_checks for run in runs),
            "start to first answer, ms": round(1_000 * median(first_answers)),
            "bare server, ms": round(1_000 * median(bare)),
        },
    )


def _share(setting: Setting, cycles: int, lane: int) -> Iterable[int]:
    """The cycles of one lane, as many as time allows."""
    return setting.tries(len(range(lane, cycles, _LANES)))


class _Run:
    """Cycles of write, kill, check, on a new store now and then."""

    def __init__(self, setting: Setting, sabotage: str | None, lane: int) -> None:
        self._setting = setting
        self._sabotage = sabotage
        self.lane = lane
        self._random = setting.random(f"kills {sabotage} {lane}")
        self.tally = Tally()
        self.acknowledged = 0
        self.whole_checks = 0
        self.starts: list[float] = []
        self.first_answers: list[float] = []
        self.bare: list[float] = []

    def cycles(self, numbers: Iterable[int]) -> None:
        store, workload = Path(), Workload(self._random, 0)
        for cycle in numbers:
            if cycle % _CYCLES_A_STORE == 0:
                store = self._setting.new_folder() / "memory.db"
                workload = Workload(self._random, self._corpus_seed(cycle // _CYCLES_A_STORE))
            if cycle % _WHOLE_CHECK_EVERY == 0:
                with self._setting.bare_server() as bare:
                    self.bare.append(bare.initialize())
            acknowledged = self._write_and_kill(store, workload)
            whole = cycle % _WHOLE_CHECK_EVERY == 0
            faults = self._check(store, workload, acknowledged, whole=whole)
            self.tally.add(f"lane {self.lane}, cycle {cycle}", faults)
            if faults:
                # The model no longer knows what the store holds.
                store = self._setting.new_folder() / "memory.db"
                workload = Workload(self._random, self._corpus_seed(cycle))

    def _corpus_seed(self, number: int) -> int:
        return (number * (_LANES + 1) + self.lane) % 100

    def _write_and_kill(self, store: Path, workload: Workload) -> int:
        """Write until the power switch; the number of the last operation that was answered."""
        with self._setting.serve(store, self._sabotage) as server:
            self.starts.append(server.initialize())
            server.call("mimir_health", {})
            self.first_answers.append(time.perf_counter() - server.started)
            # Counted in answers, a life is as long on a busy machine as on an idle one.
            enough = workload.settled + self._random.randrange(*_LIVES)
            moment = self._random.uniform(0, _LATEST_S)
            switches: list[threading.Timer] = []

            def heard(number: int) -> None:
                if number >= enough and not switches:
                    switches.append(threading.Timer(moment, server.kill))
                    switches[0].start()

            acknowledged = stream(server, workload, heard)
            switches[0].join()
        return acknowledged

    def _check(
        self, store: Path, workload: Workload, acknowledged: int, *, whole: bool
    ) -> list[str]:
        with checks.opened(store) as connection:
            state = checks.held(connection)
            faults = checks.not_a_prefix(state, workload, acknowledged)
            faults += checks.parts_disagree(connection)
            latest = [
                operation
                for operation in workload.operations.values()
                if state.get(operation.key) is not None
                and state[operation.key].written_by == operation.number
            ]
            faults += checks.unfindable(connection, latest)
            if whole:
                self.whole_checks += 1
                faults += checks.broken(connection)
                faults += self._journal_faults(store)
        self.acknowledged += acknowledged - workload.settled
        if not faults:
            workload.settle(checks.where(state))
        return faults

    def _journal_faults(self, store: Path) -> list[str]:
        try:
            self._setting.program.run("journal", "verify", "--db", store)
        except BenchError as error:
            return [f"journal: {error}"]
        return []


def stream(server: Server, workload: Workload, heard: Callable[[int], None]) -> int:
    """Keep some operations under way until the server is gone; the last that was answered.

    `heard` gets the number of the last operation answered, before the first one and after each.
    """
    acknowledged, waiting = workload.settled, {}
    try:
        while True:
            heard(acknowledged)
            while len(waiting) < _OUTSTANDING:
                operation, arguments = workload.next()
                request = server.post(
                    "tools/call", {"name": operation.tool, "arguments": arguments}
                )
                waiting[request] = operation
            message = server.next_message()
            operation = waiting.pop(message.get("id"), None)
            if operation is None:
                continue
            if "error" in message:
                # Ending, it tells what it no longer does.
                return acknowledged
            if message["result"].get("isError"):
                raise AssertionError(f"{operation} was refused: {message}")
            acknowledged = max(acknowledged, operation.number)
    except BenchError:
        return acknowledged
