"""R10: a call is cancelled at any moment; its write is all there or not at all, nobody waits."""

import fcntl
import random
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError, Server
from benchmarks.measure import percentile

from torments import checks
from torments.outcome import Limit, Outcome, Tally
from torments.setting import Setting
from torments.workload import Operation, Workload

_LATEST_S: Final = 0.02
_FREE_WITHIN_MS: Final = 100
_GIVEN_UP_AFTER_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.005
_CALLS_A_SERVER: Final = 250
_CONTROL: Final = "unshielded"
_CONTROL_CALLS: Final = 25


def cancelled(setting: Setting) -> Outcome:
    """R10: calls cancelled at a random moment."""
    run = _Run(setting, None)
    run.calls(setting.effort.cancels)
    control = _Run(setting, _CONTROL)
    control.calls(min(_CONTROL_CALLS, setting.effort.cancels))
    return Outcome(
        "R10",
        "a call cancelled at a random moment: whole or not at all, no answer behind it, the lock "
        "free, the same call again makes one memory",
        run.tally,
        "a transaction whose parts are awaited one by one, unshielded",
        control.tally,
        {"lock free after, p99": Limit(1_000 * percentile(run.held, 0.99), _FREE_WITHIN_MS, "ms")},
        figures={
            "had been written": run.written,
            "answered before they could be cancelled": run.answered,
        },
    )


class _Run:
    def __init__(self, setting: Setting, sabotage: str | None) -> None:
        self._setting = setting
        self._sabotage = sabotage
        self._random = setting.random(f"cancels {sabotage}")
        self.tally = Tally()
        self.written = 0
        self.answered = 0
        self.held: list[float] = []

    def calls(self, count: int) -> None:
        while self.tally.tried < count and not (self.tally.tried and self._is_over()):
            store = self._setting.new_folder() / "memory.db"
            workload = Workload(self._random, 0)
            with self._setting.serve(store, self._sabotage) as server:
                server.initialize()
                server.call("mimir_recall", {"query": "anything"})
                for _ in range(min(_CALLS_A_SERVER, count - self.tally.tried)):
                    number = self.tally.tried
                    try:
                        faults = self._cancel_one(server, store, workload)
                    except BenchError as error:
                        self.tally.add(f"call {number}", [str(error)])
                        break
                    self.tally.add(f"call {number}", faults)
                    if faults:
                        # Whatever state it is in now, the next one begins afresh.
                        break
            with checks.opened(store) as connection:
                faults = checks.broken(connection)
            if faults:
                self.tally.add(f"the file after call {self.tally.tried}", faults)

    def _is_over(self) -> bool:
        return self._sabotage is None and self._setting.is_over

    def _cancel_one(self, server: Server, store: Path, workload: Workload) -> list[str]:
        operation, arguments = workload.next()
        params = {"name": operation.tool, "arguments": arguments}
        request = server.post("tools/call", params)
        time.sleep(_moment(self._random))
        server.notify("notifications/cancelled", {"requestId": request, "reason": "torture"})
        faults = self._lock_faults(store)
        before = _answers_before(server, server.post("ping", {}))
        self.answered += request in before
        after = _answers_before(server, server.post("ping", {}))
        if request in after:
            faults.append("answered after it was cancelled")
        faults += self._state_faults(store, workload, operation)
        again = server.call(operation.tool, arguments)
        faults += _again_faults(again.result, operation)
        with checks.opened(store) as connection:
            faults += checks.not_a_prefix(checks.held(connection), workload, operation.number)
        workload.settle(operation.number)
        return faults

    def _lock_faults(self, store: Path) -> list[str]:
        seconds = _seconds_to_lock(store)
        self.held.append(seconds)
        still = seconds >= _GIVEN_UP_AFTER_S
        return [f"the lock was still held {_GIVEN_UP_AFTER_S:g} s after"] if still else []

    def _state_faults(self, store: Path, workload: Workload, operation: Operation) -> list[str]:
        with checks.opened(store) as connection:
            state = checks.held(connection)
            self.written += state == workload.after(operation.number)
            faults = checks.not_a_prefix(state, workload, operation.number - 1)
            return faults + checks.parts_disagree(connection)


def _moment(source: random.Random) -> float:
    """Seconds after the call was sent; a fifth at once."""
    return max(0.0, source.uniform(-_LATEST_S / 5, _LATEST_S))


def _seconds_to_lock(store: Path) -> float:
    """How long it takes until both locks of the store can be had, given up after a while."""
    started = time.perf_counter()
    while (took := time.perf_counter() - started) < _GIVEN_UP_AFTER_S:
        with store.with_name(store.name + ".lock").open("rb+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with checks.opened(store) as connection:
                    connection.execute("PRAGMA busy_timeout=0")
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("ROLLBACK")
                return took
            except (BlockingIOError, checks.SqliteError):
                time.sleep(_LOOK_EVERY_S)
    return took


def _answers_before(server: Server, request: int) -> set[Any]:
    """Ids answered before that request was."""
    seen: set[Any] = set()
    while (message := server.next_message()).get("id") != request:
        seen.add(message.get("id"))
    return seen


def _again_faults(result: Any, operation: Operation) -> list[str]:
    if operation.tool == "mimir_remember" and result["action"] not in ("created", "updated"):
        return [f"the same call again was {result['action']}"]
    return []
