"""basic-memory: a folder of Markdown notes with observations and relations.

An observation is `- [category] text #tag`, a relation `- relation [[Target]]`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mimir_py.errors import TransferError
from mimir_py.importers.formats.markdown import files, front_matter
from mimir_py.importers.formats.models import Found, Source, first, unix_ms, words

# Every part has a most length: notes are other people's.
_TARGET: Final = r"\[\[([^\[\]|]{1,200})(?:\|[^\[\]]{0,200})?\]\]"
_RELATION: Final = re.compile(r"[ \t]{0,40}[-*][ \t]{1,8}([^\[\]\s][^\[\]]{0,79})" + _TARGET)
_MENTION: Final = re.compile(_TARGET)
_OBSERVATION: Final = re.compile(r"^\s*[-*]\s+\[(?![ xX-]\])[^\[\]]{1,40}\]\s")
_TAG: Final = re.compile(r"(?<!\S)#([\w/-]{1,60})")


def read(source: Source) -> Iterator[Found]:
    """A note is a memory; its relations and the notes it mentions are links."""
    notes: list[tuple[Path, str, str, dict[str, Any], str]] = []
    by_name: dict[str, str] = {}
    for file, text in files(source):
        name = file.name if source.path.is_file() else file.relative_to(source.path).as_posix()
        try:
            fields, note = front_matter(text)
        except TransferError as error:
            source.problems[name] = str(error)
            continue
        title = str(fields.get("title") or file.stem)
        permalink = str(fields.get("permalink") or name.removesuffix(".md"))
        notes.append((file, permalink, title, fields, note))
        for called in (permalink, title, name.removesuffix(".md")):
            by_name.setdefault(called.casefold(), permalink)
    for file, permalink, title, fields, note in notes:
        at = file.stat().st_mtime_ns // 1_000_000
        created = unix_ms(_text(first(fields, "created", "created_at", "date")))
        lines = note.split("\n")
        yield Found(
            permalink,
            str(fields.get("type") or "note"),
            permalink,
            {"title": title, "content": note},
            type="note",
            tags=(*words(fields.get("tags")), *tags_in(lines)),
            topic_path=permalink.rpartition("/")[0],
            created=created if created is not None else at,
            updated=at,
            links=tuple(
                (by_name.get(to.casefold(), to), kind, 0.5) for to, kind in links_in(lines)
            ),
        )


def tags_in(lines: list[str]) -> Iterator[str]:
    """The tags of observations."""
    for line in lines:
        if _OBSERVATION.match(line):
            yield from _TAG.findall(line)


def links_in(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Relations and mentions as (target, relationship)."""
    for line in lines:
        relation = _RELATION.match(line)
        if relation is not None and not _OBSERVATION.match(line):
            yield relation.group(2).strip(), relation.group(1).strip() or "relates_to"
            continue
        for mentioned in _MENTION.findall(line):
            yield mentioned.strip(), "links_to"


def _text(value: Any) -> Any:
    """A time that YAML has made one is written out again."""
    return value.isoformat() if hasattr(value, "isoformat") else value
