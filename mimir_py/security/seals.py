"""Sealing rows and names of one store with keys made from its master key.

A seal is  format (1) | key id (4) | nonce (24) | commitment (32) | AES-256-GCM text and tag.
Every seal has a key of its own: HKDF-Expand (RFC 5869, SHA-512, one block) of the rows' key over
the random nonce gives 64 bytes, the first half the AES key, the second the commitment to it. So no
number of seals wears a key out, and no text opens under two keys. Format and key id are compared
with those of the store, never believed.

A name is replaced by its AES-SIV text (RFC 5297), which is the same each time: equal names stay
equal, and that is all that shows of them.
"""

import hmac
import os
from collections import OrderedDict
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mimir_py.errors import BrokenSeal

KEY_BYTES: Final = 32
_FORMAT: Final = b"\x01"
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 24
_PREFIX_BYTES: Final = len(_FORMAT) + _ID_BYTES
_TEXT_FROM: Final = _PREFIX_BYTES + _NONCE_BYTES + KEY_BYTES
# The key is used once, so its nonce may be anything.
_ZERO_NONCE: Final = bytes(12)
_NAMES_REMEMBERED: Final = 4_096


class Cipher:
    """Seals for one store; `seal_names` says whether categories and keys are sealed too."""

    def __init__(self, master: bytes, store_id: bytes, *, seal_names: bool) -> None:
        self._master = master
        self._store_id = store_id
        self.seal_names = seal_names
        self._prefix = _FORMAT + self.subkey("key id")[:_ID_BYTES]
        # Copied for each row: what is hashed of the key alone is hashed once.
        self._record_keys = hmac.new(self.subkey("rows", 64), digestmod="sha512")
        self._names = AESSIV(self.subkey("names", 64))
        self._words: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    def subkey(self, purpose: str, size: int = KEY_BYTES) -> bytes:
        """The store's key for one purpose (HKDF-SHA-256 over the master key)."""
        info = b"mimir " + purpose.encode()
        return HKDF(hashes.SHA256(), size, self._store_id, info).derive(self._master)

    def seal(self, place: bytes, plain: bytes) -> bytes:
        """`plain` sealed to a place: it opens nowhere else."""
        nonce = os.urandom(_NONCE_BYTES)
        key, commitment = self._record_key(nonce)
        text = AESGCM(key).encrypt(_ZERO_NONCE, plain, self._store_id + place)
        return b"".join((self._prefix, nonce, commitment, text))

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """What was sealed to that place.

        Raises:
            BrokenSeal: it is not what was sealed there with this store's key.
        """
        nonce = sealed[_PREFIX_BYTES : _PREFIX_BYTES + _NONCE_BYTES]
        key, commitment = self._record_key(nonce)
        held = sealed[_PREFIX_BYTES + _NONCE_BYTES : _TEXT_FROM]
        if sealed[:_PREFIX_BYTES] != self._prefix or not hmac.compare_digest(held, commitment):
            raise BrokenSeal("not sealed with this store's key")
        try:
            return AESGCM(key).decrypt(_ZERO_NONCE, sealed[_TEXT_FROM:], self._store_id + place)
        except InvalidTag:
            raise BrokenSeal("changed since it was sealed, or moved here") from None

    def token(self, column: str, word: bytes) -> bytes:
        """What stands for a name in the file."""
        return self._names.encrypt(word, [column.encode()])

    def word(self, column: str, token: bytes) -> bytes:
        """The name a token stands for.

        Raises:
            BrokenSeal: no name of this column has that token.
        """
        held = self._words.get((column, token))
        if held is not None:
            return held
        try:
            word = self._names.decrypt(token, [column.encode()])
        except (InvalidTag, ValueError):
            raise BrokenSeal(f"{column} was changed since it was sealed") from None
        self._words[(column, token)] = word
        if len(self._words) > _NAMES_REMEMBERED:
            self._words.popitem(last=False)
        return word

    def _record_key(self, nonce: bytes) -> tuple[bytes, bytes]:
        record = self._record_keys.copy()
        record.update(b"mimir row" + nonce + b"\x01")
        block = record.digest()
        return block[:KEY_BYTES], block[KEY_BYTES:]
