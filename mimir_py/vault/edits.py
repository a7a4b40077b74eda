"""Who changed what since a note was written: pure rules.

A note carries the fingerprint of the facts that were written into it. Against it, what the note
says now and what the store says now each show whether they changed.
"""

from dataclasses import replace
from enum import Enum
from typing import Final

from mimir_py.entities.models import Draft, Entity, Identity
from mimir_py.entities.versioning import revised
from mimir_py.security import Trust
from mimir_py.values import Clock, IdSource, UnixMs
from mimir_py.vault import jsonl
from mimir_py.vault.jsonl import Record
from mimir_py.vault.notes import FACTS, Note, fingerprint

_OF_DRAFT: Final = tuple(
    name for name in FACTS if name not in ("category", "key", "workspace_hash", "links")
)


class Change(Enum):
    """Which side has news for the other."""

    NONE = "none"
    STORE = "store"
    NOTE = "note"
    BOTH = "both"


def record_of(note: Note, new_id: IdSource, clock: Clock, trust: Trust) -> Record:
    """The memory that a note holds, trusted no more than `trust`.

    Raises:
        InvalidInput: names the field and what is wrong with it.
    """
    jsonl.refuse_unstorable(note.values)
    return jsonl.from_json(note.values, new_id, clock, trust)


def overlaid(stored: Entity, said: Entity, note: Note) -> Entity:
    """`stored` with the facts that a note names laid over it."""
    named = {name: getattr(said, name) for name in FACTS if name in note.given}
    return replace(stored, **named)


def compared(stored: Entity, said: Entity, note: Note) -> Change:
    """What changed since the note was written; without a mark of that, the note is news."""
    wanted = overlaid(stored, said, note)
    said_now, stored_now = fingerprint(wanted), fingerprint(stored)
    if not stored.archived and stored_now in (said_now, fingerprint(_begun(wanted, stored))):
        return Change.NONE
    if not note.base:
        return Change.NOTE
    if stored.id != said.id:
        # Of another store, where the same name means something else.
        return Change.BOTH
    if said_now == note.base:
        return Change.STORE
    return Change.BOTH if stored.archived or stored_now != note.base else Change.NOTE


def _begun(wanted: Entity, stored: Entity) -> Entity:
    """What an edit wants, in the period that began when it was taken in, if one did then."""
    start = stored.valid_from_unix_ms
    is_new = stored.supersedes != "" and start == stored.recorded_at_unix_ms
    return replace(wanted, valid_from_unix_ms=start) if is_new else wanted


def draft_of(entity: Entity, trust: Trust) -> Draft:
    """The wish that a memory be as its facts say."""
    identity = Identity(entity.category, entity.key, entity.workspace_hash)
    facts = {name: getattr(entity, name) for name in _OF_DRAFT}
    return Draft(identity, **facts, source="vault-import", trust=trust)


def edited(stored: Entity, wanted: Entity, trust: Trust, now: UnixMs, history_id: str) -> Entity:
    """The next version of `stored`, as an edit wants it; trusted no more than the editor.

    New text begins a new period, unless the edit says since when it is true.

    Raises:
        InvalidInput: the period of validity would be empty.
    """
    draft = draft_of(wanted, trust)
    if wanted.valid_from_unix_ms == stored.valid_from_unix_ms:
        draft = replace(draft, valid_from_unix_ms=None)
    entity = revised(stored, draft, now, history_id)
    return replace(
        entity,
        category=wanted.category,
        key=wanted.key,
        workspace_hash=wanted.workspace_hash,
        links=wanted.links,
        valid_to_unix_ms=wanted.valid_to_unix_ms,
        trust=min(entity.trust, trust),
        recorded_at_unix_ms=max(now, stored.recorded_at_unix_ms + 1, stored.believed_until or 0),
        supersedes=history_id,
    )
