"""A computation on other cores: in processes of their own, which end when this one does."""

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

# More would wait for the one process that stores what they make.
PROCESSES: Final = min(3, os.cpu_count() or 1)
_LOWER_PRIORITY: Final = 5


class Aside(Generic[A, B]):
    """Runs `work`, a value that can be pickled and only computes, for several threads at once.

    It runs on the calling thread where no process is free: before they are up, and when they are
    lost.
    """

    def __init__(self, work: Callable[[A], B]) -> None:
        self._work = work
        self._pipes: list[Connection] = []
        self._starting: list[Connection] = []
        self._free: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the processes, unless they were; returns at once."""
        if self._pipes:
            return
        # A fork would take along threads' locks, and the store's.
        context = multiprocessing.get_context("spawn")
        for _ in range(PROCESSES):
            ours, theirs = context.Pipe()
            context.Process(target=_serve, args=(theirs, self._work), daemon=True).start()
            # The end of one process is the end of input for the other.
            theirs.close()
            self._pipes.append(ours)
        self._starting = list(self._pipes)

    def __call__(self, given: A) -> B:
        """What `work` makes of a value; blocks, and lets other threads run meanwhile."""
        # Without one, or if it was killed or `work` failed: if so it fails here too, and tells why.
        with contextlib.suppress(queue.Empty, EOFError, OSError):
            self._welcome()
            pipe = self._free.get_nowait()
            pipe.send(given)
            made: B = pipe.recv()
            self._free.put(pipe)
            return made
        return self._work(given)

    def close(self) -> None:
        """Let the processes end."""
        for pipe in self._pipes:
            pipe.close()

    def _welcome(self) -> None:
        """Have those at hand that have come up."""
        with self._lock:
            for pipe in [pipe for pipe in self._starting if pipe.poll()]:
                self._starting.remove(pipe)
                pipe.recv()
                self._free.put(pipe)


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    # Whoever interrupts the program means the other process, which ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # That one holds locks that others wait for.
    if hasattr(os, "nice"):
        os.nice(_LOWER_PRIORITY)
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            pipe.send(work(pipe.recv()))
