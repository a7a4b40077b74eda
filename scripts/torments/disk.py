"""A disk that keeps only what was synced, played from a server's system calls.

What POSIX promises and no more: the content of a file is safe when a sync of that file has ended,
its name when one of its folder has. Of everything else any part may be on the disk after a power
cut: any of the writes, any 512-byte sectors of them, and the changes of a folder up to some moment.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from torments.outcome import NotMeasured
from torments.syscalls import Call

_SECTOR: Final = 512
_UNMODELLED: Final = frozenset({"writev", "pwritev", "fallocate", "sync_file_range"})
Image = dict[str, bytes]
# Which of the unsynced changes of a file survive.
Survival = Callable[["_Change"], Iterator["_Change"]]


@dataclass(frozen=True)
class _Change:
    """Bytes at an offset, or (without any) a new length."""

    offset: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        if self.data is None:
            del content[self.offset :]
            content.extend(bytes(max(0, self.offset - len(content))))
            return
        content.extend(bytes(max(0, self.offset - len(content))))
        content[self.offset : self.offset + len(self.data)] = self.data

    def sectors(self) -> Iterator["_Change"]:
        if self.data is None:
            yield self
            return
        start, end = self.offset, self.offset + len(self.data)
        while start < end:
            stop = min(end, (start // _SECTOR + 1) * _SECTOR)
            yield _Change(start, self.data[start - self.offset : stop - self.offset])
            start = stop


@dataclass
class _File:
    """What is safe of a file, what is not, and how much of that a running sync covers."""

    safe: bytearray = field(default_factory=bytearray)
    unsafe: list[_Change] = field(default_factory=list)
    covered: int = 0
    length: int = 0


@dataclass(frozen=True)
class _Entry:
    """A change of a folder: a name for a file, or (with `None`) a name less."""

    folder: str
    name: str
    file: _File | None


class Disk:
    """The files of one folder and the folders in it."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._names: dict[str, _File] = {}
        self._safe_names: dict[str, _File] = {}
        # A folder is a name of its own, which may be lost like any other, with all that is in it.
        self._folders = {root}
        self._unsafe_entries: list[_Entry] = []
        self._covered_entries: dict[str, int] = {}

    def play(self, call: Call) -> None:
        """Do what a call does."""
        path = call.path
        if not (path == self._root or path.startswith(self._root + "/")) or path.endswith("-shm"):
            return
        if call.name in _UNMODELLED:
            raise NotMeasured(f"{call.name} on {path}: the model does not know that call")
        if call.name == "sync":
            self._sync(path, ended=call.ended)
        elif call.name in ("write", "ftruncate"):
            if not call.ended and path in self._names:
                self._change(self._names[path], call)
        elif call.ended:
            self._rename_or_make(call)

    def image(self, survival: Survival, folder_changes: float) -> Image:
        """The files after a power cut, by path relative to the root.

        `folder_changes` is the share (0..1) of the unsynced changes of folders that were made.
        """
        names = dict(self._safe_names)
        for entry in self._unsafe_entries[: round(folder_changes * len(self._unsafe_entries))]:
            _rename(names, entry)
        there = {self._root}
        for name in sorted(name for name in names if name in self._folders):
            if str(PurePosixPath(name).parent) in there:
                there.add(name)
        image = {}
        for name, file in names.items():
            if name in self._folders or str(PurePosixPath(name).parent) not in there:
                continue
            content = bytearray(file.safe)
            for change in file.unsafe:
                for part in survival(change):
                    part.apply(content)
            image[name.removeprefix(self._root + "/")] = bytes(content)
        return image

    def _sync(self, path: str, *, ended: bool) -> None:
        if path in self._folders:
            self._sync_folder(path, ended=ended)
            return
        file = self._names.get(path)
        if file is None:
            return
        if not ended:
            file.covered = len(file.unsafe)
            return
        for change in file.unsafe[: file.covered]:
            change.apply(file.safe)
        del file.unsafe[: file.covered]
        file.covered = 0

    def _sync_folder(self, path: str, *, ended: bool) -> None:
        own = [entry for entry in self._unsafe_entries if entry.folder == path]
        if not ended:
            self._covered_entries[path] = len(own)
            return
        for entry in own[: self._covered_entries.pop(path, 0)]:
            _rename(self._safe_names, entry)
            self._unsafe_entries.remove(entry)

    def _change(self, file: _File, call: Call) -> None:
        if call.name == "ftruncate":
            file.length = call.offset
            file.unsafe.append(_Change(call.offset, None))
            return
        offset = call.offset if call.offset >= 0 else file.length
        file.length = max(file.length, offset + len(call.data))
        file.unsafe.append(_Change(offset, call.data))

    def _rename_or_make(self, call: Call) -> None:
        path = call.path
        if call.name.startswith("unlink"):
            self._enter(path, None)
        elif call.name.startswith("mkdir"):
            self._folders.add(path)
            self._enter(path, _File())
        elif call.name == "rename":
            self._enter(call.other, self._names.get(path))
            self._enter(path, None)
        elif call.made and path not in self._names:
            self._enter(path, _File())
        elif call.offset == 1 and path in self._names:
            self._change(self._names[path], Call("ftruncate", path, ended=False, offset=0))

    def _enter(self, path: str, file: _File | None) -> None:
        entry = _Entry(str(PurePosixPath(path).parent), path, file)
        _rename(self._names, entry)
        self._unsafe_entries.append(entry)


def _rename(names: dict[str, _File], entry: _Entry) -> None:
    if entry.file is None:
        names.pop(entry.name, None)
    else:
        names[entry.name] = entry.file


def nothing(change: _Change) -> Iterator[_Change]:
    """No unsynced write has reached the disk."""
    return iter(())


def any_writes(source: random.Random) -> Survival:
    """Some of the unsynced writes have, each whole."""
    share = source.choice((0.1, 0.5, 0.9))
    return lambda change: iter((change,) if source.random() < share else ())


def any_sectors(source: random.Random) -> Survival:
    """Some sectors of the unsynced writes have."""
    share = source.choice((0.1, 0.5, 0.9))
    return lambda change: (part for part in change.sectors() if source.random() < share)
