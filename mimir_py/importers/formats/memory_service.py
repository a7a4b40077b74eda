"""mcp-memory-service: its SQLite file, the table `memories`."""

import json
from collections.abc import Iterator

from mimir_py.errors import ForeignStore
from mimir_py.importers.formats.models import Found, Source, first, short, unix_ms, words
from mimir_py.importers.formats.sqlite_rows import tables


def read(source: Source) -> Iterator[Found]:
    """What was deleted there is left out."""
    with tables(source) as file:
        if not file.has("memories", "content_hash", "content"):
            raise ForeignStore(f"{source.path} has no table memories of mcp-memory-service")
        for row in file.rows("memories"):
            if row.get("deleted_at") is not None:
                continue
            text = str(row["content"] or "")
            yield Found(
                str(row["content_hash"]),
                str(row.get("memory_type") or "note"),
                short(text) or str(row["content_hash"]),
                {"content": text, **_metadata(row.get("metadata"))},
                tags=words(row.get("tags")),
                created=unix_ms(first(row, "created_at", "created_at_iso")),
                updated=unix_ms(first(row, "updated_at", "updated_at_iso", "created_at")),
            )


def _metadata(written: object) -> dict[str, object]:
    try:
        found = json.loads(written) if isinstance(written, str) else None
    except (ValueError, RecursionError):
        found = None
    return {"metadata": found} if isinstance(found, dict) and found else {}
