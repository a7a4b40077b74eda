"""What rows of the Rust program mean here: pure, a row in, a memory or an entry out."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from mimir_py.entities.models import Draft, Entity, Identity, Link, canonical_layer
from mimir_py.entities.text import parse_body
from mimir_py.entities.versioning import new_entity
from mimir_py.errors import InvalidInput
from mimir_py.importers.rust.bodies import Unreadable
from mimir_py.journal import Entry
from mimir_py.security import Trust
from mimir_py.values import UnixMs
from mimir_py.vault import Record, Version

Raw = Mapping[str, Any]

_NEW: Final = vars(new_entity(Draft(Identity("", "", ""), ""), "", 0))
_TEXTS: Final = (
    "category key workspace_hash agent_id type status layer topic_path archive_reason visibility "
    "source supersedes superseded_by efficacy_status"
).split()
_FLAGS: Final = ("archived", "always_on", "verified")
_COUNTS: Final = ("retrieval_count", "follow_count", "miss_count")
_UNITS: Final = ("decay_score", "certainty", "importance", "follow_rate")
_MOST: Final = 2**63 - 1
_FIRST_ID_BYTES: Final = 20

# Who may be trusted is told by the channel, which the program kept in `source`.
_AGENT_SOURCES: Final = frozenset(
    {"agent", "cli-write", "grpc", "memories-adapter", "mimir_correct", "mimir_bench", "migrated"}
)
_DERIVED_SOURCES: Final = frozenset(
    {"mimir_consolidate", "mimir_dream", "mimir_synthesize", "graphrag"}
)


def entity(row: Raw, body: str, most: Trust, notes: list[str]) -> Entity:
    """A row of `entities` or `entity_history` with its opened text, which may be no body.

    A part that cannot be read is left at the value of a new memory and named in `notes`.

    Raises:
        Unreadable: its id, name or times are not what they should be.
    """
    id = text(row, "id")
    if not id:
        raise Unreadable("it has no id")
    values: dict[str, Any] = {name: text(row, name, str(_NEW[name])) for name in _TEXTS}
    values |= {name: bool(number(row, name, 0)) for name in _FLAGS}
    values |= {name: max(0, number(row, name, 0)) for name in _COUNTS}
    values |= {name: _unit(row, name, float(_NEW[name])) for name in _UNITS}
    created = number(row, "created_at_unix_ms", None)
    recorded = number(row, "recorded_at_unix_ms", created)
    values |= {
        "created_at_unix_ms": created,
        "recorded_at_unix_ms": recorded,
        "last_accessed_unix_ms": number(row, "last_accessed_unix_ms", created),
        "invalidated_at_unix_ms": _optional(row, "invalidated_at_unix_ms"),
        "valid_from_unix_ms": number(row, "valid_from_unix_ms", recorded),
        "valid_to_unix_ms": _optional(row, "valid_to_unix_ms"),
    }
    start, end = values["valid_from_unix_ms"], values["valid_to_unix_ms"]
    if end is not None and end <= start:
        notes.append(f"{id}: its period of validity is empty; it is kept as open")
        values["valid_to_unix_ms"] = None
    values["category"] = values["category"] or "general"
    if not values["key"]:
        notes.append(f"{id}: its key is empty; it gets its id for a key")
        values["key"] = id
    values["layer"] = canonical_layer(values["layer"])
    values["tags"] = _tags(row, id, notes)
    values["links"] = _links(row, id, created, notes)
    values["trust"] = min(most, trust_of(values["source"]))
    return Entity(row_id=0, id=id, body_json=body, **values)


def version(row: Raw, body: str, most: Trust, notes: list[str]) -> Version:
    """A row of `entity_history`.

    Raises:
        Unreadable: as `entity`, or it has no number of its own.
    """
    history_id = text(row, "history_id")
    if not history_id:
        raise Unreadable("it has no history_id")
    return Version(history_id, entity(row, body, most, notes))


def old_memory(row: Raw, key: str, most: Trust, notes: list[str]) -> Entity:
    """A row of the table `memories`, from before there were categories and keys.

    Raises:
        Unreadable: as `entity`.
    """
    body = {"content": text(row, "content"), "summary": text(row, "summary")}
    created = number(row, _first(row, "created_at_unix_ms", "created_at", "created"), None)
    used = _first(row, "last_accessed_unix_ms", "last_accessed_at", "last_accessed")
    made = entity(
        {
            **{name: value for name, value in row.items() if name != "workspace_hash"},
            "category": b"general",
            "key": key.encode(),
            "created_at_unix_ms": created,
            "last_accessed_unix_ms": number(row, used, created),
        },
        json.dumps(body, ensure_ascii=False),
        most,
        notes,
    )
    workspace = text(row, "workspace_hash")
    if workspace:
        vars(made).update(tags=(*made.tags, f"workspace:{workspace}"))
    return made


def old_keys(ids: list[str]) -> dict[str, str]:
    """Keys for memories that had none: of the first 20 bytes of an id, or all of it where others
    begin alike."""
    short = {id: id.encode()[:_FIRST_ID_BYTES].decode(errors="ignore") for id in ids}
    shared: dict[str, int] = {}
    for begins in short.values():
        shared[begins] = shared.get(begins, 0) + 1
    return {id: f"migrated-{begins if shared[begins] == 1 else id}" for id, begins in short.items()}


def journal_entry(row: Raw) -> tuple[str, UnixMs, Entry]:
    """A row of `journal` as (id, time, entry).

    Raises:
        Unreadable: its id or time is not what it should be.
    """
    id = text(row, "id")
    if not id:
        raise Unreadable("it has no id")
    entry = Entry(
        text(row, "event_type") or "decision",
        category=text(row, "category"),
        key=text(row, "key"),
        entity_id=text(row, "entity_id"),
        agent_id=text(row, "agent_id"),
        evaluated_json=_payload(text(row, "evaluated_json")),
        acted_json=_payload(text(row, "acted_json")),
        forward_json=_payload(text(row, "forward_json")),
    )
    return id, number(row, "created_at_unix_ms", None), entry


def text(row: Raw, name: str, otherwise: str = "") -> str:
    """A text column; `otherwise` where it is missing or null.

    Raises:
        Unreadable: it is not UTF-8.
    """
    value = row.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unreadable(f"its {name} is not UTF-8") from None


def number(row: Raw, name: str, otherwise: int | None) -> int:
    """A whole number; `otherwise` where the column is missing or null.

    Raises:
        Unreadable: it holds something else, or nothing where something is needed.
    """
    value = row.get(name)
    if value is None:
        value = otherwise
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or abs(value) > _MOST:
        raise Unreadable(f"its {name} is not a whole number")
    return value


def trust_of(source: str) -> Trust:
    """How far what came through a channel is to be trusted."""
    if source in _AGENT_SOURCES:
        return Trust.AGENT
    if source in _DERIVED_SOURCES:
        return Trust.TOOL
    if source == "ingest_file":
        return Trust.FILE
    return Trust.WEB if source.startswith("connector:") else Trust.IMPORT


def as_content(body: str) -> str:
    """Text that is no body, such as that of a file, as `remember` takes it."""
    return json.dumps({"content": body}, ensure_ascii=False)


def with_bodies(record: Record) -> Record:
    """A record whose texts that are no bodies are made so."""
    versions = tuple(map(with_body, record.history))
    return replace(record, entity=_as_body(record.entity), history=versions)


def with_body(version: Version) -> Version:
    """A version whose text is made a body if it is none."""
    return replace(version, entity=_as_body(version.entity))


def _as_body(entity: Entity) -> Entity:
    try:
        parse_body(entity.body_json)
    except InvalidInput:
        return replace(entity, body_json=as_content(entity.body_json))
    return entity


def _optional(row: Raw, name: str) -> int | None:
    return None if row.get(name) is None else number(row, name, None)


def _unit(row: Raw, name: str, otherwise: float) -> float:
    value = row.get(name)
    if not isinstance(value, int | float) or math.isnan(value):
        return otherwise
    return min(1.0, max(0.0, float(value)))


def _tags(row: Raw, id: str, notes: list[str]) -> tuple[str, ...]:
    written = text(row, "tags", "[]")
    try:
        found = json.loads(written or "[]")
        if not isinstance(found, list):
            raise ValueError
    except (ValueError, RecursionError):
        notes.append(f"{id}: its tags are no JSON list; they are kept as one tag")
        return (written,)
    return tuple(tag if isinstance(tag, str) else json.dumps(tag) for tag in found)


def _links(row: Raw, id: str, at: UnixMs, notes: list[str]) -> tuple[Link, ...]:
    try:
        found = json.loads(text(row, "links", "[]") or "[]")
        if not isinstance(found, list):
            raise ValueError
    except (ValueError, RecursionError):
        notes.append(f"{id}: its links are no JSON list and were left out")
        return ()
    links: dict[tuple[str, str], Link] = {}
    for item in found:
        target = item.get("target_id") if isinstance(item, dict) else None
        if not isinstance(target, str) or not target:
            notes.append(f"{id}: a link without a target was left out")
            continue
        relationship = str(item.get("relationship") or "related")
        weight = _unit(item, "weight", 0.5)
        links.setdefault(
            (target, relationship), Link(target, relationship, weight, created_at_unix_ms=at)
        )
    return tuple(links.values())


def _payload(written: str) -> str:
    """A JSON text as it is, any other as a JSON string; an empty one is none."""
    if not written:
        return "null"
    try:
        json.loads(written)
    except (ValueError, RecursionError):
        return json.dumps(written, ensure_ascii=False)
    return written


def _first(row: Raw, *names: str) -> str:
    return next((name for name in names if row.get(name) is not None), names[0])


def state_value(row: Raw) -> tuple[str, str, int | None, UnixMs]:
    """A row of `state` as (key, JSON text, end, time it was set).

    Raises:
        Unreadable: its key or times are not what they should be.
    """
    key = text(row, "key")
    if not key:
        raise Unreadable("its key is empty")
    ends = _optional(row, "expires_at_unix_ms")
    return key, _payload(text(row, "value_json")), ends, number(row, "created_at_unix_ms", 0)


def community(row: Raw) -> dict[str, Any]:
    """A row of `communities`.

    Raises:
        Unreadable: its members are no list of ids, or a number is none.
    """
    names = "id workspace_hash member_digest summary summary_entity_id algorithm".split()
    try:
        members = json.loads(text(row, "member_ids", "[]"))
        found = tuple(sorted({str(member) for member in members}))
    except (ValueError, TypeError, RecursionError):
        raise Unreadable("its member_ids are no JSON list") from None
    return {
        **{name: text(row, name) for name in names},
        "member_ids": found,
        "modularity": _real(row, "modularity"),
        "member_count": len(found),
        "generated_at_unix_ms": number(row, "generated_at_unix_ms", 0),
        # Whatever was linked since has to be looked at.
        "seen_change": 0,
    }


def _real(row: Raw, name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
