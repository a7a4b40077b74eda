"""Mimir: durable memory for coding agents, on the user's own machine.

async with mimir_py.open_memory("memory.db") as memory:
    await memory.remember("decision", "queue", {"content": "use NATS"})
    found = await memory.recall("which message broker")
"""

from typing import TYPE_CHECKING, Any

from mimir_py.errors import MimirError

if TYPE_CHECKING:
    from mimir_py.library import Memory, open_memory

__version__ = "0.1.0"
__all__ = ["Memory", "MimirError", "__version__", "open_memory"]


def __getattr__(name: str) -> Any:
    # `mimir --help` imports this package; it must not pay for the whole house.
    if name in ("Memory", "open_memory"):
        from mimir_py import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
