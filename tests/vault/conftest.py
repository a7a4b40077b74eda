"""What tests of notes use: folders of notes, and stores without a model."""

import itertools
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


def texts(folder):
    """The notes of a folder by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode()
        for path in sorted(folder.rglob("*.md"))
    }


@pytest.fixture
def notes_in():
    return texts
