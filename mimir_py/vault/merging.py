"""What a record that comes in means for a memory that is stored: pure rules."""

from dataclasses import replace
from typing import Any

from mimir_py.entities.models import Entity, Identity
from mimir_py.vault.jsonl import Record, Version


def as_earlier(stored: Entity, record: Record) -> Version | None:
    """The earlier version of a record that a stored memory is at, if it is at one."""
    for version in record.history:
        was = version.entity
        if (was.recorded_at_unix_ms, was.body_json) == (
            stored.recorded_at_unix_ms,
            stored.body_json,
        ) and stored.recorded_at_unix_ms < record.entity.recorded_at_unix_ms:
            return version
    return None


def under(record: Record, id: str) -> Record:
    """A record with the versions of its memory as those of another one."""
    own = record.entity.id
    if own == id:
        return record
    versions = (
        replace(
            version,
            entity=replace(
                version.entity,
                id=id,
                superseded_by=_moved(version.entity.superseded_by, own, id),
            ),
        )
        for version in record.history
    )
    return replace(record, history=tuple(versions))


def _moved(named: str, old: str, new: str) -> str:
    return new if named == old else named


def is_newer(record: Record, stored: Entity | None) -> bool:
    """Whether a record is of the stored memory, and of a later time."""
    if stored is None:
        return False
    return record.entity.recorded_at_unix_ms > stored.recorded_at_unix_ms


def is_trusted_more(record: Record, stored: Entity) -> bool:
    """Whether what a stored memory says came through a channel now that is trusted more."""
    return record.entity.trust > stored.trust and said(record.entity) == said(stored)


def same(one: Entity, other: Entity) -> bool:
    return _comparable(one) == _comparable(other)


def _comparable(entity: Entity) -> dict[str, Any]:
    ours = ("row_id", "trust")
    return {name: value for name, value in vars(entity).items() if name not in ours}


def said(entity: Entity) -> dict[str, Any]:
    """What an entity says, without what replacing sets anew."""
    ours = ("row_id", "id", "recorded_at_unix_ms", "supersedes", "trust")
    return {name: value for name, value in vars(entity).items() if name not in ours}


def identity_of(entity: Entity) -> Identity:
    """The name of a memory."""
    return Identity(entity.category, entity.key, entity.workspace_hash)
