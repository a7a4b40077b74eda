"""A store without the rooms above it; its `meta` table serves as the one to write."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mimir_py.storage.database import Database, Reader, Writer, open_database
from mimir_py.storage.engine import Engine, load_engine

_PUT = "INSERT INTO meta (name, value) VALUES (:name, 'x')"


@pytest.fixture(scope="session")
def engine() -> Engine:
    return load_engine("auto")


@pytest.fixture
async def database(store_path: Path, engine: Engine) -> AsyncIterator[Database]:
    async with open_database(store_path, engine, 5_000) as opened:
        yield opened


@pytest.fixture
def put():
    """Writes one row: `put(tx, name)`."""

    def write(tx: Writer, name: str) -> None:
        tx.run(_PUT, {"name": name})

    return write


@pytest.fixture
def names():
    """The names that are stored: `await names(database)`."""

    def stored(reader: Reader) -> set[str]:
        return {name for (name,) in reader.tuples("SELECT name FROM meta WHERE value = 'x'")}

    async def of(database: Database) -> set[str]:
        return await database.read(stored)

    return of
