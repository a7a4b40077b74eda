"""What tests of notes use: folders of notes, and stores without a model."""

import itertools
import json
import struct

import pytest


class OneVector:
    """Vectors are not in notes: one will do for all."""

    model = "tests/one-vector"
    dimension = 384

    async def embed(self, texts):
        return [struct.pack("<384f", 1.0, *[0.0] * 383)] * len(texts)


@pytest.fixture
def plain_stores(tmp_path, open_store):
    """Opens a new store every time: `async with plain_stores() as app`."""
    numbers = itertools.count()
    return lambda: open_store(tmp_path / f"s{next(numbers)}" / "mimir.db", embedder=OneVector())


@pytest.fixture
def vault(tmp_path):
    return tmp_path / "vault"


def _notes(folder):
    """The notes of a folder by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode()
        for path in sorted(folder.rglob("*.md"))
    }


@pytest.fixture
def notes_in():
    return _notes


@pytest.fixture
def load(app):
    """Imports lines into the store: `await load(*lines, replace=False)`."""

    async def report(done):
        pass

    async def run(*lines, replace=False):
        return await app.vault.import_lines(lines, replace=replace, report=report)

    return run


@pytest.fixture
def texts(client):
    """What each key of the store says: `await texts()`."""

    async def stored():
        rows = await client.rows("SELECT key, body_json FROM entities ORDER BY row_id")
        return {key: json.loads(body).get("content") for key, body in rows}

    return stored
