"""What becomes of a record that comes in, and what an import would do before it does it."""

from enum import Enum

from mimir_py.entities import store as entity_store
from mimir_py.entities.models import Entity, Identity
from mimir_py.storage.database import Reader
from mimir_py.vault import merging, store
from mimir_py.vault.jsonl import Record
from mimir_py.vault.lines import Incoming
from mimir_py.vault.models import Imported, Merge


class Step(Enum):
    """What is done with a record."""

    CREATE = "create"
    LEAVE = "leave"
    REPLACE = "replace"
    KEEP = "keep"


def step(
    reader: Reader, record: Record, stored: Entity | None, owner: str | None, merge: Merge
) -> Step:
    """What to do: `stored` is the memory of its id, `owner` the id of the memory of its name.

    `LEAVE` is for what is here already, `KEEP` for what something else is in the way of.
    """
    if stored is None and owner is None:
        return Step.CREATE
    if stored is not None and merging.same(stored, record.entity):
        return Step.LEAVE
    if merge is Merge.REPLACE:
        present = stored or entity_store.by_id(reader, owner or "")
        if present is not None and merging.said(present) == merging.said(record.entity):
            # An earlier import has put this very record in place.
            return Step.LEAVE
    if merge is Merge.NEWER and stored is not None and _was_said(reader, stored, record):
        return Step.LEAVE
    wins = merge is Merge.REPLACE or (merge is Merge.NEWER and merging.is_newer(record, stored))
    return Step.REPLACE if wins and meant(reader, stored, owner) is not None else Step.KEEP


def meant(reader: Reader, stored: Entity | None, owner: str | None) -> Entity | None:
    """The stored memory that a record means, by id or by name; `None` if they are two."""
    if stored is None:
        return entity_store.by_id(reader, owner or "")
    return stored if owner in (None, stored.id) else None


def named(record: Record) -> str:
    """What a record that is not stored is called."""
    entity = record.entity
    return f"{entity.category}/{entity.key} ({entity.id})"


class Plan:
    """An import that only counts. Of what it would have stored it keeps the memories themselves."""

    def __init__(self, merge: Merge) -> None:
        self.done = Imported()
        self._merge = merge
        self._held: dict[str, Entity] = {}
        self._owners: dict[Identity, str | None] = {}

    def sort(self, reader: Reader, memories: list[Incoming]) -> None:
        """Count what would become of a slice."""
        held = entity_store.by_ids(reader, [one.record.entity.id for one in memories])
        held |= self._held
        identities = [one.prepared.draft.identity for one in memories]
        owners = {**store.ids_by_identity(reader, identities), **self._owners}
        for one in memories:
            record, identity = one.record, one.prepared.draft.identity
            stored = held.get(record.entity.id)
            taken = step(reader, record, stored, owners.get(identity), self._merge)
            if taken is Step.KEEP:
                self.done.conflicts.append(named(record))
            elif taken is Step.LEAVE:
                self.done.unchanged += 1
            else:
                self.done.created += taken is Step.CREATE
                self.done.replaced += taken is Step.REPLACE
                gone = {} if stored is None else {merging.identity_of(stored): None}
                self._owners |= {**gone, identity: record.entity.id}
                self._held[record.entity.id] = held[record.entity.id] = record.entity
                owners |= self._owners


def _was_said(reader: Reader, stored: Entity, record: Record) -> bool:
    """Whether a stored memory says what a record does, or has said so before."""
    said = record.entity.body_json
    if stored.body_json == said:
        return True
    versions = store.history_of(reader, [stored.id]).get(stored.id, ())
    return any(version.body_json == said for _, version in versions)
