"""A server with one more tool, which does what no tool should: `unruly.py KIND ...`.

`mimir` is Mimir with the tool `mimir_misbehave`; `open` the same with stdout as it came, `trusting`
without a look at arguments; `bare` is the tool behind the SDK alone.
"""

import asyncio
import ctypes
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Final, TypedDict

_RAISED: Final[Mapping[str, Callable[[], BaseException]]] = {
    "SystemExit": lambda: SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt,
    "MemoryError": MemoryError,
    "RecursionError": RecursionError,
    "CancelledError": asyncio.CancelledError,
    "StopIteration": StopIteration,
    "unwritable text": lambda: ValueError("\ud800\x00 and more"),
}


def _itself() -> dict[str, Any]:
    answer: dict[str, Any] = {}
    answer["done"] = answer
    return answer


_ANSWERS: Final[Mapping[str, Callable[[], Any]]] = {
    "a set": lambda: {"done": {1}},
    "NaN": lambda: {"done": float("nan")},
    "bytes": lambda: {"done": b"x"},
    "nothing": lambda: None,
    "an object": object,
    "odd names": lambda: {("a",): 1},
    "itself": _itself,
    "depth": lambda: {"done": functools.reduce(lambda inner, _: [inner], range(50_000), 0)},
    "unwritable text": lambda: {"done": "a\ud800b\x00c"},
}
# Answers that can be written once their text is marked.
WRITABLE: Final = frozenset({"answer: unwritable text"})

Transaction = Callable[[Callable[[], None]], Awaitable[None]]


async def _raise_here(error: BaseException, write: Transaction) -> None:
    raise error


async def _raise_in_task(error: BaseException, write: Transaction) -> None:
    await asyncio.create_task(_raise_here(error, write))


async def _raise_in_stray_task(error: BaseException, write: Transaction) -> None:
    stray = asyncio.create_task(_raise_here(error, write))
    await asyncio.wait([stray])


async def _raise_in_callback(error: BaseException, write: Transaction) -> None:
    def fail() -> None:
        raise error

    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.01)


async def _raise_in_transaction(error: BaseException, write: Transaction) -> None:
    def fail() -> None:
        raise error

    await write(fail)


_PLACES: Final = {
    "tool": _raise_here,
    "task": _raise_in_task,
    "stray task": _raise_in_stray_task,
    "callback": _raise_in_callback,
    "transaction": _raise_in_transaction,
}


def _print() -> None:
    print("printed")
    assert sys.__stdout__ is not None
    print("printed beside", file=sys.__stdout__, flush=True)


def _print_in_thread() -> None:
    thread = threading.Thread(target=_print)
    thread.start()
    thread.join()


def _print_in_child() -> None:
    """The child also reads whatever is on stdin."""
    subprocess.run(["sh", "-c", "echo printed; cat"], check=True)


def _print_in_c() -> None:
    library = ctypes.CDLL(None)
    library.puts(b"printed")
    library.fflush(None)
    os.write(1, b"printed\n")


_PRINTS: Final = {
    "tool": _print, "thread": _print_in_thread, "child": _print_in_child, "C": _print_in_c
}  # fmt: skip

RAISES: Final = tuple(f"{place}: {name}" for place in _PLACES for name in _RAISED)
ANSWERS: Final = tuple(f"answer: {name}" for name in _ANSWERS)
PRINTS: Final = tuple(f"print: {place}" for place in _PRINTS)


async def misbehave(how: str, write: Transaction) -> Any:
    """Do one of `RAISES`, `ANSWERS` or `PRINTS`."""
    place, _, kind = how.partition(": ")
    if place == "answer":
        return _ANSWERS[kind]()
    if place == "print":
        _PRINTS[kind]()
    else:
        await _PLACES[place](_RAISED[kind](), write)
    return {"done": how}


def _mimir() -> None:
    from mimir_py import app
    from mimir_py.__main__ import main
    from mimir_py.tooling import Call, Catalogue, Effect, Tool, ToolSpec
    from mimir_py.upkeep import Upkeep

    class Answer(TypedDict):
        done: str

    class Misbehave(Tool[Upkeep]):
        """Do what no tool should."""

        spec: ClassVar = ToolSpec(
            name="mimir_misbehave",
            title="Misbehave",
            effect=Effect.WRITES,
            room=Upkeep,
            words=(),
            example={},
        )
        how: str

        async def run(self, room: Upkeep, call: Call) -> Answer:
            async def write(work: Callable[[], None]) -> None:
                await room._database.write(lambda tx: work())  # noqa: SLF001  # no tool could

            answer: Answer = await misbehave(self.how, write)
            return answer

    app.CATALOGUE = Catalogue((*app.CATALOGUE.tools, Misbehave))
    main()


def _trusting() -> None:
    from mimir_py.tooling import Tool

    def believed(cls: Any, arguments: Mapping[str, Any]) -> tuple[Any, list[str]]:
        return cls.model_construct(**arguments), []

    setattr(Tool, "parse", classmethod(believed))  # noqa: B010  # mypy minds an assignment
    _mimir()


def _open() -> None:
    from mimir_py.server import connection

    connection.claim_stdio = lambda: (0, 1)
    _mimir()


def _bare() -> None:
    import anyio
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    async def write(work: Callable[[], None]) -> None:
        work()

    async def call_tool(context: object, params: Any) -> Any:
        answer = await misbehave(params.arguments["how"], write)
        return {"content": [], "structuredContent": answer, "resultType": "complete"}

    async def serve() -> None:
        server: Any = Server("bare", on_call_tool=call_tool)
        async with stdio_server() as (read, written):
            await server.run(read, written, server.create_initialization_options())

    anyio.run(serve)


if __name__ == "__main__":
    {"mimir": _mimir, "open": _open, "trusting": _trusting, "bare": _bare}[sys.argv.pop(1)]()
