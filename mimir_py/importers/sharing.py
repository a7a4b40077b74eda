"""Copies of memories in other workspaces: under ids of their own, with their history and links."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mimir_py.entities import store as entity_store
from mimir_py.entities.models import Entity, Identity, Link
from mimir_py.errors import InvalidInput, NotFound
from mimir_py.storage.database import Database, Reader
from mimir_py.vault import Merge, Record, Vault, Version
from mimir_py.vault import store as vault_store

Report = Callable[[int], Awaitable[None]]

_SLICE: Final = 500


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


class Sharing:
    """The room's door."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def share(
        self, category: str, key: str, to: str, workspaces: Sequence[str] | None
    ) -> Shared:
        """Copy one live memory, found in `workspaces` (`None` is all), into another workspace.

        A memory of that name there gets the copy for a new version.

        Raises:
            NotFound: there is no such memory outside of the workspace it is to go to.
        """

        def look(reader: Reader) -> tuple[Record, str]:
            held = entity_store.named(reader, category, key, workspaces)
            source = next((one for one in held if one.workspace_hash != to), None)
            if source is None:
                raise NotFound(f"Entity not found: {category}/{key}")
            return _copies(reader, [source], to)[0], source.workspace_hash

        record, home = await self._database.read(look)
        done = await self._vault.import_records([record], merge=Merge.REPLACE, report=_silent)
        if done.refused:
            raise InvalidInput("key", "; ".join(done.refused.values()))
        identity = Identity(record.entity.category, record.entity.key, to)
        copy = await self._database.read(lambda r: entity_store.by_identity(r, identity))
        assert copy is not None
        return Shared(copy.id, "created" if done.created else "updated", home)

    async def federate(self, home: str, to: str) -> Federated:
        """Copy the live memories of a workspace into another one; again, what changed since.

        Raises:
            InvalidInput: both are the same.
        """
        if home == to:
            raise InvalidInput("to_workspace", "is from_workspace")
        done, after = Federated(), 0
        while True:
            entities = await self._database.read(
                lambda r, a=after: vault_store.slice_after(r, a, _SLICE)  # type: ignore[misc]
            )
            if not entities:
                return done
            after = entities[-1].row_id
            own = [e for e in entities if e.workspace_hash == home and not e.archived]
            records = await self._database.read(lambda r, o=own: _copies(r, o, to))  # type: ignore[misc]
            stored = await self._vault.import_records(records, report=_silent)
            done.found += len(own)
            done.stored += stored.created + stored.replaced
            done.errors += [f"{name}: another memory has its name" for name in stored.conflicts]


async def _silent(done: int) -> None:
    pass


def copy_id(id: str, to: str, prefix: str = "mem") -> str:
    """The id of the copy of something in a workspace: the same each time."""
    name = f"{to}\0{id}".encode()
    return f"{prefix}-{hashlib.sha256(name).hexdigest()[:12]}"


def _copies(reader: Reader, entities: Sequence[Entity], to: str) -> list[Record]:
    history = vault_store.history_of(reader, [entity.id for entity in entities])
    targets = {link.target_id for entity in entities for link in entity.links}
    known = entity_store.by_ids(reader, list(targets))
    return [_copy(entity, history.get(entity.id, ()), known, to) for entity in entities]


def _copy(
    entity: Entity,
    history: Sequence[tuple[str, Entity]],
    known: Mapping[str, Entity],
    to: str,
) -> Record:
    new_id = copy_id(entity.id, to)
    links = tuple(_link(link, known, to) for link in entity.links)
    versions = tuple(
        Version(
            copy_id(history_id, to, "hist"),
            replace(version, id=new_id, workspace_hash=to, superseded_by=new_id, links=()),
        )
        for history_id, version in history
    )
    supersedes = copy_id(entity.supersedes, to, "hist") if entity.supersedes else ""
    present = replace(
        entity,
        id=new_id,
        row_id=0,
        workspace_hash=to,
        links=links,
        supersedes=supersedes,
        retrieval_count=0,
        layer="buffer",
    )
    return Record(present, (), versions)


def _link(link: Link, known: Mapping[str, Entity], to: str) -> Link:
    """A link to what is global or there already stays; one to a neighbour leads to its copy."""
    target = known.get(link.target_id)
    if target is not None and target.workspace_hash in ("", to):
        return link
    return replace(link, target_id=copy_id(link.target_id, to))
