"""Asking the tools of time with few words."""

from collections.abc import Callable
from typing import Any

import pytest


class Times:
    """What the tools of time answer about a key of the category `note`, as texts or `None`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def ask(self, tool: str, key: str, **more: Any) -> dict[str, Any]:
        return await self._client.run(tool, {"category": "note", "key": key, **more})

    async def as_of(self, key: str, at: int, **more: Any) -> str | None:
        return _text(await self.ask("as_of", key, as_of_unix_ms=at, **more))

    async def valid_at(self, key: str, at: int, **more: Any) -> str | None:
        return _text(await self.ask("valid_at", key, valid_at_unix_ms=at, **more))

    async def bitemporal(self, key: str, tx_at: int, at: int, **more: Any) -> str | None:
        asked = {"tx_at_unix_ms": tx_at, "valid_at_unix_ms": at}
        return _text(await self.ask("bitemporal", key, **asked, **more))

    async def history(self, key: str, **more: Any) -> list[str]:
        answer = await self.ask("history", key, **more)
        return [version["content"] for version in answer["versions"]]


def _text(answer: dict[str, Any]) -> str | None:
    if not answer["found"]:
        assert "body_json" not in answer
        return None
    body: str = answer["body_json"]
    return body.removeprefix('{"content": "').removesuffix('"}')


@pytest.fixture
def times(client: Any) -> Times:
    return Times(client)


@pytest.fixture
def times_of() -> Callable[[Any], Times]:
    return Times
