"""The key of a sealed store: a random master key, wrapped once for each way to unlock it.

The header is a JSON document in the store. It names the store, says that sealing is required,
and holds one slot per secret: a key file, a passphrase (Argon2id, RFC 9106), or an entry of the
system's keychain. Changing a secret changes a slot, not the rows. A MAC under the master key covers
all of it.
"""

import base64
import binascii
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mimir_py.errors import ConfigError, KeyRefused

FORMAT: Final = 1
KEY_BYTES: Final = 32
_STORE_ID_BYTES: Final = 16
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_WRAPPED_BYTES: Final = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
# Above the OWASP floor (19 MiB, 2, 1); about a fifth of a second.
_ARGON: Final = {"memory_kib": 65_536, "iterations": 3, "lanes": 4}
# A header is read before it can be trusted: no file may ask for more work than this.
_MOST_ARGON: Final = {"memory_kib": 1_048_576, "iterations": 16, "lanes": 16}
_LEAST_ARGON: Final = {"memory_kib": 8_192, "iterations": 1, "lanes": 1}
_KEYCHAIN_SERVICE: Final = "mimir"


@dataclass(frozen=True)
class Secret:
    """What unlocks a store. `kind` is `file`, `passphrase` or `keychain`; only a passphrase is weak
    enough to need stretching."""

    kind: str
    value: bytes


@dataclass(frozen=True)
class Master:
    """An unlocked key, and what the header says beside it."""

    key: bytes
    store_id: bytes
    seal_names: bool


def make_key_file(path: Path) -> None:
    """Write a new random key, base64, readable by the owner alone.

    Raises:
        ConfigError: there is something already, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            f"{path} exists; it was left as it is, for a key that is gone opens nothing again"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)))
        file.flush()
        os.fsync(file.fileno())


def from_key_file(path: Path) -> Secret:
    """The key in a file: base64 of 32 bytes.

    Raises:
        KeyRefused: there is none.
    """
    try:
        key = base64.b64decode(path.expanduser().read_bytes().strip(), validate=True)
    except OSError as error:
        raise KeyRefused(f"cannot read the key file {path}: {error.strerror}") from None
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyRefused(f"{path} holds no key: it must be base64 of {KEY_BYTES} bytes")
    return Secret("file", key)


def from_passphrase_file(path: Path) -> Secret:
    """The passphrase on the first line of a file.

    Raises:
        KeyRefused: there is none.
    """
    try:
        lines = path.expanduser().read_bytes().splitlines()
    except OSError as error:
        raise KeyRefused(f"cannot read the passphrase file {path}: {error.strerror}") from None
    if not lines or not lines[0].strip():
        raise KeyRefused(f"{path} holds no passphrase on its first line")
    return Secret("passphrase", lines[0].strip())


def from_keychain(entry: str, *, create: bool = False) -> Secret:
    """The key that the system's keychain holds under a name; `create` makes it if it is missing.

    Raises:
        KeyRefused: there is none, or no keychain.
    """
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise KeyRefused("the keychain needs an extra: pip install 'mimir-py[keychain]'") from None
    try:
        held = keyring.get_password(_KEYCHAIN_SERVICE, entry)
        if held is None and create:
            held = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
            keyring.set_password(_KEYCHAIN_SERVICE, entry, held)
    except keyring.errors.KeyringError as error:
        raise KeyRefused(f"the keychain did not answer: {error}") from None
    if held is None:
        raise KeyRefused(f"the keychain has no entry {entry!r} of {_KEYCHAIN_SERVICE!r}")
    try:
        key = base64.b64decode(held, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyRefused(
            f"the entry {entry!r} of the keychain is no key: it must be base64 of {KEY_BYTES} bytes"
        )
    return Secret("keychain", key)


def create(secret: Secret, *, seal_names: bool) -> tuple[Master, str]:
    """A new master key, and the header of the store it is for."""
    master = Master(
        secrets.token_bytes(KEY_BYTES), secrets.token_bytes(_STORE_ID_BYTES), seal_names
    )
    return master, _written(master, [_slot(master, secret)])


def unlock(header: str, secret: Secret) -> Master:
    """The master key of a header.

    Raises:
        KeyRefused: the secret opens none of its slots, or the header was changed.
    """
    fields = _parsed(header)
    store_id = _bytes(fields, "store")
    for slot in fields["slots"]:
        key = _unwrapped(slot, store_id, secret)
        if key is None:
            continue
        master = Master(key, store_id, bool(fields["names"]))
        if not hmac.compare_digest(_mac(master, fields), _bytes(fields, "mac")):
            raise KeyRefused("the header of the store was changed; restore it from a backup")
        return master
    raise KeyRefused("this key does not open the store")


def with_secret(header: str, old: Secret, new: Secret, *, keep_old: bool) -> str:
    """The header with a slot for another secret, in the old one's place or beside it.

    Raises:
        KeyRefused: the old secret does not open it.
    """
    master = unlock(header, old)
    fields = _parsed(header)
    kept = [
        slot
        for slot in fields["slots"]
        if keep_old or _unwrapped(slot, master.store_id, old) is None
    ]
    return _written(master, [*kept, _slot(master, new)])


def kinds(header: str) -> tuple[str, ...]:
    """What kinds of secrets open the store."""
    return tuple(slot["kind"] for slot in _parsed(header)["slots"])


def _written(master: Master, slots: list[dict[str, Any]]) -> str:
    fields: dict[str, Any] = {
        "format": FORMAT,
        "enc": "required",
        "store": _text(master.store_id),
        "names": master.seal_names,
        "slots": slots,
    }
    fields["mac"] = _text(_mac(master, fields))
    return json.dumps(fields, separators=(",", ":"))


def _mac(master: Master, fields: dict[str, Any]) -> bytes:
    covered = {name: value for name, value in fields.items() if name != "mac"}
    text = json.dumps(covered, separators=(",", ":"), sort_keys=True)
    key = hmac.digest(master.key, b"mimir header", "sha256")
    return hmac.digest(key, text.encode(), "sha256")


def _slot(master: Master, secret: Secret) -> dict[str, Any]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    slot: dict[str, Any] = {"kind": secret.kind, "salt": _text(os.urandom(_SALT_BYTES))}
    if secret.kind == "passphrase":
        slot |= _ARGON
    key = _wrapping_key(slot, secret)
    nonce = os.urandom(_NONCE_BYTES)
    wrapped = nonce + AESGCM(key).encrypt(nonce, master.key, _slot_place(slot, master.store_id))
    return {**slot, "check": _text(_check(key)), "wrapped": _text(wrapped)}


def _unwrapped(slot: dict[str, Any], store_id: bytes, secret: Secret) -> bytes | None:
    """The master key in a slot; `None` when it is not for this secret."""
    if slot["kind"] != secret.kind:
        return None
    key = _wrapping_key(slot, secret)
    if not hmac.compare_digest(_check(key), _bytes(slot, "check")):
        return None
    wrapped = _bytes(slot, "wrapped")
    if len(wrapped) != _WRAPPED_BYTES:
        raise KeyRefused("a slot of the store's header was changed; restore it from a backup")
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, text = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, text, _slot_place(slot, store_id))
    except InvalidTag:
        raise KeyRefused(
            "a slot of the store's header was changed; restore it from a backup"
        ) from None


def _wrapping_key(slot: dict[str, Any], secret: Secret) -> bytes:
    salt = _bytes(slot, "salt")
    if secret.kind != "passphrase":
        return hmac.digest(secret.value, b"mimir slot" + salt, "sha256")
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    work: dict[str, int] = {}
    for name in _ARGON:
        value = slot.get(name)
        if not isinstance(value, int) or not _LEAST_ARGON[name] <= value <= _MOST_ARGON[name]:
            raise KeyRefused("a slot of the store's header asks for impossible work")
        work[name] = value
    argon = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=work["iterations"],
        lanes=work["lanes"],
        memory_cost=work["memory_kib"],
    )
    return argon.derive(secret.value)


def _check(key: bytes) -> bytes:
    """Tells a wrong secret from a broken slot."""
    return hmac.digest(key, b"mimir check", "sha256")[:16]


def _slot_place(slot: dict[str, Any], store_id: bytes) -> bytes:
    covered = {name: slot[name] for name in ("kind", "salt", *_ARGON) if name in slot}
    return store_id + json.dumps(covered, sort_keys=True).encode()


def _parsed(header: str) -> dict[str, Any]:
    try:
        fields = json.loads(header)
        known = fields["format"] == FORMAT and fields["enc"] == "required"
        slots = [{**slot} for slot in fields["slots"]]
        _bytes(fields, "store"), _bytes(fields, "mac"), fields["names"]
        for slot in slots:
            slot["kind"], _bytes(slot, "salt"), _bytes(slot, "check"), _bytes(slot, "wrapped")
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        raise KeyRefused("the header of the store was changed; restore it from a backup")
    return {**fields, "slots": slots}


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(fields: dict[str, Any], name: str) -> bytes:
    return base64.b64decode(fields[name], validate=True)
