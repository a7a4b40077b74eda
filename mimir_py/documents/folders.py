"""Files under folders that may be read, and nothing outside of them.

A path is judged by its words alone: `..` is taken out before anything is opened. Then every step
from the allowed folder down opens a name relative to the folder above and follows no symbolic link,
so that nobody leads a read elsewhere, not even by exchanging a name in between.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mimir_py.errors import InvalidInput, TransferError

_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FILE: Final = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_BINARY", 0)
_FOLDER: Final = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_DIRECTORY", 0)
_HAS_DIR_FD: Final = os.open in os.supports_dir_fd
_MOST_DEPTH: Final = 32
# What tools make or fetch, not what people write.
_SKIPPED: Final = frozenset("node_modules target __pycache__ venv site-packages".split())


@dataclass(frozen=True)
class Place:
    """A file or folder: the allowed folder it is in, and the names that lead to it from there."""

    root: Path
    names: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.root.joinpath(*self.names)


def usual_roots(configured: Sequence[str], cwd: Path, home: Path) -> tuple[Path, ...]:
    """The folders a tool may read: those configured, else the project around `cwd`.

    A home folder, or what is above it, is no project: some hosts start servers there.
    """
    if configured:
        return tuple(Path(os.path.expanduser(name)).absolute() for name in configured)  # noqa: PTH111  # leaves unknown users as they are
    cwd, home = cwd.resolve(), home.resolve()
    above_home = (home, *home.parents)
    for folder in (cwd, *cwd.parents):
        if folder in above_home:
            break
        if (folder / ".git").exists():
            return (folder,)
    return () if cwd in above_home or cwd == cwd.parent else (cwd,)


def place_of(given: str, roots: Sequence[Path]) -> Place:
    """The place that a path names, by its words alone; relative ones start in the first root.

    Raises:
        InvalidInput: it is in none of the folders.
    """
    if not roots:
        raise InvalidInput(
            "path",
            "there is no project around this server: name folders that may be read in "
            "MIMIR_INGEST_ROOTS or --ingest-roots",
        )
    path = os.path.normpath(roots[0] / os.path.expanduser(given))  # noqa: PTH111  # as above
    for root in roots:
        for form in (root, root.resolve()):
            with contextlib.suppress(ValueError):
                return Place(root.resolve(), Path(path).relative_to(form).parts)
    raise InvalidInput(
        "path",
        "is not in the project, or the folders that MIMIR_INGEST_ROOTS or --ingest-roots names",
    )


def named(path: Path) -> Place:
    """The place that a person names, wherever it is, and even by a link.

    Raises:
        TransferError: there is none.
    """
    try:
        found = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TransferError(f"{path}: {reason}") from None
    return Place(found, ()) if found.is_dir() else Place(found.parent, (found.name,))


def content(place: Place, most_bytes: int) -> bytes:
    """What is in a file.

    Raises:
        TransferError: there is none, it is no regular file with one name, or longer than
            `most_bytes`; names it.
    """
    if not place.names:
        raise TransferError(f"{place.path}: is a folder, not a file")
    try:
        with _opened(place.root, place.names[:-1]) as folder:
            handle = _open(folder, place, _FILE)
        with os.fdopen(handle, "rb") as stream:
            found = os.fstat(stream.fileno())
            if stat.S_ISDIR(found.st_mode):
                raise TransferError(f"{place.path}: is a folder, not a file")
            if not stat.S_ISREG(found.st_mode):
                raise TransferError(f"{place.path}: is not a regular file")
            if found.st_nlink > 1:
                raise TransferError(f"{place.path}: has another name elsewhere (a hard link)")
            # Its size may grow while it is read.
            read = stream.read(most_bytes + 1)
    except OSError as error:
        raise _refused(place.path, error) from None
    if len(read) > most_bytes:
        raise TransferError(f"{place.path}: is over {most_bytes} bytes (MIMIR_MAX_INGEST_BYTES)")
    return read


def files(place: Place, problems: dict[str, str]) -> Iterator[Place]:
    """The files in a folder and its folders, in order; a file is itself.

    Hidden names, and folders of what tools make, are left out, and links are not followed.
    `problems` takes folders that cannot be read.
    """
    try:
        if place.names and not place.path.is_symlink() and place.path.is_file():
            yield place
            return
        with _opened(place.root, place.names) as folder, _listed(folder, place) as entries:
            found = sorted(
                (e.name, e.is_dir(follow_symlinks=False), e.is_symlink()) for e in entries
            )
    except (OSError, TransferError) as error:
        told = _refused(place.path, error) if isinstance(error, OSError) else error
        problems[str(place.path)] = str(told).removeprefix(f"{place.path}: ")
        return
    for name, is_folder, is_link in found:
        if name.startswith(".") or is_link or not _is_text(name):
            continue
        inner = Place(place.root, (*place.names, name))
        if not is_folder:
            yield inner
        elif name not in _SKIPPED and len(place.names) < _MOST_DEPTH:
            yield from files(inner, problems)


@contextlib.contextmanager
def _opened(root: Path, names: Sequence[str]) -> Iterator[int]:
    """A folder below the root, reached without following a link; -1 where that is not to be had."""
    if not _HAS_DIR_FD:
        _check_links(root, names)
        yield -1
        return
    handle = os.open(root, _FOLDER)
    try:
        for name in names:
            inner = os.open(name, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _open(folder: int, place: Place, flags: int) -> int:
    if _HAS_DIR_FD:
        return os.open(place.names[-1], flags, dir_fd=folder)
    _check_links(place.root, place.names)
    return os.open(place.path, flags)


def _listed(folder: int, place: Place) -> "os._ScandirIterator[str]":
    return os.scandir(folder if _HAS_DIR_FD else place.path)


def _check_links(root: Path, names: Sequence[str]) -> None:
    at = root
    for name in names:
        at /= name
        attributes = getattr(at.lstat(), "st_file_attributes", 0)
        if at.is_symlink() or attributes & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0):
            raise TransferError(f"{at}: is a link, which is not followed")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(path: Path, error: OSError) -> TransferError:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return TransferError(
            f"{path}: leads through a symbolic link, which is not followed, or a file"
        )
    if isinstance(error, IsADirectoryError):
        return TransferError(f"{path}: is a folder, not a file")
    return TransferError(f"{path}: {error.strerror or error}")
