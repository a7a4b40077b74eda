"""Markdown files with front matter: the notes of a folder, and their parts."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from mimir_py.errors import TransferError
from mimir_py.importers.formats.models import Source

_FENCE: Final = "---"
_MOST_FRONT_MATTER: Final = 65_536


def files(source: Source) -> Iterator[tuple[Path, str]]:
    """Markdown files of a source with their texts, in order; links and hidden ones are not read."""
    if source.path.is_file():
        yield source.path, source.text()
        return
    if not source.path.is_dir():
        raise TransferError(f"there is no file or folder {source.path}")
    for folder, inner, names in os.walk(source.path, followlinks=False):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if not name.endswith(".md"):
                continue
            file = Path(folder) / name
            try:
                yield file, source.text(file)
            except TransferError as error:
                source.problems[str(file)] = str(error)


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The fields before a note, and the note.

    Raises:
        TransferError: they are no plain YAML mapping, or refer to each other.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        return {}, text
    ends = (n for n, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE)
    end = next(ends, None)
    if end is None:
        return {}, text
    written = "\n".join(lines[1:end])
    if len(written) > _MOST_FRONT_MATTER:
        raise TransferError("the front matter is too long")
    yaml = YAML(typ="safe", pure=True)
    try:
        # A few lines of references to references would take all memory.
        if any(isinstance(event, AliasEvent) for event in yaml.parse(written)):
            raise TransferError("the front matter has references (&, *)")
        fields = yaml.load(written)
    except (YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())[:200]
        raise TransferError(f"the front matter is not YAML ({problem})") from None
    if fields is not None and not isinstance(fields, dict):
        raise TransferError("the front matter is no list of fields")
    return fields or {}, "\n".join(lines[end + 1 :]).strip("\n")


def sections(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The parts of a text under their headings, as (headings from the top, text)."""
    above: list[tuple[int, str]] = []
    part: list[str] = []
    is_code = False
    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        level = len(line) - len(line.lstrip("#"))
        if is_code or not 0 < level <= 6 or line[level : level + 1] != " ":
            part.append(line)
            continue
        if "\n".join(part).strip():
            yield tuple(name for _, name in above), "\n".join(part).strip()
        above = [(depth, name) for depth, name in above if depth < level]
        above.append((level, line[level:].strip()))
        part = []
    if "\n".join(part).strip():
        yield tuple(name for _, name in above), "\n".join(part).strip()
