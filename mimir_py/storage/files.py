"""Files and folders of the store: who may read them, and whose they are.

Everything is made 0600 (files) or 0700 (folders) whatever the umask. A file's owner is told from
its first bytes alone, so that another program's file is never opened, let alone changed.
"""

import os
import stat
from pathlib import Path
from typing import Final

from mimir_py.errors import ForeignStore, KeyRefused, StorageError, StoreTooNew

APPLICATION_ID: Final = 0x4D696D52  # "MimR" in the file header
SEALED_ID: Final = 0x4D696D53  # "MimS"
IDS: Final = (APPLICATION_ID, SEALED_ID)
_MAGIC: Final = b"SQLite format 3\x00"
# The file header, and the head of its first page: the list of tables.
_HEADER_BYTES: Final = 108
_LOG_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700


def create_private(path: Path) -> None:
    """Make `path` and its missing folders, readable by the owner alone. Leaves what exists."""
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            folder.chmod(_PRIVATE_FOLDER)
            # SQLite syncs the folder of its files, and nobody the folder of that one: a power cut
            # could take a new folder, with all that was acknowledged, out of the directory tree.
            sync_folder(folder.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    except FileExistsError:
        return
    except OSError as error:
        raise StorageError(f"cannot create {path}: {error.strerror}") from error
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(handle, _PRIVATE_FILE)
    finally:
        os.close(handle)


def open_to_others(path: Path) -> bool:
    """Whether anyone but the owner can read the file."""
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def is_store(path: Path) -> bool:
    """Whether the file's header names Mimir as its program."""
    header = _header(path)
    return header[:16] == _MAGIC and _application_id(header) in IDS


def is_sqlite(path: Path) -> bool:
    """Whether the file begins as a SQLite database does."""
    return _header(path)[:16] == _MAGIC


def is_rust_store(path: Path) -> bool:
    """Whether the file's header is that of a store of the Rust program."""
    header = _header(path)
    return header[:16] == _MAGIC and _is_rust(header)


def is_other_program(path: Path) -> bool:
    """Whether the file is a SQLite database of another program."""
    header = _header(path)
    return header[:16] == _MAGIC and _application_id(header) not in (0, *IDS)


def is_whole(path: Path) -> bool:
    """Whether a database is at least as long as its header says (file format, section 1.3)."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return False
    page_bytes = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    # 1 stands for 65,536, which two bytes cannot hold.
    return path.stat().st_size >= (65_536 if page_bytes == 1 else page_bytes) * pages


def sync(path: Path) -> None:
    """Have a file's content on the disk before going on."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk before going on; only POSIX can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_foreign(path: Path, newest_version: int, *, has_key: bool | None = None) -> None:
    """Refuse a file that is not a Mimir store of a version we know, from its header alone.

    Raises:
        KeyRefused: it is sealed and `has_key` is false, or plain and `has_key` is true.
        ForeignStore: another program's database, or no database at all.
        StoreTooNew: a newer Mimir wrote it.
        StorageError: the path cannot be read.
    """
    try:
        if path.is_dir():
            raise StorageError(f"{path} is a folder: --db takes a file")
        if not path.exists():
            return
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    header = _newest_first_page(path) or header
    if not header:
        return
    if header[:16] != _MAGIC or len(header) < _HEADER_BYTES:
        raise ForeignStore(f"{path} is not a SQLite database; it was left untouched")
    user_version = int.from_bytes(header[60:64], "big")
    application_id = _application_id(header)
    if application_id in IDS:
        _check_key(path, has_key, is_sealed=application_id == SEALED_ID)
        if user_version > newest_version:
            raise StoreTooNew(
                f"{path} was written by a newer Mimir (schema {user_version}; this program knows "
                f"up to {newest_version}); it was left untouched. Upgrade: pip install -U mimir-py"
            )
        return
    if application_id == 0 and user_version == 0 and _has_no_table(header):
        # Being made: a first start may have ended here, its tables still in the log.
        return
    if _is_rust(header):
        raise ForeignStore(
            f"{path} is a store of the Rust program (perseus-vault / mneme / mimir, schema "
            f"{user_version}); it was left untouched. `mimir serve` makes it a store of its own, "
            "a backup kept; `mimir migrate` copies it into one"
        )
    raise ForeignStore(
        f"{path} is a database of another program; it was left untouched. Give another file "
        "with --db or MIMIR_DB_PATH"
    )


def _check_key(path: Path, has_key: bool | None, *, is_sealed: bool) -> None:
    if has_key is None or has_key == is_sealed:
        return
    if is_sealed:
        raise KeyRefused(
            f"{path} is sealed: give its key with --encryption-key, --passphrase-file or --keychain"
        )
    raise KeyRefused(
        f"{path} is not sealed, and a key was given. To seal it: mimir seal (the server must not "
        "be running)"
    )


def is_sealed(path: Path) -> bool:
    """Whether a Mimir store's file says that its rows are encrypted."""
    return _application_id(_header(path)) == SEALED_ID


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _newest_first_page(path) or file.read(_HEADER_BYTES)
    except OSError:
        return b""


def _application_id(header: bytes) -> int:
    return int.from_bytes(header[68:72], "big")


def _is_rust(header: bytes) -> bool:
    return _application_id(header) == 0 and 1 <= int.from_bytes(header[60:64], "big") <= 10


def _has_no_table(header: bytes) -> bool:
    """Whether the first page of a database lists nothing (SQLite file format, section 1.6)."""
    leaf_of_a_table = header[100] == 0x0D
    return leaf_of_a_table and int.from_bytes(header[103:105], "big") == 0


def _newest_first_page(path: Path) -> bytes | None:
    """The head of the first page as the log has it, if it does (file format, section 4.1)."""
    log = path.with_name(path.name + "-wal")
    if not log.exists():
        return None
    found = None
    with log.open("rb") as file:
        page_bytes = int.from_bytes(file.read(_LOG_HEADER_BYTES)[8:12], "big")
        while page_bytes and len(frame := file.read(_FRAME_HEADER_BYTES)) == _FRAME_HEADER_BYTES:
            start = file.tell()
            if int.from_bytes(frame[:4], "big") == 1:
                found = file.read(_HEADER_BYTES)
            file.seek(start + page_bytes)
    return found
