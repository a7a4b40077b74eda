"""Texts of the Rust program as they were written: plain, or AES-256-GCM in base64.

Nothing marks an encrypted text. What could be one (base64 of at least 28 bytes) is taken for plain
only when the search index, which holds every live text in the clear, has the very same text.
"""

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class Unreadable(Exception):
    """A row cannot be read; says why, without quoting it."""


class Bodies:
    """Opens the texts of one store."""

    def __init__(self, key: bytes | None) -> None:
        self._cipher = None if key is None else AESGCM(key)

    def open(self, stored: str, category: str, key: str, indexed: str | None) -> str:
        """The text of a row; `indexed` is what the search index has of it, if anything.

        Raises:
            Unreadable: it is encrypted, and there is no key, or not the one for this text.
        """
        sealed = sealed_bytes(stored)
        if sealed is None or stored == indexed:
            return stored
        if self._cipher is None:
            raise Unreadable("its text is encrypted and no key was given")
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for place in _places(category, key):
            try:
                return self._cipher.decrypt(nonce, rest, place).decode()
            except InvalidTag:
                continue
            except UnicodeDecodeError:
                raise Unreadable("its decrypted text is not UTF-8") from None
        raise Unreadable("this key does not open its text, or the text was changed")


def sealed_bytes(stored: str) -> bytes | None:
    """The bytes of a text that may be encrypted; `None` for one that cannot be."""
    if len(stored) % 4 or not stored or stored[0] in '{["':
        return None
    try:
        found = base64.b64decode(stored, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) >= _NONCE_BYTES + _TAG_BYTES else None


def _places(category: str, key: str) -> tuple[bytes, bytes]:
    """What a text is bound to: the present form, then that of older versions."""
    return (
        f"{len(category.encode())}:{category}:{key}".encode(),
        f"{category}:{key}".encode(),
    )
