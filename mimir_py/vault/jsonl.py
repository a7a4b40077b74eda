"""The JSON Lines format: a header, then a memory a line with all it is. See `docs/export.md`.

Names are those of the store's columns. Only `category`, `key` and `body_json` are needed to read a
line; what is left out gets the value a new memory has.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_type_hints

from mimir_py.entities.models import ATTRIBUTES, Draft, Entity, Identity, Link
from mimir_py.entities.versioning import new_entity
from mimir_py.errors import InvalidInput, TransferError
from mimir_py.security import Trust
from mimir_py.values import Clock, IdSource, UnixMs, unstorable_character, walk_strings

FORMAT: Final = "mimir-memories"
VERSION: Final = 1

_TYPES: Final[Mapping[str, Any]] = get_type_hints(Entity)
_UNIT: Final = frozenset({"decay_score", "certainty", "importance", "follow_rate"})
# What a line may leave out: the values of a new memory.
DEFAULTS: Final[Mapping[str, Any]] = vars(new_entity(Draft(Identity("", "", ""), ""), "", 0))
_TIMES: Final = (
    "created_at_unix_ms",
    "last_accessed_unix_ms",
    "recorded_at_unix_ms",
    "valid_from_unix_ms",
)
# JSON text carries what cannot be stored only as one of these escapes.
_ESCAPE: Final = "\\u"
_MAX_INT: Final = 2**63 - 1
_VERSION_FIELDS: Final = frozenset({"history_id", "id", *ATTRIBUTES})
_LINK_FIELDS: Final = frozenset(get_type_hints(Link))
_MEMORY_FIELDS: Final = frozenset({"record", "id", "aliases", "history", *ATTRIBUTES})


@dataclass(frozen=True)
class Version:
    """A version that history keeps."""

    history_id: str
    entity: Entity


@dataclass(frozen=True)
class Record:
    """One memory of a file, with its other keys (each with the time it was given) and versions."""

    entity: Entity
    aliases: tuple[tuple[Identity, UnixMs], ...] = ()
    history: tuple[Version, ...] = ()


def header() -> str:
    return dump({"format": FORMAT, "version": VERSION})


def check_header(line: str) -> bool:
    """Whether a file's first line is a header; files of bare memories have none.

    Raises:
        TransferError: it is one we cannot read.
    """
    found = _parse(line, 1)
    if "format" not in found or "key" in found:
        return False
    if found["format"] != FORMAT:
        raise TransferError(f"line 1: the format is {found['format']!r}, not {FORMAT!r}")
    if not isinstance(found.get("version"), int) or found["version"] > VERSION:
        raise TransferError(
            f"line 1: version {found.get('version')!r} of the format is newer than this program's "
            f"({VERSION}). Upgrade: pip install -U mimir-py"
        )
    return True


def write_memory(record: Record) -> str:
    """A memory as a line without its end."""
    return dump(as_json(record, Trust.IMPORT))


def as_json(record: Record, most_trust: Trust) -> dict[str, Any]:
    """A memory as an object; what is trusted less than `most_trust` says so."""
    entity = record.entity
    line = {"record": "memory", "id": entity.id, **_attributes(entity, most_trust)}
    if record.aliases:
        line["aliases"] = [
            {
                "category": identity.category,
                "key": identity.key,
                "workspace_hash": identity.workspace_hash,
                "created_at_unix_ms": created_at,
            }
            for identity, created_at in record.aliases
        ]
    if record.history:
        line["history"] = [
            {"history_id": version.history_id, **_attributes(version.entity, most_trust)}
            for version in record.history
        ]
    return line


def read_memory(line: str, number: int, new_id: IdSource, clock: Clock, trust: Trust) -> Record:
    """The memory on a line; `new_id` and `clock` serve where it names no id or times.

    It is trusted as far as `trust`, or less if it says so.

    Raises:
        TransferError: names the line, the field and what is wrong.
    """
    found = _parse(line, number)
    try:
        if _ESCAPE in line:
            refuse_unstorable(found)
        return from_json(found, new_id, clock, trust)
    except InvalidInput as error:
        raise TransferError(f"line {number}: {error}") from None


def from_json(found: Mapping[str, Any], new_id: IdSource, clock: Clock, trust: Trust) -> Record:
    """The memory that an object is, as `read_memory`.

    Raises:
        InvalidInput: names the field and what is wrong.
    """
    try:
        _refuse_unknown(found, _MEMORY_FIELDS)
        now = clock()
        entity = _entity(found, str(found.get("id") or new_id("mem")), now, trust)
        return Record(
            entity,
            _aliases(found.get("aliases", [])),
            tuple(_version(item, entity.id, now, trust) for item in found.get("history", [])),
        )
    except (TypeError, AttributeError, KeyError) as error:
        raise InvalidInput("record", f"is not a memory ({error})") from None


def usual_times(created_at: UnixMs) -> dict[str, UnixMs]:
    """The times of a memory that was made then and left alone."""
    return dict.fromkeys(_TIMES, created_at)


def _entity(found: Mapping[str, Any], entity_id: str, now: UnixMs, trust: Trust) -> Entity:
    for name in ("category", "key", "body_json"):
        if name not in found:
            raise InvalidInput(name, "is missing")
    given = {name: _checked(name, found[name]) for name in ATTRIBUTES if name in found}
    times = usual_times(given.get("created_at_unix_ms", now))
    # A frozen dataclass would set its many fields one call at a time.
    entity = object.__new__(Entity)
    vars(entity).update(DEFAULTS, **times)
    vars(entity).update(given, id=entity_id, trust=min(trust, given.get("trust", trust)))
    if entity.links:
        vars(entity).update(links=_dated(entity.links, entity.created_at_unix_ms))
    start, end = entity.valid_from_unix_ms, entity.valid_to_unix_ms
    if start is not None and end is not None and end <= start:
        raise InvalidInput("valid_to_unix_ms", "must be later than valid_from_unix_ms")
    return entity


def _version(found: Mapping[str, Any], entity_id: str, now: UnixMs, trust: Trust) -> Version:
    _refuse_unknown(found, _VERSION_FIELDS)
    history_id = _checked("id", found["history_id"])
    return Version(history_id, _entity(found, entity_id, now, trust))


def _aliases(found: Sequence[Mapping[str, Any]]) -> tuple[tuple[Identity, UnixMs], ...]:
    return tuple(
        (
            Identity(
                _checked("category", alias["category"]),
                _checked("key", alias["key"]),
                _checked("workspace_hash", alias["workspace_hash"]),
            ),
            _checked("created_at_unix_ms", alias["created_at_unix_ms"]),
        )
        for alias in found
    )


def _checked(name: str, value: Any) -> Any:
    """A field's value in the type the store has.

    Raises:
        InvalidInput: it has another, or is out of range.
    """
    kind = _TYPES[name]
    if type(value) is kind and (kind is str or kind is bool):
        return value
    if name == "tags":
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            raise InvalidInput(name, "must be a list of strings")
        return tuple(value)
    if name == "trust":
        return _trust(value)
    if name == "links":
        return tuple(_link(item) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise InvalidInput(name, f"must be {_words(kind)}, not {type(value).__name__}")
    if name in _UNIT and not 0 <= value <= 1:
        raise InvalidInput(name, "must be between 0 and 1")
    if isinstance(value, int) and abs(value) > _MAX_INT:
        raise InvalidInput(name, "is beyond 64 bits")
    return value


def _dated(links: tuple[Link, ...], created_at: UnixMs) -> tuple[Link, ...]:
    """Links with a time where they had none, each once."""
    once: dict[tuple[str, str], Link] = {}
    for link in links:
        dated = link if link.created_at_unix_ms else replace(link, created_at_unix_ms=created_at)
        once.setdefault((link.target_id, link.relationship), dated)
    return tuple(once.values())


def _trust(value: Any) -> Trust:
    if not isinstance(value, str) or value.upper() not in Trust.__members__:
        raise InvalidInput("trust", f"must be one of {', '.join(tier.label for tier in Trust)}")
    return Trust.of(value)


def _link(found: Mapping[str, Any]) -> Link:
    _refuse_unknown(found, _LINK_FIELDS)
    weight = found.get("weight", 0.5)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise InvalidInput("links", "a weight must be a number between 0 and 1")
    target, relationship = found["target_id"], found["relationship"]
    if not isinstance(target, str) or not isinstance(relationship, str):
        raise InvalidInput("links", "target_id and relationship must be strings")
    note, created_at = found.get("note", ""), found.get("created_at_unix_ms", 0)
    if not isinstance(note, str):
        raise InvalidInput("links", "a note must be a string")
    return Link(
        target, relationship, float(weight), note, _checked("created_at_unix_ms", created_at)
    )


def _words(kind: Any) -> str:
    names = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(kind, "a whole number or null")


def _attributes(entity: Entity, most_trust: Trust) -> dict[str, Any]:
    values = {name: getattr(entity, name) for name in ATTRIBUTES}
    # Who may be trusted is for the store that takes the file in to say, but for what was trusted
    # less than a file's content is anyway.
    del values["trust"]
    if entity.trust < most_trust:
        values["trust"] = entity.trust.label
    values["tags"] = list(entity.tags)
    values["links"] = [link.as_json() for link in entity.links]
    return values


def refuse_unstorable(found: Mapping[str, Any]) -> None:
    """Refuse texts that cannot be stored.

    Raises:
        InvalidInput: names the first.
    """
    for path, text in walk_strings(dict(found), ""):
        fault = unstorable_character(text)
        if fault is not None:
            raise InvalidInput(path, f"holds {fault}, which cannot be stored")


def _refuse_unknown(found: Mapping[str, Any], known: frozenset[str]) -> None:
    if not found.keys() <= known:
        unknown = min(found.keys() - known)
        raise InvalidInput(unknown, "is not a field of this format")


def _parse(line: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TransferError(f"line {number}: is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise TransferError(f"line {number}: is not a JSON object")
    return found


def dump(value: Mapping[str, Any]) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
