"""Reads and writes configuration files: whole or not at all, and never with a wider mode."""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mimir_py.cli.hosts.models import HostConfigError

_NEW_FILE_MODE: Final = 0o644
_PRIVATE_MODE: Final = 0o600
_PERMISSIONS: Final = 0o7777


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is: `real` has links resolved, `data` and `status` are `None` if missing."""

    real: Path
    data: bytes | None = None
    status: os.stat_result | None = None


def read(path: Path) -> Found:
    """The file at `path`, following links.

    Raises:
        HostConfigError: there is something at `path` that is not a file.
        OSError: it cannot be read.
    """
    real = Path(os.path.realpath(path))
    try:
        status = real.stat()
    except FileNotFoundError:
        return Found(real)
    if not stat.S_ISREG(status.st_mode):
        raise HostConfigError("this is not a file; move it away first", path=path)
    return Found(real, real.read_bytes(), status)


def write(found: Found, data: bytes) -> None:
    """Replace the file by `data` in one step, keeping mode and owner, or create it.

    Raises:
        HostConfigError: the file is no longer as it was found.
        OSError: it cannot be written.
    """
    temporary = found.real.with_name(f".{found.real.name}.{secrets.token_hex(6)}.tmp")
    try:
        _create(temporary, data, found.status)
        _check_unchanged(found)
        temporary.replace(found.real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(found.real.parent)


def remove(found: Found) -> None:
    """Delete the file.

    Raises:
        HostConfigError: the file is no longer as it was found.
        OSError: it cannot be deleted.
    """
    _check_unchanged(found)
    found.real.unlink()
    _sync_folder(found.real.parent)


def write_private(path: Path, data: bytes) -> None:
    """Replace a file of our own in one step; only its owner can read it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        _create(temporary, data, None, _PRIVATE_MODE)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def back_up(found: Found, now_unix_s: int) -> Path:
    """Copy the file to `<file>.bak-<seconds>`, counting up past copies that are there already."""
    while True:
        copy = found.real.with_name(f"{found.real.name}.bak-{now_unix_s}")
        try:
            _create(copy, found.data or b"", found.status)
        except FileExistsError:
            now_unix_s += 1
        else:
            return copy


def make_folders(folder: Path) -> tuple[Path, ...]:
    """Create what is missing of `folder`; returns what was created, outermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(reversed(missing))


def remove_folders(folders: Iterable[Path]) -> None:
    """Remove those folders, given outermost first, that are empty."""
    for folder in reversed(tuple(folders)):
        with suppress(OSError):
            folder.rmdir()


def _check_unchanged(found: Found) -> None:
    if read(found.real).data != found.data:
        problem = "another program changed the file at the same moment; run this again"
        raise HostConfigError(problem, path=found.real)


def _create(
    path: Path, data: bytes, like: os.stat_result | None, mode: int = _NEW_FILE_MODE
) -> None:
    # Until mode and owner are those of `like`, nobody else may open the file.
    first_mode = mode if like is None else _PRIVATE_MODE
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, first_mode)) as file:
        file.write(data)
        if like is not None:
            _imitate(path, like)
        file.flush()
        os.fsync(file.fileno())


def _imitate(path: Path, like: os.stat_result) -> None:
    if hasattr(os, "chown"):
        # Under sudo the file must stay its user's; as that user there is nothing to change.
        with suppress(PermissionError):
            os.chown(path, like.st_uid, like.st_gid)
    path.chmod(like.st_mode & _PERMISSIONS)


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself durable; Windows cannot open a folder and needs no such thing.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
