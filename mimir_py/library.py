"""The public Python API: the same tools the server offers, as methods of an open memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from mimir_py.app import CATALOGUE, App, open_app
from mimir_py.config import load
from mimir_py.errors import InvalidInput
from mimir_py.tooling import Call, Scope


class Memory:
    """An open store. Arguments and answers are those of the tools in `docs/reference/tools.md`."""

    def __init__(self, app: App, scope: Scope) -> None:
        self._app = app
        self._call = Call(scope=scope)

    async def remember(self, category: str, key: str, body: Any, **more: Any) -> Mapping[str, Any]:
        """Store a memory; returns its id and what was done.

        Raises:
            MimirError: nothing was stored.
        """
        return await self.run("remember", category=category, key=key, body_json=body, **more)

    async def recall(self, query: str, **more: Any) -> list[dict[str, Any]]:
        """Memories that answer a query, best first.

        Raises:
            MimirError: the query or a filter is wrong.
        """
        answer = await self.run("recall", query=query, **more)
        items: list[dict[str, Any]] = answer["items"]
        return items

    async def get(self, id: str) -> Mapping[str, Any]:
        """One memory by id.

        Raises:
            NotFound: there is none.
        """
        return await self.run("get_entity", id=id)

    async def forget(self, category: str, key: str, reason: str = "") -> bool:
        """Archive a memory; whether there was one."""
        answer = await self.run("forget", category=category, key=key, reason=reason)
        return bool(answer["found"])

    async def run(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """Run any tool by name, with or without its prefix.

        Raises:
            InvalidInput: there is no such tool, or an argument is wrong.
            MimirError: the tool failed.
        """
        declared = CATALOGUE.find(tool) or CATALOGUE.find(f"mimir_{tool}")
        if declared is None:
            raise InvalidInput("tool", f"there is no tool {tool!r}")
        return await self._app.run(declared, arguments, self._call)


@asynccontextmanager
async def open_memory(
    path: str | PathLike[str], *, workspace: str | None = None
) -> AsyncIterator[Memory]:
    """Open the store at `path`, making it if need be; calls are scoped to `workspace` if given.

    Reads nothing from the environment.

    Raises:
        StorageError: the store cannot be opened.
    """
    settings = load({}, {"db_path": Path(path)})
    async with open_app(settings, Path.home()) as app:
        yield Memory(app, Scope(workspace))
