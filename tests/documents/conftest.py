"""A store that may read one folder."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mimir_py.app import App
from tests.conftest import Client, OpenStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that may be read."""
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def write(folder: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file into the folder."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
async def app(open_store: OpenStore, folder: Path) -> AsyncIterator[App]:
    async with open_store(ingest_roots=(str(folder),)) as opened:
        yield opened


@pytest.fixture
def client(app: App) -> Client:
    return Client(app)
