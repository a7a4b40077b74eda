"""Looking behind the tools: what is stored, and what a key answers with."""

import json

import pytest


@pytest.fixture
def live(client):
    """The stored columns of a live or archived memory: `await live(key)`."""

    async def columns(key, *, workspace=""):
        def find(reader):
            row = reader.one(
                "SELECT * FROM entities WHERE key = ? AND workspace_hash = ?", (key, workspace)
            )
            return None if row is None else dict(row)

        return await client.app.database.read(find)

    return columns


@pytest.fixture
def versions(client):
    """The columns of a key's earlier versions, oldest first: `await versions(key)`."""

    async def columns(key):
        def find(reader):
            rows = reader.all(
                "SELECT * FROM entity_history WHERE key = ? ORDER BY recorded_at_unix_ms", (key,)
            )
            return [dict(row) for row in rows]

        return await client.app.database.read(find)

    return columns


@pytest.fixture
def answer_of(client):
    """The body that recalling a key by its name answers with, or `None`: `await answer_of(key)`."""

    async def body(key, mode="hybrid", **more):
        items = await client.recall(key, mode=mode, **more)
        named = [item for item in items if item["key"] == key]
        assert len(named) <= 1
        return json.loads(named[0]["body_json"])["content"] if named else None

    return body
