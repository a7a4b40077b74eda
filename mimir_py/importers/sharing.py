"""Copies of memories in other workspaces and stores, with their history and links.

A copy has an id of its own where it is a memory of its own: in another workspace. In another store
the memory of the same name and workspace is the same memory, and keeps its id.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from mimir_py.config import Settings
from mimir_py.entities import store as entity_store
from mimir_py.entities.models import Entity, Identity, sound
from mimir_py.errors import InvalidInput, NotFound, StorageError
from mimir_py.importers.other_store import OtherStore, naming, opened
from mimir_py.journal import AUDIT, Entry, Journal
from mimir_py.security import Trust
from mimir_py.storage.database import Database, Reader
from mimir_py.vault import Imported, Merge, Record, Vault, Version
from mimir_py.vault.writing import records_of

Report = Callable[[int], Awaitable[None]]
# The vault of another open store.
VaultOn = Callable[[Database], Vault]

# What use makes of a memory is no news about it.
_OF_USE: Final = frozenset(
    "row_id id recorded_at_unix_ms supersedes trust retrieval_count layer decay_score "
    "last_accessed_unix_ms follow_count miss_count follow_rate efficacy_status".split()
)


@dataclass(frozen=True)
class Shared:
    """A copy. `action` is `created` or `updated`."""

    id: str
    action: str
    from_workspace: str


@dataclass
class Federated:
    """Counts of a copied workspace; `errors` names what another memory was in the way of."""

    found: int = 0
    stored: int = 0
    errors: list[str] = field(default_factory=list)


class _Target(NamedTuple):
    """Where copies go: this store, or another one, which says where they came `from_store`."""

    database: Database
    vault: Vault
    from_store: str = ""

    @property
    def trust(self) -> Trust:
        """The most that copies are trusted."""
        return Trust.IMPORT if self.from_store else Trust.USER


class Sharing:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        journal: Journal,
        settings: Settings,
        vault_on: VaultOn,
    ) -> None:
        self._database = database
        self._vault = vault
        self._journal = journal
        self._settings = settings
        self._vault_on = vault_on

    async def share(
        self,
        category: str,
        key: str,
        to: str,
        workspaces: Sequence[str] | None,
        other: OtherStore | None = None,
    ) -> Shared:
        """Copy one live memory, found in `workspaces` (`None` is all), into another workspace.

        With `other` it goes into that store, where its workspace may be the same. A memory of that
        name there gets the copy for a new version.

        Raises:
            NotFound: there is no such memory outside of where it is to go to, or no such store.
            DamagedStore: its text changed on the disk.
            StorageError: the other store was refused or failed; see `other_store.opened`.
        """

        def look(reader: Reader) -> tuple[Record, str]:
            held = entity_store.named(reader, category, key, workspaces)
            found = (one for one in held if other is not None or one.workspace_hash != to)
            source = next(found, None)
            if source is None:
                raise NotFound(f"Entity not found: {category}/{key}")
            return _copies(reader, records_of(reader, [sound(source)]), to)[
                0
            ], source.workspace_hash

        record, home = await self._database.read(look)
        identity = Identity(record.entity.category, record.entity.key, to)
        async with self._target(other) as target:
            held = await target.database.read(lambda r: entity_store.by_identity(r, identity))
            if held is not None and _gist(held) == _gist(record.entity):
                return Shared(held.id, "updated", home)
            done = await _bring(target, [record], Merge.REPLACE)
            if done.refused:
                raise InvalidInput("key", "; ".join(done.refused.values()))
            copy = await target.database.read(lambda r: entity_store.by_identity(r, identity))
        assert copy is not None
        await self._note(other, to, 1)
        return Shared(copy.id, "created" if done.created else "updated", home)

    async def federate(self, home: str, to: str, other: OtherStore | None = None) -> Federated:
        """Copy the live memories of a workspace into another one; again, what changed since.

        With `other` they go into that store, where the workspace may be the same.

        Raises:
            InvalidInput: both are the same.
            NotFound, StorageError: as `share`.
        """
        if home == to and other is None:
            raise InvalidInput("to_workspace", "is from_workspace")
        done = Federated()
        async with self._target(other) as target:
            outgoing = self._vault.outgoing()
            async for found in outgoing.slices():
                own = [one for one in found if _is_live_in(one.entity, home)]
                records = await self._database.read(lambda r, o=own: _copies(r, o, to))  # type: ignore[misc]  # mypy cannot infer a default argument
                stored = await _bring(target, records, Merge.NEWER)
                done.found += len(own)
                done.stored += stored.created + stored.replaced
                done.errors += [f"{name}: another memory has its name" for name in stored.conflicts]
                done.errors += [f"{id}: {why}" for id, why in stored.refused.items()]
            done.errors += [f"{id}: {why}" for id, why in outgoing.damaged.items()]
        await self._note(other, to, done.stored)
        return done

    @asynccontextmanager
    async def _target(self, other: OtherStore | None) -> AsyncIterator[_Target]:
        if other is None:
            yield _Target(self._database, self._vault)
            return
        async with opened(other, self._database, self._settings) as there:
            yield _Target(there, self._vault_on(there), self._database.path.name)

    async def _note(self, other: OtherStore | None, to: str, count: int) -> None:
        """Record here what has gone into another store, which records what came."""
        if other is None or not count:
            return
        acted = {"to": other.path.name, "workspace_hash": to, "memories": count}
        entry = Entry("share", kind=AUDIT, acted_json=json.dumps(acted, ensure_ascii=False))
        await self._database.write(lambda tx: self._journal.append(tx, entry))


async def _bring(target: _Target, records: Sequence[Record], merge: Merge) -> Imported:
    try:
        return await target.vault.import_records(
            [_trusted(record, target.trust) for record in records],
            merge=merge,
            report=_silent,
            origin=target.from_store,
        )
    except StorageError as error:
        raise naming(target.database.path, error) from error


async def _silent(done: int) -> None:
    pass


def _trusted(record: Record, most: Trust) -> Record:
    def lowered(entity: Entity) -> Entity:
        return replace(entity, trust=min(entity.trust, most))

    versions = (replace(version, entity=lowered(version.entity)) for version in record.history)
    return replace(record, entity=lowered(record.entity), history=tuple(versions))


def _gist(entity: Entity) -> dict[str, object]:
    """What a memory is to whoever copies it: a copy of a copy is the same."""
    said = {name: value for name, value in vars(entity).items() if name not in _OF_USE}
    links = [(link.target_id, link.relationship, link.note) for link in entity.links]
    return {**said, "links": sorted(links)}


def copy_id(id: str, to: str, prefix: str = "mem") -> str:
    """The id of the copy of something in a workspace: the same each time."""
    name = f"{to}\0{id}".encode()
    return f"{prefix}-{hashlib.sha256(name).hexdigest()[:12]}"


def _is_live_in(entity: Entity, workspace: str) -> bool:
    return entity.workspace_hash == workspace and not entity.archived


def _copies(reader: Reader, found: Sequence[Record], to: str) -> list[Record]:
    """The memories with all they bring, as those of a workspace."""
    spoken = [one.entity for one in found]
    spoken += [version.entity for one in found for version in one.history]
    named = {link.target_id for entity in spoken for link in entity.links}
    known = entity_store.by_ids(reader, list(named | {e.superseded_by for e in spoken}))
    homes = {id: target.workspace_hash for id, target in known.items()}
    return [_Copying(one, to, homes).record() for one in found]


class _Copying:
    """One memory on its way into a workspace; `homes` are those of the memories it leads to."""

    def __init__(self, found: Record, to: str, homes: Mapping[str, str]) -> None:
        self._entity = found.entity
        self._history = found.history
        self._to = to
        self._homes = homes

    def record(self) -> Record:
        """Its copy, nobody having used it yet."""
        present = replace(self._copy(self._entity), row_id=0, retrieval_count=0, layer="buffer")
        versions = (
            Version(self._id(one.history_id, "hist"), self._copy(one.entity))
            for one in self._history
        )
        return Record(present, (), tuple(versions))

    def _copy(self, version: Entity) -> Entity:
        return replace(
            version,
            id=self._id(version.id),
            workspace_hash=self._to,
            links=tuple(
                replace(link, target_id=self._linked(link.target_id)) for link in version.links
            ),
            supersedes=self._id(version.supersedes, "hist"),
            superseded_by=self._linked(version.superseded_by),
        )

    def _id(self, id: str, prefix: str = "mem") -> str:
        if not id or self._entity.workspace_hash == self._to:
            return id
        return copy_id(id, self._to, prefix)

    def _linked(self, id: str) -> str:
        """A neighbour's copy is meant; what is global, or there already, stays what it is."""
        own = self._entity.workspace_hash
        home = self._homes.get(id, own)
        return id if home != own and home in ("", self._to) else self._id(id)
