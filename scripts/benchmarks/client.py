"""A line client of an MCP server over stdio pipes, with nothing between the clock and the pipe.

`scripts/bench` times servers through it; `scripts/torture` kills, cuts off and cancels them.
"""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_PROTOCOL: Final = "2025-06-18"
_HANGS_AFTER_S: Final = 300.0
_CLOSES_WITHIN_S: Final = 10.0


class BenchError(Exception):
    """A row could not be measured."""


@dataclass(frozen=True)
class Answer:
    """What came back, when, and how long it was on the wire."""

    result: Mapping[str, Any]
    seconds: float
    line: bytes


class Server:
    """A server process; a context manager that ends it by closing its input.

    A server that says nothing for five minutes is killed, which ends the waiting read.
    """

    def __init__(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str]
    ) -> None:
        self._log = log
        self._last_id = 0
        self.started = time.perf_counter()
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=log.parent,
                env=environment,
            )
        self._heard = self.started
        self._watch(_HANGS_AFTER_S)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.end_input()
            self._process.wait(_CLOSES_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._watchdog.cancel()
        self.stop_reading()

    def initialize(self) -> float:
        """Shake hands; seconds from the process's start to the answer."""
        self.request(
            "initialize",
            {
                "protocolVersion": _PROTOCOL,
                "capabilities": {},
                "clientInfo": {"name": "mimir-bench", "version": "1"},
            },
        )
        answered = time.perf_counter() - self.started
        self.notify("notifications/initialized", {})
        return answered

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool; its answer's structured content as the result.

        Raises:
            BenchError: the tool refused.
        """
        answer = self.request("tools/call", {"name": tool, "arguments": arguments})
        if answer.result.get("isError"):
            raise BenchError(f"{tool}: {answer.result['content'][0]['text']}")
        return Answer(answer.result["structuredContent"], answer.seconds, answer.line)

    def request(self, method: str, params: Mapping[str, Any]) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            BenchError: an error came back, or the server ended.
        """
        sent = time.perf_counter()
        own_id = self.post(method, params)
        while True:
            received = self._receive()
            seconds = time.perf_counter() - sent
            message = json.loads(received)
            if message.get("id") != own_id:
                continue
            if "error" in message:
                raise BenchError(f"{method}: {message['error']['message']}")
            return Answer(message["result"], seconds, received)

    def post(self, method: str, params: Mapping[str, Any]) -> int:
        """Send a request and do not wait; its id, which `next_message` brings back.

        Raises:
            BenchError: the server ended.
        """
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self._send(json.dumps(message))
        return self._last_id

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification, which is never answered."""
        self._send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    def next_message(self) -> dict[str, Any]:
        """The next message of the server, whatever it is.

        Raises:
            BenchError: the server ended.
        """
        message: dict[str, Any] = json.loads(self._receive())
        return message

    def kill(self) -> None:
        """End the process as a power switch would: it gets no chance to do anything."""
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end_input(self) -> None:
        """Close our end of its input, as a host that goes away does."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def stop_reading(self) -> None:
        """Close our end of its output: its next answer meets a broken pipe."""
        assert self._process.stdout is not None
        self._process.stdout.close()

    def exit_code(self, within_s: float) -> int | None:
        """The code the process ends with, or `None` when it does not end in time."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def memory_kib(self) -> dict[str, int]:
        """Resident memory of the process and its peak, in KiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return {name: int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM")}

    def cpu_seconds(self) -> float:
        """CPU time of the process so far, which other programs on the machine do not lengthen."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _watch(self, seconds: float) -> None:
        self._watchdog = threading.Timer(seconds, self._look)
        self._watchdog.daemon = True
        self._watchdog.start()

    def _look(self) -> None:
        silent = time.perf_counter() - self._heard
        if silent < _HANGS_AFTER_S:
            self._watch(_HANGS_AFTER_S - silent)
        else:
            self._process.kill()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BenchError(f"the server ended; see {self._log}") from None

    def _receive(self) -> bytes:
        assert self._process.stdout is not None
        received = self._process.stdout.readline()
        self._heard = time.perf_counter()
        if not received:
            raise BenchError(f"the server ended; see {self._log}")
        return received
