"""A secret of the store: for what must not be forged, not for what must not be read."""

import secrets
from typing import Final

from mimir_py.storage.database import Database
from mimir_py.storage.rows import Reader, Writer

_PURPOSE: Final = "fence"
_SELECT: Final = "SELECT value FROM meta WHERE name = 'fence_secret'"


async def store_secret(database: Database) -> bytes:
    """32 bytes, the same for as long as the store lives; of a sealed store, from its key."""
    secret = await database.read(_known)
    return await database.write(_made) if secret is None else secret


def _known(reader: Reader) -> bytes | None:
    derived = reader.subkey(_PURPOSE)
    if derived is not None:
        return derived
    row = reader.one(_SELECT)
    return None if row is None else bytes.fromhex(row["value"])


def _made(tx: Writer) -> bytes:
    known = _known(tx)
    if known is not None:
        return known
    secret = secrets.token_bytes(32)
    tx.insert_row("meta", {"name": "fence_secret", "value": secret.hex()})
    return secret
