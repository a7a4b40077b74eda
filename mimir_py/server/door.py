"""The SDK's server with our tools behind it.

Nothing of the app is imported or opened until `initialize` has been answered: hosts give a server
seconds, and a person counts them.
"""

import asyncio
import gc
import logging
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcp.server.lowlevel import Server

from mimir_py import __version__
from mimir_py.config import Settings
from mimir_py.errors import MimirError

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp_types import CallToolRequestParams, PaginatedRequestParams

    from mimir_py.app import App
    from mimir_py.tooling import AnyTool

INSTRUCTIONS: Final = (
    "Mimir is your long-term memory for this project and user. At the start of a task, call "
    "mimir_recall with the task in your own words, and again before you ask the user or guess: it "
    "knows earlier decisions and why, conventions, commands, people, incidents, preferences. "
    "Before you finish, call mimir_remember for what a later session should know: what was "
    "decided and why, what the user corrected, what failed and how it was mended. One memory per "
    "fact, with a telling key; the same category and key again updates it."
)

_LISTING_TTL_MS: Final = 3_600_000
# Protocol 2026-07-28 wants it on every result; the SDK takes it out for older peers.
_COMPLETE: Final = {"resultType": "complete"}

logger = logging.getLogger("mimir")


class Door:
    """Serves one connection. `open` may be called early; a call waits for it."""

    def __init__(self, settings: Settings, home: Path, cwd: Path) -> None:
        self._settings = settings
        self._home = home
        self._cwd = cwd
        self._stack = AsyncExitStack()
        self._opening: asyncio.Task[App] | None = None
        self._turn = asyncio.Lock()
        self._app_module: Any = None
        self._frozen_modules = 0

    def server(self) -> "Server[Any]":
        """The SDK server to run over a pair of streams."""
        server: Server[Any] = Server(
            "mimir",
            version=__version__,
            title="Mimir",
            instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools,  # type: ignore[arg-type]  # wire dicts are results too
            on_call_tool=self._call_tool,  # type: ignore[arg-type]  # as above
        )
        # It makes a span per message; without an exporter that is time for nothing.
        server.middleware.clear()
        return server

    def open(self) -> None:
        """Begin to import and open the app; a no-op when that has begun or succeeded."""
        if self._opening is None or (self._opening.done() and _failed(self._opening)):
            self._opening = asyncio.create_task(self._open(), name="mimir-open")

    async def close(self) -> None:
        """Write what is still to be written and close the store."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await self._stack.aclose()

    async def _open(self) -> "App":
        try:
            app_module = await self._imported()
            return await self._stack.enter_async_context(
                app_module.open_app(self._settings, self._home, background=True)
            )
        finally:
            self._freeze_imports()
            gc.enable()

    def _freeze_imports(self) -> None:
        """Spare collections whatever has been imported: it stays, and it is most of what there is.

        Otherwise one call in many would wait a tenth of a second for a look through all of it.
        """
        if len(sys.modules) > self._frozen_modules:
            self._frozen_modules = len(sys.modules)
            gc.freeze()

    async def _imported(self) -> Any:
        """The app's module, imported beside the event loop the first time."""
        if self._app_module is None:
            self._app_module = await asyncio.to_thread(_import_app)
        return self._app_module

    async def _app(self) -> "App":
        self.open()
        assert self._opening is not None
        return await asyncio.shield(self._opening)

    async def _list_tools(
        self, context: "ServerRequestContext[Any]", params: "PaginatedRequestParams | None"
    ) -> dict[str, Any]:
        app_module = await self._imported()
        from mimir_py.tooling.catalogue import listing

        selection = self._settings.tools
        tools = listing(app_module.CATALOGUE.selected(selection), brief=selection == "lean")
        return {"tools": tools, "ttlMs": _LISTING_TTL_MS, "cacheScope": "private", **_COMPLETE}

    async def _call_tool(
        self, context: "ServerRequestContext[Any]", params: "CallToolRequestParams"
    ) -> dict[str, Any]:
        return {**await self._answer(context, params), **_COMPLETE}

    async def _answer(
        self, context: "ServerRequestContext[Any]", params: "CallToolRequestParams"
    ) -> dict[str, Any]:
        """Run calls one after another as they came; a long one starts in turn and runs beside."""
        # Nothing may be awaited before this: the lock is what keeps the order of arrival.
        async with self._turn:
            app_module = await self._imported()
            tool = app_module.CATALOGUE.find(params.name)
            if tool is None or not tool.spec.long:
                return await self._run(tool, params, context)
            self.open()
        return await self._run(tool, params, context)

    async def _run(
        self,
        tool: "type[AnyTool] | None",
        params: "CallToolRequestParams",
        context: "ServerRequestContext[Any]",
    ) -> dict[str, Any]:
        from mimir_py.tooling.answer import failure

        if tool is None:
            return failure(f"Unknown tool: {params.name}")
        try:
            app = await self._app()
            return await app.call(tool, params.arguments or {}, self._call(context))
        except MimirError as error:
            return failure(str(error), soft=tool.spec.soft_errors)
        except BaseException as error:  # whatever a tool does, the next call is served
            if isinstance(error, asyncio.CancelledError) and _being_cancelled():
                raise
            # The type alone: a message may quote a memory.
            logger.error("%s failed: %s", tool.spec.name, type(error).__name__)
            return failure(
                f"{tool.spec.name} failed unexpectedly ({type(error).__name__})",
                soft=tool.spec.soft_errors,
            )
        finally:
            self._freeze_imports()

    def _call(self, context: "ServerRequestContext[Any]") -> Any:
        from mimir_py.tooling import Call
        from mimir_py.workspaces import resolve

        async def report(done: int, total: int | None, what: str) -> None:
            await context.session.report_progress(done, total, what)

        scope = resolve(self._settings.workspace, self._cwd, self._home)
        return Call(scope, self._settings.max_answer_bytes, report)


def _import_app() -> Any:
    import mimir_py.app

    return mimir_py.app


def _being_cancelled() -> bool:
    """Whether somebody asked for it: a tool may also let a cancelled task of its own fail it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.cancelled() or task.exception() is not None
