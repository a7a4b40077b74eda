"""The write lock: one file beside the store, held round every commit, checkpoint and migration.

SQLite's own lock is unfair under load and does not cover its checkpoints; an OS lock taken before
`BEGIN IMMEDIATE` is first come, first served. The kernel drops it when a process dies.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from mimir_py.errors import StoreBusy
from mimir_py.storage.files import create_private

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _lock(handle: int) -> None:
        while not _try_lock(handle):
            threading.Event().wait(0.005)

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

    # Windows has no shared lock here: each takes a byte of his own, beyond the content.
    _PLACES = 256
    _FIRST_PLACE = 1 << 30

    def join(handle: int) -> None:
        """Share a lock with others, until the handle is closed."""
        while True:
            for place in range(_PLACES):
                os.lseek(handle, _FIRST_PLACE + place, os.SEEK_SET)
                if _try_lock(handle):
                    return
            threading.Event().wait(0.005)

    def try_alone(handle: int) -> bool:
        """Whether nobody else shares the lock; it is not kept."""
        os.lseek(handle, _FIRST_PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, _PLACES)
        except OSError:
            return False
        os.lseek(handle, _FIRST_PLACE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, _PLACES)
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)

    def join(handle: int) -> None:
        """Share a lock with others, until the handle is closed."""
        fcntl.flock(handle, fcntl.LOCK_SH)

    def try_alone(handle: int) -> bool:
        """Whether nobody else shares the lock; it is not kept."""
        if not _try_lock(handle):
            return False
        _unlock(handle)
        return True


def lock_file(store: Path) -> Path:
    """The file beside a store that was opened once."""
    return store.with_name(store.name + ".lock")


class WriteLock:
    """One process's handle on the lock file of a store. Not reentrant; one holder at a time."""

    def __init__(self, store: Path, timeout_ms: int) -> None:
        self.path = lock_file(store)
        create_private(self.path)
        self._handle = os.open(self.path, os.O_RDWR)
        self._held_handle = self._handle
        self._timeout_ms = timeout_ms

    async def acquire(self) -> None:
        """Wait for the lock without blocking the event loop.

        Raises:
            StoreBusy: not had within the timeout.
        """
        if _try_lock(self._handle):
            return
        loop = asyncio.get_running_loop()
        had = asyncio.Event()
        waiter = _Waiter(self.path, lambda: loop.call_soon_threadsafe(had.set))
        waiter.start()
        try:
            await asyncio.wait_for(had.wait(), self._timeout_ms / 1000)
        except TimeoutError:
            if waiter.abandon():
                raise StoreBusy(self._busy_message()) from None
        except asyncio.CancelledError:
            if not waiter.abandon():
                _give_back(waiter.handle)
            raise
        self._held_handle = waiter.handle

    def acquire_blocking(self) -> None:
        """As `acquire`, for callers outside the event loop.

        Raises:
            StoreBusy: not had within the timeout.
        """
        if _try_lock(self._handle):
            return
        had = threading.Event()
        waiter = _Waiter(self.path, had.set)
        waiter.start()
        if not had.wait(self._timeout_ms / 1000) and waiter.abandon():
            raise StoreBusy(self._busy_message())
        self._held_handle = waiter.handle

    def release(self) -> None:
        if self._held_handle == self._handle:
            _unlock(self._handle)
            return
        _give_back(self._held_handle)
        self._held_handle = self._handle

    def close(self) -> None:
        os.close(self._handle)

    def _busy_message(self) -> str:
        return (
            f"other processes kept the store locked for {self._timeout_ms} ms; "
            "nothing was written. Try again"
        )


def _give_back(handle: int) -> None:
    _unlock(handle)
    os.close(handle)


class _Waiter:
    """Blocks for the lock on a daemon thread, so that a hung holder cannot keep us from exiting.

    It waits on a handle of its own: a lock belongs to its handle, and a wait that was given up
    must not release what a later holder has.
    """

    def __init__(self, path: Path, tell: Callable[[], object]) -> None:
        self.handle = os.open(path, os.O_RDWR)
        self._tell = tell
        self._state = threading.Lock()
        self._abandoned = False
        self._held = False

    def start(self) -> None:
        threading.Thread(target=self._wait, name="mimir-lock", daemon=True).start()

    def abandon(self) -> bool:
        """Give up waiting. False when the lock has already been had: the caller holds it."""
        with self._state:
            self._abandoned = True
            return not self._held

    def _wait(self) -> None:
        _lock(self.handle)
        with self._state:
            if self._abandoned:
                _give_back(self.handle)
                return
            self._held = True
        self._tell()
