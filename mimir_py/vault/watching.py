"""Rounds of `sync` for as long as somebody wants them: whenever either side has news."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch

from mimir_py.errors import DiskFull, StoreBusy, TransferError
from mimir_py.vault.sync import Round, Sync, Terms

logger = logging.getLogger("mimir")

_SETTLE_MS: Final = 400
_STEP_MS: Final = 100


async def watched(sync: Sync, path: Path, terms: Terms, interval_s: float) -> AsyncIterator[Round]:
    """The first round, and then every one that has something to tell.

    The store is looked at every `interval_s`; edited files are told by the system. A busy store or
    a full disk is waited out.

    Raises:
        InvalidInput: the store is sealed, and notes of it were not asked for.
        TransferError: the folder cannot be had, or is gone.
    """
    done = await sync.once(path, terms)
    yield done
    told = _standing(done)
    edited = asyncio.Event()
    watching = asyncio.create_task(_watch(path, edited)) if terms.two_way else None
    # Whatever changed since the first round began is news.
    seen: tuple[int, int] | None = None
    try:
        while True:
            heads = await sync.heads()
            if heads == seen and not edited.is_set():
                if watching is not None and watching.done():
                    watching.result()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(edited.wait(), interval_s)
                continue
            edited.clear()
            try:
                done = await sync.once(path, terms, create=False)
            except (StoreBusy, DiskFull) as error:
                logger.warning("obsidian-sync waits: %s", error)
                await asyncio.sleep(interval_s)
                edited.set()
                continue
            seen = heads
            if _did_something(done) or _standing(done) != told:
                told = _standing(done)
                yield done
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.wait((watching,))


async def _watch(path: Path, edited: asyncio.Event) -> None:
    """Tell when a note is edited; subfolders have only pages."""

    def is_note(_: Change, name: str) -> bool:
        file = Path(name).name
        return file.endswith(".md") and not file.startswith(".")

    watching = awatch(
        path, watch_filter=is_note, debounce=_SETTLE_MS, step=_STEP_MS, recursive=False
    )
    try:
        async for _ in watching:
            edited.set()
    except OSError as error:
        raise TransferError(f"vault_dir: {path} cannot be watched: {error}") from None


def _did_something(done: Round) -> bool:
    notes, taken = done.notes, done.taken
    return bool(
        notes.created
        or notes.updated
        or notes.removed
        or notes.conflicts
        or done.pages
        or (taken is not None and taken.updated)
    )


def _standing(done: Round) -> tuple[list[str], list[str]]:
    """What every round finds as the last one did, until somebody sees to it."""
    return done.notes.kept, done.notes.errors + (done.taken.errors if done.taken else [])
