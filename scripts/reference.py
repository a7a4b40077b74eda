"""Writes the reference pages from the declarations; with `--check`, says whether they are fresh."""

import argparse
import json
import sys
import typing
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from mimir_py.app import CATALOGUE
from mimir_py.config import Settings
from mimir_py.tooling import AnyTool
from mimir_py.tooling.catalogue import ALIAS_PREFIXES, description, hints
from mimir_py.tooling.schema import input_schema
from mimir_py.tooling.tool import IDEMPOTENCY_KEY, MOST_KEY_CHARS

PAGES: Final = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE: Final = "<!-- Made by scripts/reference.py from the code. Do not edit. -->\n"


def tools_page() -> str:
    """One section per tool: what it does, its hints, arguments, answer and an example call."""
    prefixes = " and ".join(f"`{prefix}`" for prefix in ALIAS_PREFIXES)
    lines = [
        "# Tools",
        "",
        NOTE,
        f"Every tool is also callable with {prefixes} in place of `mimir_`. A failed call has "
        "`isError: true` and says which argument is wrong. Arguments a tool does not know are "
        "left out and named in `ignored_arguments`.",
        "",
        f"Every tool that changes something takes `{IDEMPOTENCY_KEY}`, up to {MOST_KEY_CHARS} "
        "characters of the client's choice, so that a call whose answer got lost can be sent "
        "again: the same call with the same key within 24 hours changes nothing more and is "
        "answered as the first was, with `replayed: true`. Another call with that key is refused. "
        "The last 10,000 answers are kept. If the server died before its answer was kept, the "
        "repeat says `partial: true` and holds what the change itself returned.",
        "",
    ]
    for tool in CATALOGUE.tools:
        lines += _tool_section(tool)
    return "\n".join(lines).rstrip() + "\n"


def settings_page() -> str:
    """One row per setting."""
    lines = [
        "# Settings",
        "",
        NOTE,
        "A flag of `mimir serve` wins over the environment, which wins over the default.",
        "",
        "| setting | environment | flag | default | what it does |",
        "|---|---|---|---|---|",
    ]
    for row in fields(Settings):
        cells = (
            f"`{row.name}`",
            _code(row.metadata["env"]),
            _code(row.metadata["flag"]),
            _default(row.default),
            _cell(row.metadata["help"]),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Without a configured store, the first of these that exists is used: "
        "`~/.mimir/data/mimir.db`, `~/.mimir/data/perseus-vault.db`, `~/.mimir/data/mneme.db`, "
        "`~/mimir.db`; if none does, the first is made.",
        "",
    ]
    return "\n".join(lines)


def _tool_section(tool: type[AnyTool]) -> list[str]:
    spec = tool.spec
    said = ", ".join(name for name, value in hints(tool).items() if value) or "none set"
    lines = [
        f"## {spec.name}",
        "",
        f"*{spec.title}.* {description(tool)}",
        "",
        f"Hints: {said}.{' In the lean listing.' if spec.lean else ''}",
        "",
    ]
    schema = input_schema(tool)
    own = [name for name in schema["properties"] if name not in tool.shared_arguments()]
    if own:
        lines += ["| argument | type | default | |", "|---|---|---|---|"]
        lines += [_argument(schema, name) for name in own]
    else:
        lines.append("No arguments.")
    answer = typing.get_type_hints(tool.run)["return"]
    names = ", ".join(f"`{name}`" for name in typing.get_type_hints(answer))
    example = json.dumps({"name": spec.name, "arguments": spec.example}, ensure_ascii=False)
    return [*lines, "", f"Answer: {names}.", "", "```json", example, "```", ""]


def _argument(schema: Mapping[str, Any], name: str) -> str:
    found = schema["properties"][name]
    required = name in schema.get("required", ())
    default = "required" if required else _code(json.dumps(found.get("default", None)))
    if default == "`null`":
        default = ""
    kind = found.get("type", "object")
    if "enum" in found:
        kind = " / ".join(json.dumps(value) for value in found["enum"])
    limits = [
        f"{word} {found[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"))
        if key in found
    ]
    text = ". ".join(part for part in (found.get("description", ""), " ".join(limits)) if part)
    return f"| `{name}` | {_cell(kind)} | {default} | {_cell(text)} |"


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _default(value: object) -> str:
    if value is None:
        return ""
    return _code(",".join(value) if isinstance(value, tuple) else str(value))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/reference.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    options = parser.parse_args()
    pages = {PAGES / "tools.md": tools_page(), PAGES / "settings.md": settings_page()}
    stale = [
        path
        for path, text in pages.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if options.check:
        for path in stale:
            print(f"{path} is stale: run .venv/bin/python scripts/reference.py")
        sys.exit(bool(stale))
    PAGES.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")


if __name__ == "__main__":
    main()
