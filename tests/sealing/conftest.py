"""A sealed store with a little of everything, and its key."""

import json
from pathlib import Path

import pytest

from mimir_py.app import open_app
from mimir_py.config import Settings
from mimir_py.security import keys
from tests.cli.conftest import home, mimir

__all__ = ["home", "mimir"]

BODIES = [f"the {word} of the harbour is number {number}" for number, word in enumerate(
    "railing lantern ledger broker cluster garden ticket engine bridge signal".split()
)]  # fmt: skip


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.key"
    keys.make_key_file(path)
    return path


@pytest.fixture
def sealed_settings(store_path: Path, key_file: Path) -> Settings:
    return Settings(db_path=store_path, encryption_key=key_file, seal_names=True)


@pytest.fixture
async def sealed_path(sealed_settings, tmp_path, client_of) -> Path:
    """A closed store with some memories that were changed, linked and forgotten."""
    async with open_app(sealed_settings, tmp_path) as app:
        client = client_of(app)
        for number, body in enumerate(BODIES):
            more = {"tags": [f"tag{number}"], "agent_id": f"agent-{number % 2}"}
            await client.remember(f"key-{number}", json.dumps({"content": body}), **more)
        await client.remember("key-0", "the railing was painted over")
        await client.remember("key-3", "the broker was replaced")
        await client.remember("same-again", json.dumps({"content": BODIES[1]}), agent_id="agent-1")
        await client.forget("key-2", reason="no longer so")
    return sealed_settings.db_path
