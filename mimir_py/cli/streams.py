"""The files that exports write and imports read: plain or sealed, by name or as a stream."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from mimir_py.errors import KeyRefused, TransferError
from mimir_py.storage.files import create_private

STREAM: Final = "-"
_STREAM_NAME: Final = "standard input"


@contextmanager
def writing(path: str, secret: Any) -> Iterator[Callable[[str], object]]:
    """What takes the text of a private file, which appears whole or not at all.

    With a secret the file is sealed for it.

    Raises:
        TransferError: it cannot be written.
    """
    if path == STREAM:
        with _texts(sys.stdout.buffer, secret) as write:
            yield write
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    part = target.with_name(target.name + f".part{os.getpid()}")
    create_private(part)
    try:
        with part.open("wb") as file:
            with _texts(file, secret) as write:
                yield write
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise TransferError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def reading(path: str, secret: Any, of_store: Callable[[], Any]) -> Iterator[io.TextIOBase]:
    """The lines of a file; a sealed one opens with its secret, by itself that of the store.

    Raises:
        KeyRefused: it is sealed and the secret is not its own, or plain though one was given.
        TransferError: it is sealed, and not what was written.
    """
    if path == STREAM:
        stdin = cast("io.BufferedReader", sys.stdin.buffer)
        with _lines(stdin, _STREAM_NAME, secret, of_store) as lines:
            yield lines
        return
    with Path(path).open("rb") as file, _lines(file, path, secret, of_store) as lines:
        yield lines


@contextmanager
def _lines(
    file: io.BufferedReader, name: str, secret: Any, of_store: Callable[[], Any]
) -> Iterator[io.TextIOBase]:
    from mimir_py.security.sealed_files import MAGIC, SealedReader, is_sealed_file

    if is_sealed_file(file.peek(len(MAGIC))):
        secret = secret or of_store()
        if secret is None:
            raise KeyRefused(f"{name} is sealed: give its key with --seal-encryption-key")
        # It is looked at whole before it is read.
        whole = file if file.seekable() else io.BytesIO(file.read())
        yield SealedReader.lines(whole, secret, name)
        return
    if secret is not None:
        raise KeyRefused(f"{name} is not sealed, and a key was given for it")
    lines = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    try:
        yield lines
    finally:
        lines.detach()


@contextmanager
def _texts(file: BinaryIO, secret: Any) -> Iterator[Callable[[str], object]]:
    if secret is None:
        yield lambda text: file.write(text.encode())
        return
    from mimir_py.security.sealed_files import SealedWriter

    sealed = SealedWriter(file, secret)
    yield sealed.write
    sealed.end()
