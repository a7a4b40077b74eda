"""The process's stdin and stdout as lines of bytes; what could block is left to threads.

While serving, file descriptor 1 points at stderr, so that a stray print of any library, thread or
child process cannot get between the messages.
"""

import asyncio
import os
import select
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Final

_READ_BYTES: Final = 65_536
_STDERR: Final = 2


class LineReader:
    """Reads lines from a descriptor and hands them to the event loop.

    The loop watches the descriptor itself where it can, and a daemon thread reads where it cannot:
    waking a thread for each line takes longer than reading it. `on_line` gets a line without its
    end, or `None` for one over `max_bytes`, which is skipped. At most `window` lines are handed
    over and not yet given back by `release`; then reading stops, so a fast writer cannot fill the
    memory.
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
        self._lines = _Lines(max_bytes)
        self._window = threading.Semaphore(window)
        self._on_line = on_line
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes | None] = deque()
        self._watching = False
        self._held_up = False
        self._ended = False

    def start(self) -> None:
        try:
            self._watch()
        except (NotImplementedError, OSError):
            # Windows' loop watches no pipes, and Linux' no files.
            threading.Thread(target=self._run, name="mimir-stdin", daemon=True).start()

    def release(self) -> None:
        """Give back one line."""
        self._window.release()
        if self._held_up:
            self._held_up = False
            self._loop.call_soon(self._hand_over_waiting)

    def _watch(self) -> None:
        self._loop.add_reader(self._handle, self._on_readable)
        self._watching = True

    def _unwatch(self) -> None:
        if self._watching:
            self._loop.remove_reader(self._handle)
            self._watching = False

    def _on_readable(self) -> None:
        data = self._read()
        self._ended = not data
        self._waiting.extend(self._lines.fed(data) if data else self._lines.ended())
        self._hand_over_waiting()

    def _hand_over_waiting(self) -> None:
        """Hand over what the window lets through, and read on only when that was all."""
        while self._waiting and self._window.acquire(blocking=False):
            self._on_line(self._waiting.popleft())
        if self._waiting:
            self._held_up = True
            self._unwatch()
        elif self._ended:
            self._unwatch()
            self._on_end()
        elif not self._watching:
            self._watch()

    def _run(self) -> None:
        try:
            while data := self._read():
                self._hand_over(self._lines.fed(data))
            self._hand_over(self._lines.ended())
            self._loop.call_soon_threadsafe(self._on_end)
        except RuntimeError:
            # The loop is closed: the server ended before its input did.
            return

    def _hand_over(self, lines: Iterable[bytes | None]) -> None:
        for line in lines:
            self._window.acquire()
            self._loop.call_soon_threadsafe(self._on_line, line)

    def _read(self) -> bytes:
        try:
            return os.read(self._handle, _READ_BYTES)
        except OSError:
            return b""


class _Lines:
    """Puts lines together from what is read; blank ones are left out, over-long ones `None`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._skipping = False

    def fed(self, data: bytes) -> Iterator[bytes | None]:
        """The lines that `data` brings to their end, or over the limit."""
        *whole, rest = data.split(b"\n")
        for part in whole:
            yield from self._with(part)
            yield from self.ended()
            self._skipping = False
        yield from self._with(rest)

    def ended(self) -> Iterator[bytes]:
        """What is held, as a line."""
        line = bytes(self._held)
        self._held.clear()
        if line.strip():
            yield line

    def _with(self, part: bytes) -> Iterator[None]:
        if self._skipping:
            return
        if len(self._held) + len(part) > self._max_bytes:
            self._skipping = True
            self._held.clear()
            yield None
        else:
            self._held += part


class LineWriter:
    """Writes lines to a descriptor, in order, on a thread of its own.

    A line that a pipe takes without blocking is written at once: waking the thread takes longer.
    `on_broken` is called once, on the event loop, when nobody reads any more.
    """

    def __init__(self, handle: int, on_broken: Callable[[], None]) -> None:
        self._handle = handle
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        # Each counted by one thread only: the lines given to the other, and those it is done with.
        self._given = 0
        self._done = 0
        self._takes = _unblocked(handle)
        self._thread = threading.Thread(target=self._run, name="mimir-stdout", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        data = line + b"\n"
        if self._given == self._done and self._takes is not None and self._takes(data):
            return
        self._given += 1
        self._lines.put(data)

    def close(self, timeout_s: float) -> None:
        """Wait until everything is written, but no longer than that."""
        self._lines.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (line := self._lines.get()) is not None:
                _write_all(self._handle, line)
                self._done += 1
        except OSError:
            self._loop.call_soon_threadsafe(self._on_broken)


if sys.platform == "win32":

    def _unblocked(handle: int) -> Callable[[bytes], bool] | None:
        return None
else:

    def _unblocked(handle: int) -> Callable[[bytes], bool] | None:
        """What writes to a pipe if that is certain not to block, and says whether it did."""
        if not stat.S_ISFIFO(os.fstat(handle).st_mode):
            return None
        poll = select.poll()
        poll.register(handle, select.POLLOUT)

        def takes(data: bytes) -> bool:
            # A pipe that is ready for writing takes this many bytes, whole.
            if len(data) > select.PIPE_BUF or poll.poll(0) != [(handle, select.POLLOUT)]:
                return False
            try:
                os.write(handle, data)
            except OSError:
                return False
            return True

        return takes


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def open_standard_descriptors() -> None:
    """Open descriptors 0 to 2 on nothing where they are closed.

    Otherwise the next files opened would get these numbers, and a print would land in a store.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(handle)


def claim_stdio() -> tuple[int, int]:
    """Private descriptors of stdin and stdout, which whatever else runs here cannot get at.

    From now on descriptor 0 is empty, and descriptor 1 and `sys.stdout` lead to stderr: no tool,
    library or child process takes a message away or puts a word between the answers.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    private = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(_STDERR, 1)
    sys.stdout = sys.stderr
    return private
