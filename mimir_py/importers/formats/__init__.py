"""Files of other memory programs: a module each, which only reads; `models` is what they find."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from mimir_py.importers.formats import (
    basic_memory,
    graph_lines,
    mem0,
    memory_files,
    memory_service,
    mnemo,
    plain,
    rmem,
)
from mimir_py.importers.formats.models import Found, Source

Read = Callable[[Source], Iterator[Found]]

FORMATS: Final[Mapping[str, Read]] = {
    "mcp-memory": graph_lines.read,
    "mem0": mem0.read,
    "basic-memory": basic_memory.read,
    "mcp-memory-service": memory_service.read,
    "claude": memory_files.read,
    "codex": memory_files.read,
    "jsonl": plain.read_lines,
    "csv": plain.read_table,
    "rmem": rmem.read,
    "mnemo": mnemo.read,
}

__all__ = ["FORMATS", "Found", "Read", "Source"]
