"""What Claude and Codex keep in files: MEMORY.md, CLAUDE.md, AGENTS.md, and notes in folders."""

from collections.abc import Iterator
from pathlib import Path

from mimir_py.errors import TransferError
from mimir_py.importers.formats.markdown import files, front_matter, sections
from mimir_py.importers.formats.models import Found, Source, words


def read(source: Source) -> Iterator[Found]:
    """A part of a file under its own heading is a memory, as old as the file."""
    for file, text in files(source):
        name = file.name if source.path.is_file() else file.relative_to(source.path).as_posix()
        try:
            fields, note = front_matter(text)
        except TransferError as error:
            source.problems[name] = str(error)
            continue
        yield from _parts(file, name, fields, note)


def _parts(file: Path, name: str, fields: dict[str, object], note: str) -> Iterator[Found]:
    at = file.stat().st_mtime_ns // 1_000_000
    metadata = fields.get("metadata")
    kind = metadata.get("type") if isinstance(metadata, dict) else fields.get("type")
    described = {"description": str(fields["description"])} if fields.get("description") else {}
    seen: dict[str, int] = {}
    for headings, text in sections(note):
        key = " / ".join((name, *headings))
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key = f"{key} ({seen[key]})"
        yield Found(
            key,
            str(kind or "convention"),
            key,
            {"content": text, **({"heading": headings[-1]} if headings else {}), **described},
            tags=words(fields.get("tags")),
            topic_path=name.removesuffix(".md"),
            updated=at,
            created=at,
        )
