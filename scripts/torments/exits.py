"""R11: every way a server can be made to end, idle and at work."""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.client import BenchError, Server

from torments import checks
from torments.kills import stream
from torments.outcome import Outcome, Tally
from torments.setting import Setting
from torments.workload import Workload

_WITHIN_S: Final = 2.0
_GIVEN_UP_AFTER_S: Final = 6.0
_AT_WORK_S: Final = 0.3
_CALLS: Final = 20
_OF_A_PIPE: Final = ("end of input", "broken pipe")
_LOOK_EVERY_S: Final = 0.01
_CONTROL: Final = "deaf"
# Starts a server and waits, as a host does; its own death is what the server is to notice.
_HOST: Final = """
import subprocess, sys
child = subprocess.Popen(sys.argv[2:])
open(sys.argv[1], "w").write(str(child.pid))
child.wait()
"""


def _stop_reading(server: Server) -> None:
    server.stop_reading()
    with contextlib.suppress(BenchError):
        server.post("ping", {})


ENDINGS: Final[Mapping[str, Callable[[Server], None]]] = {
    "end of input": Server.end_input,
    "SIGTERM": lambda server: server.signal(signal.SIGTERM),
    "SIGINT": lambda server: server.signal(signal.SIGINT),
    "SIGHUP": lambda server: server.signal(signal.SIGHUP),
    "broken pipe": _stop_reading,
    "parent killed": Server.kill,
}


def exits(setting: Setting) -> Outcome:
    """R11: end of input, signals, a broken pipe, a killed parent; idle and at work."""
    run = _Run(setting, None)
    for number in setting.tries(setting.effort.exits):
        run.end_one(number)
    control = _Run(setting, _CONTROL)
    for number in range(min(len(ENDINGS), max(1, setting.effort.exits // 4))):
        control.end_one(2 * number)
    return Outcome(
        "R11",
        f"{len(ENDINGS)} ways to end, idle and at work: gone within {_WITHIN_S:g} s, acknowledged "
        "writes kept, locks free, no process left",
        run.tally,
        "a server that listens to none of them",
        control.tally,
        figures={
            "slowest end, s": round(max(run.took), 2),
            "longest wait of an idle server, s": round(max(run.took_idle), 2),
        },
    )


class _Run:
    def __init__(self, setting: Setting, sabotage: str | None) -> None:
        self._setting = setting
        self._sabotage = sabotage
        self.tally = Tally()
        self.took: list[float] = [0.0]
        self.took_idle: list[float] = [0.0]

    def end_one(self, number: int) -> None:
        """End a server the way that number says: each way idle first, then at work."""
        names = list(ENDINGS)
        name, is_idle = names[number // 2 % len(names)], number % 2 == 0
        folder = self._setting.new_folder()
        store, note = folder / "memory.db", folder / "pid"
        host = (sys.executable, "-c", _HOST, note)
        workload = Workload(self._setting.random(f"exits {number}"), 0)
        with self._setting.serve(store, self._sabotage, host) as server:
            server.initialize()
            server.call("mimir_recall", {"query": "anything"})
            pid = int(note.read_text(encoding="ascii"))
            acknowledged = 0
            if is_idle:
                started = self._end(server, name, pid)
            else:
                started, acknowledged = self._end_at_work(server, name, pid, workload)
            faults = self._wait(pid, started, is_idle=is_idle)
        faults += _store_faults(store, workload, acknowledged)
        self.tally.add(f"{name}, {'idle' if is_idle else 'at work'}", faults)

    def _end(self, server: Server, name: str, pid: int) -> float:
        started = time.perf_counter()
        if name.startswith("SIG"):
            os.kill(pid, getattr(signal, name))
        else:
            ENDINGS[name](server)
        return started

    def _end_at_work(
        self, server: Server, name: str, pid: int, workload: Workload
    ) -> tuple[float, int]:
        wait = self._setting.random(f"wait {workload.settled} {name}").uniform(0, _AT_WORK_S)
        if name in _OF_A_PIPE:
            # A pipe cannot be closed under the hands of a thread that uses it.
            answers = {}
            for _ in range(_CALLS):
                operation, arguments = workload.next()
                params = {"name": operation.tool, "arguments": arguments}
                answers[server.post("tools/call", params)] = operation.number
            time.sleep(wait)
            started = self._end(server, name, pid)
            heard = [] if name == "broken pipe" else _rest(server)
            return started, max((answers.get(id, 0) for id in heard), default=0)
        begun: list[float] = []
        timer = threading.Timer(wait, lambda: begun.append(self._end(server, name, pid)))
        timer.start()
        acknowledged = stream(server, workload, lambda number: None)
        timer.join()
        return begun[0], acknowledged

    def _wait(self, pid: int, started: float, *, is_idle: bool) -> list[str]:
        while not _is_gone(pid):
            if time.perf_counter() - started > _GIVEN_UP_AFTER_S:
                os.kill(pid, signal.SIGKILL)
                return [f"still there after {_GIVEN_UP_AFTER_S:g} s"]
            time.sleep(_LOOK_EVERY_S)
        took = time.perf_counter() - started
        self.took.append(took)
        if is_idle:
            self.took_idle.append(took)
        return [f"took {took:.1f} s"] if took > _WITHIN_S else []


def _rest(server: Server) -> list[int]:
    """The ids of all that is still answered."""
    ids = []
    with contextlib.suppress(BenchError):
        while True:
            ids.append(server.next_message().get("id", 0))
    return ids


def _store_faults(store: Path, workload: Workload, acknowledged: int) -> list[str]:
    faults = []
    with store.with_name(store.name + ".lock").open("rb+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            faults.append("the lock file is held")
    with checks.opened(store) as connection:
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        faults += checks.not_a_prefix(checks.held(connection), workload, acknowledged)
        return faults + checks.parts_disagree(connection) + checks.broken(connection)


def _is_gone(pid: int) -> bool:
    """Whether a process has ended; one that waits to be reaped has."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] == "Z"
