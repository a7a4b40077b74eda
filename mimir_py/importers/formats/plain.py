"""JSON Lines and CSV of any program, as far as their fields have the usual names."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mimir_py.importers.formats.models import Found, Source, first, short, unix_ms, words

_TEXT: Final = ("content", "text", "memory", "body", "body_json", "value", "note", "observation")
_KEY: Final = ("key", "title", "name", "subject", "id")


def read_lines(source: Source) -> Iterator[Found]:
    """A line, or an item of a JSON list, is a memory."""
    for place, item in source.objects():
        yield from _found(source, place, item)


def read_table(source: Source) -> Iterator[Found]:
    """A row under a header is a memory."""
    text = source.text()
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in rows:
            yield from _found(source, f"line {rows.line_num}", row)
    except csv.Error as error:
        source.problems[f"line {rows.reader.line_num} and what follows"] = str(error)


def _found(source: Source, place: str, item: Mapping[Any, Any]) -> Iterator[Found]:
    text = first(item, *_TEXT)
    if text is None:
        source.problems[place] = f"has none of the fields {', '.join(_TEXT)}"
        return
    content = text if isinstance(text, str) else str(text)
    body = text if isinstance(text, dict) else {"content": content}
    key = str(first(item, *_KEY) or short(content))
    yield Found(
        str(first(item, "id", "key") or f"{key}\n{content}"),
        str(first(item, "category", "type", "kind") or "general"),
        key,
        body,
        tags=words(item.get("tags")),
        workspace=None if item.get("workspace_hash") is None else str(item["workspace_hash"]),
        agent_id=str(item.get("agent_id") or ""),
        created=unix_ms(first(item, "created_at_unix_ms", "created_at", "created", "timestamp")),
        updated=unix_ms(first(item, "updated_at", "modified_at", "created_at", "timestamp")),
    )
