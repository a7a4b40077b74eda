"""A server and the bytes that go to it and come from it, good or bad."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from torments.setting import Setting

PATIENCE_S: Final = 60.0
_ENDS_WITHIN_S: Final = 10.0
_BARE_SERVER: Final = Path(__file__).parents[1] / "benchmarks" / "bare_server.py"


class Silence(Exception):
    """No line came in time, or the server has ended."""


class NotJson(Exception):
    """A line of stdout that is not one JSON object."""


class Pipes:
    """A server process; a context manager that ends it by closing its input."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str]
    ) -> None:
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=log.parent,
                env=environment,
            )
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._last_id = 0
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> int:
        """Close its input and wait for its end; its exit code."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            return self.process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def send(self, data: bytes) -> None:
        """Write bytes as they are.

        Raises:
            Silence: the server has ended.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Silence("the server ended") from None

    def receive(self, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next message that is no notification.

        Raises:
            Silence: there was none in time.
            NotJson: the next line is no JSON object.
        """
        while True:
            try:
                line = self._lines.get(timeout=within_s)
            except queue.Empty:
                raise Silence(f"no answer within {within_s} s") from None
            if line is None:
                raise Silence("the server ended")
            message = _decoded(line)
            if "method" not in message:
                return message

    def ask(self, method: str, params: Any = None, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Send a request and wait for its answer; others are left out.

        Raises:
            Silence: there was none in time.
        """
        self._last_id += 1
        id = f"own-{self._last_id}"
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}
        self.send(json.dumps(message).encode() + b"\n")
        while (answer := self.receive(within_s))["id"] != id:
            pass
        return answer

    def initialize(self) -> None:
        info = {"name": "mimir-torture", "version": "1"}
        self.ask(
            "initialize",
            {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info},
        )
        self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a call of `mimir_<tool>`, whether it worked or not."""
        params = {"name": f"mimir_{tool}", "arguments": dict(arguments)}
        result: dict[str, Any] = self.ask("tools/call", params)["result"]
        return result

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)
        self.process.stdout.close()


def serving(setting: Setting, store: Path) -> Pipes:
    """The installed program on a store."""
    command = [setting.program.path, "serve", "--db", store]
    return Pipes(command, setting.program.log, setting.program.environment)


def started(setting: Setting, script: Path, *arguments: str | Path) -> Pipes:
    """A server that is a Python script."""
    command = [sys.executable, script, *arguments]
    return Pipes(command, setting.program.log, setting.program.environment)


def bare_server(setting: Setting) -> Pipes:
    """The least a server of the SDK can be."""
    return started(setting, _BARE_SERVER)


def _decoded(line: bytes) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        message = json.loads(line.decode(), parse_constant=refuse)
    except ValueError:
        raise NotJson(repr(line[:200])) from None
    if not isinstance(message, dict) or not line.endswith(b"\n"):
        raise NotJson(repr(line[:200]))
    return message
