"""The process's stdin and stdout as lines of bytes, on threads that can block without harm.

While serving, file descriptor 1 points at stderr, so that a stray print of any library, thread or
child process cannot get between the messages.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

_READ_BYTES: Final = 65_536


class LineReader:
    """Reads lines from a descriptor on a daemon thread and hands them to the event loop.

    `on_line` gets a line without its end, or `None` for one over `max_bytes`, which is skipped.
    At most `window` lines are handed over and not yet given back by `release`; then reading stops,
    so a fast writer cannot fill the memory.
    """

    def __init__(
        self,
        handle: int,
        max_bytes: int,
        window: int,
        on_line: Callable[[bytes | None], None],
        on_end: Callable[[], None],
    ) -> None:
        self._handle = handle
        self._max_bytes = max_bytes
        self._window = threading.Semaphore(window)
        self._on_line = on_line
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        threading.Thread(target=self._run, name="mimir-stdin", daemon=True).start()

    def release(self) -> None:
        """Give back one line."""
        self._window.release()

    def _run(self) -> None:
        try:
            self._read_all()
            self._loop.call_soon_threadsafe(self._on_end)
        except RuntimeError:
            # The loop is closed: the server ended before its input did.
            return

    def _read_all(self) -> None:
        held = bytearray()
        skipping = False
        while data := self._read():
            *whole, rest = data.split(b"\n")
            for part in whole:
                if not skipping and len(held) + len(part) <= self._max_bytes:
                    self._hand_over(bytes(held + part))
                elif not skipping:
                    self._hand_over(None)
                held.clear()
                skipping = False
            if skipping or len(held) + len(rest) > self._max_bytes:
                if not skipping:
                    self._hand_over(None)
                skipping = True
                held.clear()
            else:
                held += rest
        if held:
            self._hand_over(bytes(held))

    def _read(self) -> bytes:
        try:
            return os.read(self._handle, _READ_BYTES)
        except OSError:
            return b""

    def _hand_over(self, line: bytes | None) -> None:
        if line is not None and not line.strip():
            return
        self._window.acquire()
        self._loop.call_soon_threadsafe(self._on_line, line)


class LineWriter:
    """Writes lines to a descriptor, in order, on a thread of its own.

    `on_broken` is called once, on the event loop, when nobody reads any more.
    """

    def __init__(self, handle: int, on_broken: Callable[[], None]) -> None:
        self._handle = handle
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="mimir-stdout", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        self._lines.put(line + b"\n")

    def close(self, timeout_s: float) -> None:
        """Wait until everything is written, but no longer than that."""
        self._lines.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (line := self._lines.get()) is not None:
                _write_all(self._handle, line)
        except OSError:
            self._loop.call_soon_threadsafe(self._on_broken)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def claim_stdout() -> int:
    """A private descriptor of stdout; descriptor 1 and `sys.stdout` go to stderr from now on."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return private
