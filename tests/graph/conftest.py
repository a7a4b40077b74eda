"""Small worlds of linked memories."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

World = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
def world(client: Any) -> World:
    """Makes memories `note/<key>` and links "a b kind" between them; ids by key.

    A key may carry its workspace: "a@team".
    """

    async def make(keys: str, links: Sequence[str] = ()) -> dict[str, str]:
        ids = {}
        for name in keys.split():
            key, _, workspace = name.partition("@")
            answer = await client.remember(key, f"the tale of {key}", workspace_hash=workspace)
            ids[key] = answer["id"]
        for link in links:
            source, target, *rest = link.split()
            arguments = {"from_category": "note", "from_key": source, "to_id": ids[target]}
            if rest:
                arguments["relationship"] = rest[0]
            if len(rest) > 1:
                arguments["weight"] = float(rest[1])
            await client.run("link", arguments)
        return ids

    return make


@pytest.fixture
async def other_client(open_store: Any, client_of: Any, app: Any) -> AsyncIterator[Any]:
    """A client of a second process's worth of connections to the same store."""
    async with open_store() as second:
        yield client_of(second)
