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

_RELATION: Final = re.compile(
    r"^\s*[-*]\s+([^\[\]]{1,80}?)\s*\[\[([^\[\]|]{1,200})(?:\|[^\]]*)?\]\]"
)
_MENTION: Final = re.compile(r"\[\[([^\[\]|]{1,200})(?:\|[^\]]*)?\]\]")
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
        observed = [tag for line in lines if _OBSERVATION.match(line) for tag in _TAG.findall(line)]
        yield Found(
            permalink,
            str(fields.get("type") or "note"),
            permalink,
            {"title": title, "content": note},
            type="note",
            tags=(*words(fields.get("tags")), *observed),
            topic_path=permalink.rpartition("/")[0],
            created=created if created is not None else at,
            updated=at,
            links=tuple((by_name.get(to.casefold(), to), kind, 0.5) for to, kind in _links(lines)),
        )


def _links(lines: list[str]) -> Iterator[tuple[str, str]]:
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
