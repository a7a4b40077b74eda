"""The shape of a whole memory on the wire, and cutting long bodies so that an answer fits."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from mimir_py.entities.models import Entity
from mimir_py.entities.text import body_text
from mimir_py.security import Mark, marks_in
from mimir_py.tooling.answer import clipped, size

ITEM_FIELDS: Final = frozenset(
    """
    id category key body_json status type tags decay_score retrieval_count layer topic_path archived
    archive_reason links verified trust marks source always_on certainty workspace_hash agent_id
    visibility created_at_unix_ms last_accessed_unix_ms valid_from_unix_ms valid_to_unix_ms
    follow_count miss_count follow_rate efficacy_status superseded_by truncated
    """.split()
)


def item(entity: Entity) -> dict[str, Any]:
    """A memory with all its fields."""
    entry: dict[str, Any] = {
        "id": entity.id,
        "category": entity.category,
        "key": entity.key,
        "body_json": entity.body_json,
        "status": entity.status,
        "type": entity.type,
        "tags": list(entity.tags),
        "decay_score": entity.decay_score,
        "retrieval_count": entity.retrieval_count,
        "layer": entity.layer,
        "topic_path": entity.topic_path,
        "archived": entity.archived,
        "archive_reason": entity.archive_reason,
        "links": [link.as_json() for link in entity.links],
        "verified": entity.verified,
        "trust": entity.trust.label,
        "source": entity.source,
        "always_on": entity.always_on,
        "certainty": entity.certainty,
        "workspace_hash": entity.workspace_hash,
        "agent_id": entity.agent_id,
        "visibility": entity.visibility,
        "created_at_unix_ms": entity.created_at_unix_ms,
        "last_accessed_unix_ms": entity.last_accessed_unix_ms,
        "valid_from_unix_ms": entity.valid_from_unix_ms,
        "valid_to_unix_ms": entity.valid_to_unix_ms,
        "follow_count": entity.follow_count,
        "miss_count": entity.miss_count,
        "follow_rate": entity.follow_rate,
        "efficacy_status": entity.efficacy_status,
    }
    found = marks_of(entity)
    if found:
        entry["marks"] = found
    if entity.superseded_by:
        entry["superseded_by"] = entity.superseded_by
    return entry


def marks_of(entity: Entity) -> list[dict[str, Any]]:
    """What is odd about a memory's words; offsets are those of its text, then of its names."""
    return [mark.as_json() for mark in _marks(entity.body_json, entity.key, entity.tags)]


@lru_cache(maxsize=512)
def _marks(body_json: str, key: str, tags: tuple[str, ...]) -> tuple[Mark, ...]:
    text = body_text(json.loads(body_json))
    return tuple(marks_in("\n".join((text, key, *tags))))


def with_body_fields(entry: dict[str, Any], own: frozenset[str]) -> dict[str, Any]:
    """`entry` with the fields of its body flattened in, but for those named like one of our own."""
    body = json.loads(entry["body_json"])
    if not isinstance(body, dict):
        return entry
    return entry | {name: value for name, value in body.items() if name not in own}


def cut_body(
    entry: dict[str, Any], most_bytes: int, own: frozenset[str], rest: str
) -> dict[str, Any]:
    """The entry with a body over `most_bytes` cut there, between characters, and marked.

    `rest` says where the whole text is to be had.
    """
    body: str = entry["body_json"]
    encoded = body.encode()
    if len(encoded) <= most_bytes:
        return entry
    kept = encoded[:most_bytes].decode(errors="ignore")
    # Fields flattened out of the body would bring the whole of it along.
    cut = {name: value for name, value in entry.items() if name in own}
    note = f"\n--truncated ({len(body) - len(kept)} more chars)-- the whole text: {rest}"
    cut["body_json"] = kept + note
    cut["truncated"] = True
    return cut


def paged(answer: Mapping[str, Any], offset: int, cap: int) -> dict[str, Any]:
    """An answer with one whole memory, its body from character `offset` on.

    Where it would pass `cap` bytes (0: no limit) the body ends early, and the answer says where to
    go on.
    """
    page = {**answer, "body_json": answer["body_json"][offset:]}
    if not cap or size(page) <= cap:
        return page
    body = page["body_json"]
    page |= {"truncated": True, "body_chars": offset + len(body), "next_offset": offset + len(body)}
    page["body_json"] = ""
    if size(page) > cap // 2:
        # Long names must leave room for the body, or its pages would never end.
        page = {name: _short(value, cap // 32) for name, value in page.items()}
    low, high = 0, len(body)
    while low < high:
        middle = (low + high + 1) // 2
        page["body_json"] = body[:middle]
        low, high = (middle, high) if size(page) <= cap else (low, middle - 1)
    return page | {"body_json": body[:low], "next_offset": offset + low}


def _short(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return clipped(value, most)
    return [] if isinstance(value, list) else value
