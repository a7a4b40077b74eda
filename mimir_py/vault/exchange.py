"""Notes out of the store and back into it, over one folder."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from mimir_py.errors import InvalidInput, TransferError
from mimir_py.security import Trust
from mimir_py.storage.secret import store_secret
from mimir_py.values import UnixMs
from mimir_py.vault import manifest
from mimir_py.vault.folder import Folder
from mimir_py.vault.models import TakenIn, Written
from mimir_py.vault.reading import Means, Reading
from mimir_py.vault.writing import NOTE_TRUST, Place, Writing, is_conflict

T = TypeVar("T")

_LOCK_POLL_S: Final = 0.05
_STORE_NAME: Final = b"mimir notes of the store"


class Notes:
    """The room's door for notes."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._database = means.database
        self._clock = means.clock

    def now(self) -> UnixMs:
        return self._clock()

    async def export(
        self, path: Path, workspaces: Sequence[str] | None = None, *, plain: bool = False
    ) -> Written:
        """Write a note of every live memory, and remove those of memories that are gone.

        Raises:
            InvalidInput: the store is sealed, and `plain` does not say that notes may be read.
            TransferError: the folder cannot be had.
        """
        await self.check_plain(plain=plain)

        async def work(folder: Folder) -> Written:
            place = await self.place(folder)
            writing = self.writing(place, workspaces)
            await self.write_all(place, writing)
            await asyncio.to_thread(place.known.save, folder)
            return writing.done

        return await self.locked(path, work)

    async def take_in(self, path: Path, trust: Trust = NOTE_TRUST) -> TakenIn:
        """Take the notes in a folder into the store; embedding is queued.

        Raises:
            TransferError: it is no folder.
        """
        with await asyncio.to_thread(lambda: Folder(path, create=False)) as folder:
            names = await asyncio.to_thread(
                lambda: [name for name in folder.notes() if not is_conflict(name)]
            )
            reading = self.reading(folder, trust)
            await reading.take_in(names)
            return reading.done

    async def check_plain(self, *, plain: bool) -> None:
        """Refuse to write notes of a sealed store unasked.

        Raises:
            InvalidInput: it is one.
        """
        is_sealed = await self._database.read(lambda reader: reader.is_sealed)
        if is_sealed and not plain:
            raise InvalidInput(
                "plain",
                "this store is sealed, and notes are plain text that anyone who gets at the "
                "folder can read: say plain (--plain) to write them all the same",
            )

    async def locked(
        self, path: Path, work: Callable[[Folder], Awaitable[T]], *, create: bool = True
    ) -> T:
        """Run `work` on a folder that no other Mimir writes into meanwhile."""
        with await asyncio.to_thread(lambda: Folder(path, create=create)) as folder:
            # Waiting must not hold a thread: the writer that is waited for needs one to end.
            while not folder.try_lock():  # noqa: ASYNC110  # a lock of the system's
                await asyncio.sleep(_LOCK_POLL_S)
            await asyncio.to_thread(folder.sweep)
            return await work(folder)

    async def place(self, folder: Folder) -> Place:
        """What the folder has of this store, and what is there now."""
        secret = await store_secret(self._database)
        name = hashlib.sha256(_STORE_NAME + secret).hexdigest()[:16]
        return await asyncio.to_thread(
            lambda: Place(folder, manifest.load(folder, name), folder.stamps())
        )

    async def write_all(self, place: Place, writing: Writing) -> None:
        """Write every note, and remove those of memories that are gone."""
        await writing.expect(await writing.live_names())
        await writing.all()
        live = await self.writing(place, None).live_names()
        gone = sorted(place.known.notes.keys() - live.keys())
        await asyncio.to_thread(writing.remove, gone)

    def writing(self, place: Place, workspaces: Sequence[str] | None) -> Writing:
        return Writing(self._database, self._clock, self._means.new_id, place, workspaces)

    def reading(self, folder: Folder, trust: Trust) -> Reading:
        return Reading(self._means, folder, trust)


def folder_of(text: str) -> Path:
    """The folder that an argument names; a leading `~` is the home folder.

    Raises:
        TransferError: there is no such home.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise TransferError(f"vault_dir: {text}: {error}") from None
