"""From what the settings say about a key to the cipher of a store."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mimir_py.config import Settings
from mimir_py.errors import ConfigError
from mimir_py.security import keys

if TYPE_CHECKING:
    from mimir_py.security.seals import Cipher


def secret_of(settings: Settings, *, create: bool = False) -> keys.Secret | None:
    """The secret the settings name; `None` when they name none.

    `create` makes an entry in the keychain that is not there yet.

    Raises:
        ConfigError: they name two.
        KeyRefused: it cannot be had.
    """
    named = [
        flag
        for flag, value in (
            ("--encryption-key", settings.encryption_key),
            ("--passphrase-file", settings.passphrase_file),
            ("--keychain", settings.keychain),
        )
        if value is not None
    ]
    if len(named) > 1:
        raise ConfigError(f"{' and '.join(named)}: give one key")
    if settings.encryption_key is not None:
        return keys.from_key_file(settings.encryption_key)
    if settings.passphrase_file is not None:
        return keys.from_passphrase_file(settings.passphrase_file)
    if settings.keychain is not None:
        return keys.from_keychain(settings.keychain, create=create)
    return None


def unlocking(
    secret: keys.Secret | None, *, seal_names: bool
) -> "Callable[[str | None], tuple[Cipher, str]] | None":
    """What `open_database` needs to open a store with a secret, or to make one.

    `seal_names` is for a new store; an old one's header says it.
    """
    if secret is None:
        return None

    def unlock(header: str | None) -> "tuple[Cipher, str]":
        from mimir_py.security.seals import Cipher

        if header is None:
            master, header = keys.create(secret, seal_names=seal_names)
        else:
            master = keys.unlock(header, secret)
        return Cipher(master.key, master.store_id, seal_names=master.seal_names), header

    return unlock
