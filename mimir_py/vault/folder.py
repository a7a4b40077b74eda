"""A folder of notes, and nothing outside of it.

Every step from the folder down opens a name relative to the folder above and follows no symbolic
link, so that nobody who can write into the folder can lead a read or write out of it, not even by
exchanging a name in between. Only regular files that have one name are read. A file appears whole
or not at all, readable by its owner alone.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from mimir_py.errors import TransferError

if sys.platform != "win32":
    import fcntl

MOST_BYTES: Final = 64 * 2**20
_HAS_DIR_FD: Final = os.open in os.supports_dir_fd
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)
_FOLDER: Final = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_DIRECTORY", 0)
_TEMPORARY: Final = re.compile(r"\.mimir-[0-9a-f]{16}\.tmp")
_MOST_DEPTH: Final = 16
_OWN_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
# Names of devices in Windows, whatever their ending.
_DEVICES: Final = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])")


class Stamp(NamedTuple):
    """By what a file that was changed is told from one that was not."""

    size: int
    mtime_ns: int


def file_stem(text: str) -> str:
    """A file name without ending for an id: the id itself if it can be one, else one of its own."""
    if _OWN_NAME.fullmatch(text) and not _DEVICES.fullmatch(text):
        return text
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", text)[:80]
    return f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class Folder:
    """An open folder. Names are relative to it, with `/` between parts.

    Raises:
        TransferError: from every method, naming the file and the reason.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        try:
            if create:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The folder itself may be reached by a link: whoever named it chose that.
            self.path = path.resolve(strict=True)
            if not self.path.is_dir():
                raise TransferError(f"vault_dir: {path} is not a folder")
            self._root = os.open(self.path, _FOLDER) if _HAS_DIR_FD else -1
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TransferError(f"vault_dir: {path}: {reason}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def try_lock(self) -> bool:
        """Have the folder to ourselves among Mimir's writers until it is closed; whether we do."""
        if sys.platform != "win32":
            try:
                fcntl.flock(self._root, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError as error:
                raise TransferError(f"{self.path}: cannot be locked: {error.strerror}") from None
        return True

    def notes(self) -> Iterator[str]:
        """The Markdown files in it and its folders, in order, without hidden ones.

        Linked folders are not entered; a linked file is refused when it is read.
        """
        yield from self._notes("", 0)

    def _notes(self, below: str, depth: int) -> Iterator[str]:
        # Listed through the handle: a path could have been exchanged for a link meanwhile.
        with self._opened(below) as handle, self._listed(handle, below) as entries:
            found = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in entries)
        for name, is_folder in found:
            if name.startswith(".") or not _is_text(name):
                continue
            path = f"{below}/{name}" if below else name
            if is_folder and depth < _MOST_DEPTH:
                yield from self._notes(path, depth + 1)
            elif not is_folder and name.endswith(".md"):
                yield path

    def read(self, name: str) -> str | None:
        """The text of a file; `None` if there is none."""
        below, last = _parts(name)
        try:
            with self._opened(below) as handle:
                flags = os.O_RDONLY | _NO_FOLLOW | _BINARY
                file = self._open(handle, below, last, flags)
            with os.fdopen(file, "rb") as stream:
                found = os.fstat(stream.fileno())
                if not stat.S_ISREG(found.st_mode):
                    raise TransferError(f"{name}: is not a file")
                if found.st_nlink > 1:
                    raise TransferError(f"{name}: has another name elsewhere (a hard link)")
                if found.st_size > MOST_BYTES:
                    raise TransferError(f"{name}: is over {MOST_BYTES} bytes")
                content = stream.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(name, error) from None
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise TransferError(f"{name}: is not UTF-8 text") from None

    def write(self, name: str, text: str, *, over: str | None = None) -> Stamp:
        """Make a file, or put another in its place if that still says `over`."""
        below, last = _parts(name)
        try:
            with self._opened(below, create=True) as handle:
                temporary = f".mimir-{secrets.token_hex(8)}.tmp"
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
                file = self._open(handle, below, temporary, flags)
                try:
                    with os.fdopen(file, "wb") as stream:
                        stream.write(text.encode())
                        stream.flush()
                        stamp = _stamp(os.fstat(stream.fileno()))
                    if over is not None and self.read(name) != over:
                        raise TransferError(f"{name}: was changed meanwhile, and is left as it is")
                    self._rename(handle, below, temporary, last)
                except BaseException:
                    self._unlink(handle, below, temporary)
                    raise
        except OSError as error:
            raise _refused(name, error) from None
        return stamp

    def rename(self, name: str, other: str) -> None:
        """Give a file another name in the folder it is in."""
        below, last = _parts(name)
        try:
            with self._opened(below) as handle:
                self._rename(handle, below, last, _parts(other)[1])
        except OSError as error:
            raise _refused(name, error) from None

    def remove(self, name: str) -> bool:
        """Delete a file; whether there was one."""
        below, last = _parts(name)
        try:
            with self._opened(below) as handle:
                self._unlink(handle, below, last)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _refused(name, error) from None
        return True

    def stamps(self, below: str = "") -> dict[str, Stamp]:
        """The files in the folder itself, or in one of its folders, as they are now, by name."""
        try:
            with self._opened(below) as handle, self._listed(handle, below) as entries:
                return {
                    f"{below}/{entry.name}" if below else entry.name: _stamp(
                        entry.stat(follow_symlinks=False)
                    )
                    for entry in entries
                    if entry.is_file(follow_symlinks=False)
                }
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _refused(below or str(self.path), error) from None

    def sweep(self, below: str = "") -> None:
        """Delete what a writer that was killed left half-written; only under the lock."""
        for name in self.stamps(below):
            if _TEMPORARY.fullmatch(name.rpartition("/")[2]):
                self.remove(name)

    @contextlib.contextmanager
    def _opened(self, below: str, *, create: bool = False) -> Iterator[int]:
        """The folder of that name in this one, reached without following a link."""
        if not _HAS_DIR_FD:
            self._check_links(below, create=create)
            yield -1
            return
        handle = os.dup(self._root)
        try:
            for part in below.split("/") if below else ():
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=handle)
                inner = os.open(part, _FOLDER, dir_fd=handle)
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)

    def _listed(self, handle: int, below: str) -> Any:
        return os.scandir(handle if _HAS_DIR_FD else self.path / below)

    def _check_links(self, below: str, *, create: bool) -> None:
        at = self.path
        for part in below.split("/") if below else ():
            at /= part
            if create:
                at.mkdir(exist_ok=True)
            if at.is_symlink() or _is_reparsed(at):
                raise TransferError(f"{below}: is a link")

    def _open(self, handle: int, below: str, name: str, flags: int) -> int:
        if _HAS_DIR_FD:
            return os.open(name, flags, 0o600, dir_fd=handle)
        path = self.path / below / name
        if path.is_symlink():
            raise TransferError(f"{name}: is a link")
        return os.open(path, flags, 0o600)

    def _rename(self, handle: int, below: str, name: str, other: str) -> None:
        if _HAS_DIR_FD:
            os.replace(name, other, src_dir_fd=handle, dst_dir_fd=handle)
        else:
            (self.path / below / name).replace(self.path / below / other)

    def _unlink(self, handle: int, below: str, name: str) -> None:
        if _HAS_DIR_FD:
            os.unlink(name, dir_fd=handle)
        else:
            (self.path / below / name).unlink()


def _parts(name: str) -> tuple[str, str]:
    """The folder and the last part of a name.

    Raises:
        TransferError: it is none inside the folder.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\x00" in part for part in parts):
        raise TransferError(f"{name!r} is no name inside the folder")
    return "/".join(parts[:-1]), parts[-1]


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_size, found.st_mtime_ns)


def _is_reparsed(path: Path) -> bool:
    """Whether Windows leads elsewhere from there."""
    attributes = getattr(path.lstat(), "st_file_attributes", 0)
    return bool(attributes & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\\" not in name


def _refused(name: str, error: OSError) -> TransferError:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return TransferError(f"{name}: is a symbolic link, which is not followed")
    return TransferError(f"{name}: {error.strerror or error}")
