"""All tools: finding one by any of its names, and the listing hosts read."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mimir_py.errors import ConfigError
from mimir_py.tooling.schema import input_schema, output_schema
from mimir_py.tooling.tool import AnyTool, Effect

CANONICAL_PREFIX: Final = "mimir_"
ALIAS_PREFIXES: Final = ("perseus_vault_", "mneme_")


class Catalogue:
    """The tools of an app, in listing order."""

    def __init__(self, tools: Sequence[type[AnyTool]]) -> None:
        self.tools = tuple(tools)
        self._by_name = {tool.spec.name: tool for tool in tools}

    def find(self, name: str) -> type[AnyTool] | None:
        """The tool of that name, or of that name under an older product's prefix."""
        for prefix in ALIAS_PREFIXES:
            if name.startswith(prefix):
                return self._by_name.get(CANONICAL_PREFIX + name.removeprefix(prefix))
        return self._by_name.get(name)

    def selected(self, selection: str) -> tuple[type[AnyTool], ...]:
        """The tools to list: `full`, `lean`, or names (with or without prefix) by commas.

        Raises:
            ConfigError: a name is no tool.
        """
        if selection == "full":
            return self.tools
        if selection == "lean":
            return tuple(tool for tool in self.tools if tool.spec.lean)
        chosen = []
        for name in filter(None, (part.strip() for part in selection.split(","))):
            tool = self.find(name) or self.find(CANONICAL_PREFIX + name)
            if tool is None:
                known = ", ".join(tool.spec.suffix for tool in self.tools)
                raise ConfigError(
                    f"MIMIR_TOOLS / --tools: there is no tool {name!r}. There are: {known}"
                )
            chosen.append(tool)
        return tuple(tool for tool in self.tools if tool in chosen)


def listing(tools: Sequence[type[AnyTool]], *, brief: bool = False) -> list[dict[str, Any]]:
    """The entries of `tools/list`; `brief` leaves out what a model does not need to call them."""
    entries: list[dict[str, Any]] = [
        {
            "name": tool.spec.name,
            "title": tool.spec.title,
            "description": description(tool),
            "inputSchema": input_schema(tool),
            "outputSchema": output_schema(tool),
            "annotations": hints(tool),
        }
        for tool in tools
    ]
    if brief:
        for entry, tool in zip(entries, tools, strict=True):
            del entry["outputSchema"], entry["title"]
            for name in (*tool.spec.lean_hides, *tool.shared_arguments()):
                del entry["inputSchema"]["properties"][name]
    return entries


def description(tool: type[AnyTool]) -> str:
    """The tool's docstring as one paragraph."""
    return " ".join(inspect.cleandoc(tool.__doc__ or "").split())


def hints(tool: type[AnyTool]) -> Mapping[str, bool]:
    """MCP annotations as hosts use them; what memory tools touch is never an open world."""
    if tool.spec.effect is Effect.READS:
        return {"readOnlyHint": True, "openWorldHint": False}
    return {
        "readOnlyHint": False,
        "destructiveHint": tool.spec.effect is Effect.DESTROYS,
        "idempotentHint": tool.spec.idempotent,
        "openWorldHint": False,
    }
