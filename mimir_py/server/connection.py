"""The one client of the process: its lines in, its answers out, and the end of both.

Ends when input ends, a signal asks for it, or the parent has died; calls that were read before are
answered first, and the store is closed on every path.
"""

import asyncio
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from mimir_py.config import Settings
from mimir_py.server.door import Door
from mimir_py.server.streams import LineReader, LineWriter, claim_stdio
from mimir_py.server.wire import MAX_LINE_BYTES, Forward, Gate

if TYPE_CHECKING:
    from mcp.shared.message import SessionMessage

_WINDOW: Final = 64
# After the end of input, calls may go on while answers keep coming; a stuck one may not.
_QUIET_END_S: Final = 1.2
_PARENT_CHECK_S: Final = 0.5
_LAST_ANSWERS_S: Final = 0.2
_LAST_WORDS_S: Final = 0.3
_CLOSING_S: Final = 1.5


class Connection:
    """Streams, gate and door of the one client of this process."""

    def __init__(self, settings: Settings, home: Path, cwd: Path) -> None:
        self._door = Door(settings, home, cwd)
        self._ended = asyncio.Event()
        self._stop = asyncio.Event()
        self._progress = asyncio.Event()

    async def serve(self) -> None:
        """Answer until the end."""
        source, sink = claim_stdio()
        self._writer = LineWriter(sink, self._stop.set)
        self._gate = Gate(self._on_settled)
        self._to_sdk, from_gate = anyio.create_memory_object_stream[Any](float("inf"))
        to_gate, self._from_sdk = anyio.create_memory_object_stream[Any](0)
        self._reader = LineReader(source, MAX_LINE_BYTES, _WINDOW, self._on_line, self._ended.set)
        _stop_on_signals(self._stop)
        server = self._door.server()
        options = server.create_initialization_options()
        tasks = [
            asyncio.create_task(server.run(from_gate, to_gate, options), name="mimir-sdk"),
            asyncio.create_task(self._write_answers(), name="mimir-answers"),
        ]
        self._reader.start()
        try:
            await self._until_the_end(tasks)
        finally:
            _exit_in_any_case(_CLOSING_S)
            # With its input closed the SDK answers what is left, and ends.
            self._to_sdk.close()
            await asyncio.wait(tasks, timeout=_LAST_ANSWERS_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._door.close()
            self._writer.close(_LAST_WORDS_S)

    async def _until_the_end(self, tasks: "list[asyncio.Task[None]]") -> None:
        watcher = asyncio.create_task(_parent_gone(), name="mimir-parent")
        stopped = asyncio.create_task(self._stop.wait())
        drained = asyncio.create_task(self._drained())
        ends = {watcher, stopped, drained}
        try:
            await asyncio.wait({*ends, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()

    async def _drained(self) -> None:
        """Return when input has ended and the calls read before are answered, or stuck."""
        await self._ended.wait()
        while self._gate.unanswered:
            self._progress.clear()
            try:
                await asyncio.wait_for(self._progress.wait(), _QUIET_END_S)
            except TimeoutError:
                break

    def _on_line(self, line: bytes | None) -> None:
        verdict = self._gate.overlong() if line is None else self._gate.inbound(line)
        if isinstance(verdict, Forward):
            self._to_sdk.send_nowait(verdict.message)
            if hasattr(verdict.message.message, "id"):
                return
        elif verdict is not None:
            self._writer.write(verdict.line)
        self._reader.release()

    def _on_settled(self) -> None:
        self._reader.release()
        self._progress.set()

    async def _write_answers(self) -> None:
        message: SessionMessage
        async for message in self._from_sdk:
            self._writer.write(self._gate.outbound(message))
            self._door.open()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Windows' loop has none; there a handler runs on the main thread.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


async def _parent_gone() -> None:
    """Return when the process that started us has died."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  # nothing else tells on every platform
        await asyncio.sleep(_PARENT_CHECK_S)


def _exit_in_any_case(after_s: float) -> None:
    """End the process even if closing hangs; everything acknowledged is on disk already."""
    timer = threading.Timer(after_s, os._exit, (0,))
    timer.daemon = True
    timer.start()
