"""A secret of the store: for what must not be forged, not for what must not be read."""

from typing import Final

from mimir_py.storage.database import Database, Reader

_PURPOSE: Final = "fence"
_SELECT: Final = "SELECT value FROM meta WHERE name = 'fence_secret'"


async def store_secret(database: Database) -> bytes:
    """32 bytes, the same for as long as the store lives; of a sealed store, from its key."""
    return await database.read(_secret)


def _secret(reader: Reader) -> bytes:
    derived = reader.subkey(_PURPOSE)
    return bytes.fromhex(reader.value(_SELECT)) if derived is None else derived
