"""mnemo: its SQLite file, with chunks of text and a graph."""

import json
from collections.abc import Iterator
from typing import Any

from mimir_py.errors import ForeignStore
from mimir_py.importers.formats.models import Found, Source, first, short, unix_ms, words
from mimir_py.importers.formats.sqlite_rows import Row, Tables, tables


def read(source: Source) -> Iterator[Found]:
    """Chunks and entities are memories; relations and what a chunk is about are links."""
    with tables(source) as file:
        if not file.has("memory_chunks", "id"):
            raise ForeignStore(f"{source.path} has no table memory_chunks of mnemo")
        about: dict[str, list[str]] = {}
        for row in file.rows("memory_chunk_entities", "entity_id"):
            chunk = str(first(row, "chunk_id", "memory_chunk_id"))
            about.setdefault(chunk, []).append(str(row["entity_id"]))
        for row in file.rows("memory_chunks"):
            id, text = str(row["id"]), str(first(row, "content", "text") or "")
            session = first(row, "session_id", "session")
            yield Found(
                id,
                "memory",
                short(text) or id,
                {"content": text, **({"summary": row["summary"]} if row.get("summary") else {})},
                tags=(f"session:{session}",) if session else (),
                created=unix_ms(row.get("created_at")),
                updated=unix_ms(first(row, "updated_at", "created_at")),
                links=tuple((entity, "mentions", 0.5) for entity in about.get(id, ())),
            )
        yield from _entities(file)


def _entities(file: Tables) -> Iterator[Found]:
    leads: dict[str, list[tuple[str, str, float]]] = {}
    for row in file.rows("relations"):
        start = str(first(row, "from_id", "from_entity_id", "source_id", "from_entity"))
        end = str(first(row, "to_id", "to_entity_id", "target_id", "to_entity"))
        kind = _plain(first(row, "relation_type", "relation", "type") or "related")
        leads.setdefault(start, []).append((end, kind, _unit(row, "weight", 0.5)))
    for row in file.rows("entities", "id", "name"):
        id, name = str(row["id"]), str(row["name"])
        attributes = _parsed(row.get("attributes"))
        yield Found(
            id,
            _plain(row.get("entity_type") or "entity"),
            name,
            {"name": name, **({"attributes": attributes} if attributes else {})},
            type="entity",
            tags=words(row.get("aliases")),
            certainty=_unit(row, "confidence", 0.5),
            created=unix_ms(row.get("created_at")),
            updated=unix_ms(first(row, "updated_at", "created_at")),
            links=tuple(leads.get(id, ())),
        )


def _unit(row: Row, name: str, otherwise: float) -> float:
    value = row.get(name)
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) else otherwise


def _plain(value: object) -> str:
    """Types are JSON strings there, quotes and all."""
    found = _parsed(value)
    return found if isinstance(found, str) and found else str(value)


def _parsed(value: object) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None
