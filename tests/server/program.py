"""The installed `mimir` as a program: its processes, its pipes and its surroundings.

Shared by the tests of every folder that drives the command from outside.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

PYTHON: Final = Path(sys.executable)
MIMIR: Final = PYTHON.with_name("mimir")
PROJECT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 60.0
# The promise is two seconds; the rest is for a busy machine.
ENDS_WITHIN_S: Final = 5.0

_OWN_ID: Final = "test-"

Message = dict[str, Any]


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a process gets: a home of its own and nothing of ours but the way to programs.

    Several processes share two cores here, so the model runs on one thread; vectors are the same.
    """
    path = os.environ["PATH"]  # noqa: TID251  # what a shell would pass on
    bare = {"PATH": path, "LANG": "C.UTF-8", "MIMIR_EMBEDDING_THREADS": "1"}
    # A home folder is no project: without this no file would be read in.
    return {**bare, "HOME": str(home), "MIMIR_INGEST_ROOTS": str(PROJECT), **more}


def until(holds: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    """The first true value of `holds`; fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (value := holds()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
    return value


def encoded(message: Any) -> bytes:
    """A message as a line with its end; bytes are sent as they are."""
    if isinstance(message, bytes):
        return message
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


def decoded(line: bytes) -> Message:
    """A line of stdout, which must be one JSON object and nothing else."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON: {line[:200]!r}")

    message = json.loads(line.decode(), parse_constant=refuse)
    assert isinstance(message, dict), line[:200]
    return message


def request(id: Any, method: str, params: Any = None) -> Message:
    """A JSON-RPC request; `params` are left out when they are `None`."""
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    return message if params is None else {**message, "params": params}


def tool_call(id: Any, tool: str, arguments: Mapping[str, Any], **params: Any) -> Message:
    """A `tools/call` of `mimir_<tool>`."""
    return request(
        id, "tools/call", {"name": f"mimir_{tool}", "arguments": dict(arguments), **params}
    )


def error_text(result: Mapping[str, Any]) -> str:
    """The message of a failed call, from whichever of the two shapes its tool has."""
    assert result["isError"] is True
    inner = json.loads(result["content"][0]["text"])
    return str(inner["error"] if "error" in inner else inner["content"][0]["text"])


class Program:
    """A running server. A context manager; leaving it closes its input and reaps it."""

    def __init__(
        self,
        *arguments: str | Path,
        home: Path,
        command: Sequence[str | Path] = (MIMIR, "serve"),
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / f"stderr-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*map(str, command), *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=cwd or home,
                env=environment(home) if env is None else env,
            )
        self.notifications: list[Message] = []
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._ahead: list[Message] = []
        self._last_id = 0
        self._reading = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end_input()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            if error is None:
                raise
        finally:
            self._reader.join(ENDS_WITHIN_S)
            assert self.process.stdout is not None
            self.process.stdout.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, *messages: Any) -> None:
        """Write messages (or raw bytes) in one go."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(map(encoded, messages)))
        self.process.stdin.flush()

    def receive(self, within_s: float = PATIENCE_S) -> Message:
        """The next message that is no notification; these are put aside."""
        while True:
            line = self.receive_line(within_s)
            assert line is not None, f"the server ended: {self.stderr()}"
            message = decoded(line)
            if "method" not in message:
                return message
            self.notifications.append(message)

    def receive_line(self, within_s: float = PATIENCE_S) -> bytes | None:
        """The next line of stdout; `None` at its end."""
        try:
            return self._lines.get(timeout=within_s)
        except queue.Empty:
            raise AssertionError(f"no answer within {within_s} s: {self.stderr()}") from None

    def rest(self) -> list[Message]:
        """Everything up to the end of stdout, what was received ahead included."""
        lines = iter(self.receive_line, None)
        return [*self._ahead, *map(decoded, lines)]

    def answer(self, id: Any) -> Message:
        """The answer to a request; other answers are kept for later."""
        for message in self._ahead:
            if message["id"] == id:
                self._ahead.remove(message)
                return message
        while (message := self.receive())["id"] != id:
            self._ahead.append(message)
        return message

    def new_id(self) -> str:
        self._last_id += 1
        return f"{_OWN_ID}{self._last_id}"

    def ask(self, method: str, params: Any = None) -> Message:
        """Send a request and wait for its answer."""
        id = self.new_id()
        self.send(request(id, method, params))
        return self.answer(id)

    def initialize(self, version: str = "2025-06-18") -> Message:
        """Shake hands, as most clients do."""
        info = {"name": "tests", "version": "1"}
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": info}
        answer = self.ask("initialize", params)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def result(self, tool: str, arguments: Mapping[str, Any] | None = None) -> Message:
        """The result of a call, whether it worked or not."""
        params = {"name": f"mimir_{tool}", "arguments": dict(arguments or {})}
        result: Message = self.ask("tools/call", params)["result"]
        return result

    def call(self, tool: str, **arguments: Any) -> Message:
        """The payload of a call that worked."""
        result = self.result(tool, arguments)
        assert "isError" not in result, result["content"][0]["text"]
        payload: Message = result["structuredContent"]
        return payload

    def refusal(self, tool: str, **arguments: Any) -> str:
        """The message of a call that failed."""
        return error_text(self.result(tool, arguments))

    def exchange(self, *messages: Any, answers: int) -> list[Message]:
        """Send messages and return their answers; fails on more or fewer than `answers`.

        A call sent behind them shows that the server has dealt with every one and goes on.
        """
        last = self.new_id()
        self.send(*messages, tool_call(last, "health", {}))
        received: list[Message] = []
        went_on = False
        while not went_on or len(received) < answers:
            message = self.receive()
            if message["id"] == last:
                assert message["result"]["structuredContent"] == {"status": "healthy"}
                went_on = True
            elif not str(message["id"]).startswith(_OWN_ID):
                # A failed test may have left the answer to its last call unread.
                received.append(message)
        assert len(received) == answers, received
        return received

    def progress(self) -> Message:
        """The next progress notification; an answer in its stead is a failure."""
        line = self.receive_line()
        assert line is not None, f"the server ended: {self.stderr()}"
        message = decoded(line)
        assert message.get("method") == "notifications/progress", message
        return message

    def taken_notifications(self) -> list[Message]:
        """The notifications received since the last time."""
        taken, self.notifications = self.notifications, []
        return taken

    def stop_reading(self) -> None:
        """Close our end of stdout, as a client that has died does."""
        assert self.process.stdout is not None
        self._reading = False
        self.send(request(self.new_id(), "ping"))
        self._reader.join(PATIENCE_S)
        self.process.stdout.close()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            return

    def exit_code(self, within_s: float = ENDS_WITHIN_S) -> int:
        """The code of a process that has ended, or ends in time."""
        return self.process.wait(within_s)

    def stderr(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
            if not self._reading:
                break
        self._lines.put(None)


@contextmanager
def serving(
    store: Path, *arguments: str | Path, home: Path | None = None, **env: str
) -> Iterator[Program]:
    """An initialized server on a store, with `env` in its environment."""
    home = home or store.parent / "home"
    with Program("--db", store, *arguments, home=home, env=environment(home, **env)) as program:
        program.initialize()
        yield program


def run(
    *arguments: str | Path,
    home: Path,
    input: str = "",
    cwd: Path | None = None,
    command: Sequence[str | Path] = (MIMIR,),
    **env: str,
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [*map(str, command), *map(str, arguments)],
        input=input,
        capture_output=True,
        encoding="utf-8",
        cwd=cwd or home,
        env=environment(home, **env),
        timeout=PATIENCE_S,
        check=False,
    )
