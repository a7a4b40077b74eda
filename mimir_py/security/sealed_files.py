"""Files of text that only a key or a passphrase opens, whole or not at all.

A line that names the format, a line with a header as that of a sealed store (a random key of the
file's own, wrapped for the secret), then the text in parts of 64 KiB. Each part is AES-256-GCM
under a key derived from the file's own, which nothing else is sealed with; its nonce is its number
and whether it is the last (the STREAM construction), and what it is bound to is the header. So a
part that was changed, moved, left out or added, and an end that was cut off, are found out.
"""

import io
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mimir_py.errors import KeyRefused, TransferError
from mimir_py.security import keys

MAGIC: Final = b"mimir-sealed-export 1\n"
_PART_BYTES: Final = 65_536
_TAG_BYTES: Final = 16
_MOST_HEADER_BYTES: Final = 65_536


def is_sealed_file(beginning: bytes) -> bool:
    """Whether a file that begins so is one of these."""
    return beginning.startswith(MAGIC)


class SealedWriter:
    """Seals text into a file. Without `end` the file is one that was cut off."""

    def __init__(self, file: BinaryIO, secret: keys.Secret) -> None:
        master, header = keys.create(secret, seal_names=True)
        self._file = file
        self._parts = _Parts(master, header)
        self._waiting = bytearray()
        file.write(MAGIC + header.encode() + b"\n")

    def write(self, text: str) -> None:
        """Take more text."""
        self._waiting += text.encode()
        while len(self._waiting) > _PART_BYTES:
            self._file.write(self._parts.seal(bytes(self._waiting[:_PART_BYTES]), is_last=False))
            del self._waiting[:_PART_BYTES]

    def end(self) -> None:
        """Write the last part."""
        self._file.write(self._parts.seal(bytes(self._waiting), is_last=True))


class SealedReader(io.RawIOBase):
    """The text of a sealed file, which must be able to seek; `name` is how errors call it.

    The whole file is looked at before any of it is given.

    Raises:
        KeyRefused: the secret does not open it.
        TransferError: it is not what was written.
    """

    def __init__(self, file: BinaryIO, secret: keys.Secret, name: str) -> None:
        self._file = file
        self._name = name
        self._secret = secret
        for _ in self._opened():
            pass
        self._texts = self._opened()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # any buffer
        while not self._rest:
            text = next(self._texts, None)
            if text is None:
                return 0
            self._rest = text
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    @classmethod
    def lines(cls, file: BinaryIO, secret: keys.Secret, name: str) -> io.TextIOWrapper:
        """The text as a file of lines."""
        return io.TextIOWrapper(
            io.BufferedReader(cls(file, secret, name)), encoding="utf-8", newline="\n"
        )

    def _opened(self) -> Iterator[bytes]:
        self._file.seek(0)
        parts = self._begin()
        part = self._file.read(_PART_BYTES + _TAG_BYTES)
        while True:
            following = self._file.read(_PART_BYTES + _TAG_BYTES)
            try:
                yield parts.open(part, is_last=not following)
            except InvalidTag:
                raise TransferError(f"{self._name}: {parts.fault(part, following)}") from None
            if not following:
                return
            part = following

    def _begin(self) -> "_Parts":
        if self._file.read(len(MAGIC)) != MAGIC:
            raise TransferError(f"{self._name}: is no sealed export")
        header = self._file.readline(_MOST_HEADER_BYTES)
        if not header.endswith(b"\n"):
            raise TransferError(f"{self._name}: was cut off or changed: its header is not whole")
        try:
            text = header[:-1].decode()
            return _Parts(keys.unlock(text, self._secret), text)
        except UnicodeDecodeError:
            raise TransferError(f"{self._name}: its header was changed") from None
        except KeyRefused as error:
            # There the header is a store's.
            raise KeyRefused(str(error).replace("the store", self._name)) from None


class _Parts:
    """The parts of one file, in order."""

    def __init__(self, master: keys.Master, header: str) -> None:
        key = HKDF(hashes.SHA256(), keys.KEY_BYTES, master.store_id, b"mimir export")
        self._cipher = AESGCM(key.derive(master.key))
        self._bound = sha256(header.encode()).digest()
        self._number = 0

    def seal(self, text: bytes, *, is_last: bool) -> bytes:
        self._number += 1
        return self._cipher.encrypt(self._nonce(is_last=is_last), text, self._bound)

    def open(self, part: bytes, *, is_last: bool) -> bytes:
        self._number += 1
        return self._cipher.decrypt(self._nonce(is_last=is_last), part, self._bound)

    def fault(self, part: bytes, following: bytes) -> str:
        """Why the part that was to be opened last did not."""
        goes_on = bool(following)
        try:
            self._cipher.decrypt(self._nonce(is_last=goes_on), part, self._bound)
        except InvalidTag:
            return f"part {self._number} was changed, moved or cut off"
        end = f"part {self._number}"
        return f"goes on after its end, which is {end}" if goes_on else f"was cut off after {end}"

    def _nonce(self, *, is_last: bool) -> bytes:
        return self._number.to_bytes(11, "big") + bytes([is_last])
