"""Who has a store open: a file beside it that every opening holds a shared lock on.

The kernel drops the lock when a process dies, so whoever holds the write lock and can have this
one for himself is alone: opening joins here under the write lock. The process numbers in the file
are only for telling people who is there.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mimir_py.storage.files import create_private
from mimir_py.storage.lock import join, try_alone

_MOST_BYTES: Final = 65_536


class Presence:
    """This opening's place in the file. Make it with the write lock held."""

    def __init__(self, store: Path) -> None:
        path = presence_file(store)
        create_private(path)
        self._handle = os.open(path, os.O_RDWR)
        if try_alone(self._handle):
            # What those who died have left.
            os.ftruncate(self._handle, 0)
        join(self._handle)
        self._write([*_numbers(self._handle), os.getpid()])

    def close(self) -> None:
        numbers = _numbers(self._handle)
        with contextlib.suppress(ValueError):
            numbers.remove(os.getpid())
        self._write(numbers)
        os.close(self._handle)

    def _write(self, numbers: list[int]) -> None:
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.ftruncate(self._handle, 0)
        os.write(self._handle, "".join(f"{number}\n" for number in numbers).encode())


def is_attached(store: Path) -> bool:
    """Whether anybody has the store open. Ask with the write lock held."""
    with _opened(store) as handle:
        return handle is not None and not try_alone(handle)


def attached_processes(store: Path) -> list[int]:
    """The numbers of the processes that have the store open, once for each opening."""
    with _opened(store) as handle:
        return [] if handle is None else sorted(filter(lives, _numbers(handle)))


def presence_file(store: Path) -> Path:
    return store.with_name(store.name + ".presence")


@contextlib.contextmanager
def _opened(store: Path) -> Iterator[int | None]:
    try:
        handle = os.open(presence_file(store), os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _numbers(handle: int) -> list[int]:
    os.lseek(handle, 0, os.SEEK_SET)
    return [int(line) for line in os.read(handle, _MOST_BYTES).split() if line.isdigit()]


def lives(process: int) -> bool:
    """Whether there is a process of that number; on Windows always true."""
    # On Windows, asking by a signal would end it.
    if sys.platform != "win32":
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
    return True
