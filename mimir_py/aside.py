"""A computation on other cores: in processes of their own, which end when this one does.

A thread would compute as fast, but whatever else runs here would wait for the interpreter with it.
The processes are started by name, not by `multiprocessing`: that would run the program that uses
us once more in each, unless it is written for that.
"""

import contextlib
import gc
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Final, Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

# More would wait for the one process that stores what they make.
PROCESSES: Final = min(3, os.cpu_count() or 1)
_COMMAND: Final = (sys.executable, "-I", "-m", "mimir_py.aside")
_LOWER_PRIORITY: Final = 5
_END_S: Final = 1.0
# What comes of a process that is gone, or is going.
_LOST: Final = (EOFError, OSError, pickle.UnpicklingError)

# Both ends are ours, over pipes that nobody else has.
_received = pickle.load


class Aside(Generic[A, B]):
    """Runs `work`, a value that can be pickled and only computes, for several threads at once.

    It runs on the calling thread where no process is free: before any was started, and when they
    are lost. While they come up, so it does too, unless `patient`: then the thread waits.
    """

    def __init__(
        self, work: Callable[[A], B], processes: int = PROCESSES, *, patient: bool = False
    ) -> None:
        self._work = work
        self._wanted = processes
        self._patient = patient
        self._processes: list[subprocess.Popen[bytes]] = []
        self._welcoming: list[threading.Thread] = []
        self._free: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._is_closed = False

    def start(self) -> None:
        """Start the processes, unless they were; returns at once."""
        if self._processes:
            return
        for _ in range(self._wanted):
            try:
                process = subprocess.Popen(  # noqa: S603  # a constant
                    _COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    # Work that fails there fails here, too, and is told of here.
                    stderr=subprocess.DEVNULL,
                )
            except OSError:
                # No more processes for us: what is there does the work, or the calling thread.
                return
            thread = threading.Thread(target=self._welcome, args=(process,), daemon=True)
            thread.start()
            self._processes.append(process)
            self._welcoming.append(thread)

    def __call__(self, given: A) -> B:
        """What `work` makes of a value; blocks, and lets other threads run meanwhile.

        Raises:
            EOFError, OSError, UnpicklingError: it was closed meanwhile.
        """
        if self._patient:
            for thread in self._welcoming:
                thread.join()
        try:
            process = self._free.get_nowait()
            made: B = _asked(process, given)
        except queue.Empty:
            pass
        except _LOST:
            # It was killed, or `work` failed: if so it fails here too, and tells why.
            if self._is_closed:
                raise
        else:
            self._free.put(process)
            return made
        return self._work(given)

    def close(self) -> None:
        """End the processes, whatever they are at."""
        self._is_closed = True
        for process in self._processes:
            process.kill()
        for process, thread in zip(self._processes, self._welcoming, strict=True):
            process.wait(_END_S)
            thread.join(_END_S)
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):
                    pipe.close()

    def _welcome(self, process: "subprocess.Popen[bytes]") -> None:
        """Have a process at hand once it has come up."""
        with contextlib.suppress(*_LOST):
            _asked(process, self._work)
            self._free.put(process)


def _asked(process: "subprocess.Popen[bytes]", given: object) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    _send(process.stdin, given)
    return _received(process.stdout)


def _send(pipe: BinaryIO | Any, value: object) -> None:
    pickle.dump(value, pipe, pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def _serve() -> None:
    # Whoever interrupts the program means the other process, which ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # That one holds locks that others wait for.
    if hasattr(os, "nice"):
        os.nice(_LOWER_PRIORITY)
    # A computation leaves nothing behind that only a search for garbage would find.
    gc.disable()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    # What is printed must not come between.
    sys.stdout = sys.stderr
    with contextlib.suppress(*_LOST):
        work = _received(asked)
        _send(answers, None)
        while True:
            _send(answers, work(_received(asked)))


if __name__ == "__main__":
    _serve()
