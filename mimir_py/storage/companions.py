"""What a caller adds to every transaction of its call, without the rooms in between knowing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from mimir_py.storage.rows import Writer

T = TypeVar("T")
Work = Callable[[Writer], T]
# Runs the transaction's own work somewhere in its own, and returns that work's result.
Companion = Callable[[Writer, Work[Any]], Any]

_CURRENT: Final[ContextVar[Companion | None]] = ContextVar("mimir_companion", default=None)


@contextmanager
def accompanied(companion: Companion) -> Iterator[None]:
    """Inside, `companion` runs each transaction that is asked for, in this task and its children.

    What it raises rolls the transaction back.
    """
    token = _CURRENT.set(companion)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def unaccompanied() -> Iterator[None]:
    """Inside, transactions are of another store, and no part of the call's own."""
    token = _CURRENT.set(None)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def with_companion(work: Work[T]) -> Work[T]:
    """`work`, run by the companion of this context if there is one."""
    companion = _CURRENT.get()
    if companion is None:
        return work
    return lambda tx: companion(tx, work)
