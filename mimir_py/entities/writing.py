"""Putting memories into the store: row, version, search text, words and vectors always together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from mimir_py.embedding import Embedder, split
from mimir_py.entities import links, store, text
from mimir_py.entities.models import Draft, Entity, Identity, Link
from mimir_py.entities.similarity import text_hash
from mimir_py.storage import fts
from mimir_py.storage.database import Writer
from mimir_py.storage.vectors import Chunk, Vectors
from mimir_py.values import UnixMs

EMBEDDED_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Prepared:
    """A draft with everything derived from its text."""

    draft: Draft
    text_hash: bytes
    label: str
    body: str
    chunks: tuple[Chunk, ...]


def derive(draft: Draft, parsed: Any) -> Prepared:
    """What the indexes hold of a draft; its chunks are not embedded yet."""
    body = text.body_text(parsed)
    return Prepared(
        draft=draft,
        text_hash=text_hash(parsed),
        label=text.label(
            draft.identity.category, draft.identity.key, draft.tags or (), draft.topic_path or ""
        ),
        body=body,
        chunks=tuple(Chunk(start, stop) for start, stop in split(body)),
    )


def relabelled(prepared: Prepared, entity: Entity) -> Prepared:
    """`prepared` with the label of the whole entity: a draft may leave out parts of it."""
    return replace(
        prepared, label=text.label(entity.category, entity.key, entity.tags, entity.topic_path)
    )


async def embedded(embedder: Embedder, prepared: Prepared) -> Prepared:
    """`prepared` with vectors of its first chunks; the rest of a long body is embedded later."""
    now, later = prepared.chunks[:EMBEDDED_AT_ONCE], prepared.chunks[EMBEDDED_AT_ONCE:]
    vectors = await embedder.embed(
        [text.chunk_text(prepared.label, prepared.body, c.start, c.stop) for c in now]
    )
    done = tuple(replace(chunk, vector=vector) for chunk, vector in zip(now, vectors, strict=True))
    return replace(prepared, chunks=done + later)


def is_embedded(prepared: Prepared) -> bool:
    """Whether `embedded` has been done."""
    return all(chunk.vector is not None for chunk in prepared.chunks[:EMBEDDED_AT_ONCE])


def ended(version: Entity, at: UnixMs) -> Entity:
    """`version` as history keeps it when it stops being the present one at a time."""
    until = version.believed_until
    return replace(
        version,
        invalidated_at_unix_ms=at if until is None else until,
        superseded_by=version.id,
    )


def named(memory: Entity, identity: Identity, since: UnixMs) -> Entity:
    """What another key of a live memory says, as a memory of that name."""
    return replace(
        memory,
        row_id=0,
        category=identity.category,
        key=identity.key,
        workspace_hash=identity.workspace_hash,
        created_at_unix_ms=since,
        recorded_at_unix_ms=since,
        supersedes="",
    )


class Rows:
    """Changes of single memories, inside a transaction of the caller's."""

    def __init__(self, vectors: Vectors, new_id: Callable[[str], str]) -> None:
        self._vectors = vectors
        self._new_id = new_id

    def insert(self, tx: Writer, entity: Entity, prepared: Prepared) -> None:
        """Store a new memory."""
        row_id = store.insert(tx, entity, prepared.text_hash)
        fts.add(tx, [(row_id, prepared.label, prepared.body)])
        self._vectors.replace(tx, row_id, prepared.chunks)

    def overwrite(
        self, tx: Writer, stored: Entity, entity: Entity, prepared: Prepared, history_id: str
    ) -> None:
        """Make `entity` the present version, and keep `stored` as the one before it."""
        self._keep(tx, stored, entity, history_id)
        fts.remove(tx, stored.row_id)
        fts.add(tx, [(stored.row_id, prepared.label, prepared.body)])
        self._vectors.replace(tx, stored.row_id, prepared.chunks)
        store.update(tx, entity, prepared.text_hash)
        store.append_change(tx, stored.row_id, stored.id, "update")

    def amend(
        self, tx: Writer, stored: Entity, change: Callable[[str], Entity], kind: str = "update"
    ) -> Entity:
        """Make another version of a memory that says the same, unless it is the same all over.

        `change` gives it for the history id of the version before; returns the present one.
        """
        history_id = self._new_id("hist")
        entity = change(history_id)
        if entity.recorded_at_unix_ms == stored.recorded_at_unix_ms:
            return stored
        self._keep(tx, stored, entity, history_id)
        store.update(tx, entity)
        store.append_change(tx, stored.row_id, stored.id, kind)
        return entity

    def link(
        self, tx: Writer, source: Entity, target_id: str, relationship: str, now: UnixMs
    ) -> None:
        """Link a memory to another one, unless it is so already."""
        held = links.between(tx, source.row_id, target_id).values()
        if relationship not in {link.relationship for link in held}:
            link = Link(target_id, relationship, created_at_unix_ms=now)
            links.insert(tx, [(source.row_id, link)])
            store.append_change(tx, source.row_id, source.id, "link")

    def _keep(self, tx: Writer, stored: Entity, entity: Entity, history_id: str) -> None:
        """Keep a version that another one takes the place of; its other keys stay with it."""
        self.settle_aliases(tx, stored)
        store.insert_version(tx, history_id, ended(stored, entity.recorded_at_unix_ms))

    def erase(self, tx: Writer, entity: Entity) -> None:
        """Delete a memory with all that is derived from it."""
        self.settle_aliases(tx, entity)
        fts.remove(tx, entity.row_id)
        self._vectors.remove(tx, entity.row_id)
        store.delete(tx, entity)

    def retire(self, tx: Writer, entity: Entity, reason: str, now: UnixMs) -> list[Identity]:
        """Archive a live memory under every key it has; the other keys it had."""
        others = [identity for identity, _ in store.aliases_of(tx, entity.row_id)]
        for identity in others:
            self.drop_alias(tx, identity, now, forgotten=reason)
        store.archive(tx, entity, reason, now)
        return others

    def rename(
        self, tx: Writer, stored: Entity, identity: Identity, reason: str, now: UnixMs
    ) -> Entity:
        """Give a live memory a name that no live one has; what it said stays under the old one.

        A forgotten memory of that name becomes a version. Returns the memory under its new name.
        """
        self.settle_aliases(tx, stored)
        since = max(self.drop_alias(tx, identity, now), stored.recorded_at_unix_ms + 1)
        forgotten = store.by_identity(tx, identity)
        if forgotten is not None:
            since = max(since, forgotten.believed_until or 0)
            self._make_way(tx, forgotten)
        history_id = self._new_id("hist")
        entity = replace(
            stored,
            category=identity.category,
            key=identity.key,
            workspace_hash=identity.workspace_hash,
            recorded_at_unix_ms=since,
            supersedes=history_id,
        )
        before = replace(ended(stored, since), archived=True, archive_reason=reason)
        store.insert_version(tx, history_id, before)
        prepared = derive(Draft(identity, entity.body_json), text.parse_body(entity.body_json))
        fts.remove(tx, entity.row_id)
        fts.add(tx, [(entity.row_id, relabelled(prepared, entity).label, prepared.body)])
        store.update(tx, entity)
        store.append_change(tx, entity.row_id, entity.id, "update")
        return entity

    def _make_way(self, tx: Writer, forgotten: Entity) -> None:
        """Make room for another memory of the same name: keep a forgotten one as a version."""
        store.insert_version(
            tx, self._new_id("hist"), ended(forgotten, forgotten.recorded_at_unix_ms + 1)
        )
        fts.remove(tx, forgotten.row_id)
        self._vectors.remove(tx, forgotten.row_id)
        store.delete_row(tx, forgotten)

    def drop_alias(
        self, tx: Writer, identity: Identity, now: UnixMs, forgotten: str | None = None
    ) -> UnixMs:
        """Take another key off a memory, and keep in history what it said.

        `forgotten` is the reason if the name is forgotten, not given anew. Returns when the key
        ended: `now`, or later, so that what it said lasted; without such a key, `now`.
        """
        alias = store.alias(tx, identity)
        if alias is None:
            return now
        at = max(now, alias.given_at + 1)
        said = ended(named(alias.memory, identity, alias.given_at), at)
        if forgotten is not None:
            said = replace(said, archived=True, archive_reason=forgotten)
        store.insert_version(tx, self._new_id("hist"), said)
        store.delete_alias(tx, identity)
        store.append_change(tx, alias.memory.row_id, alias.memory.id, "alias")
        return at

    def settle_aliases(self, tx: Writer, stored: Entity) -> None:
        """Give every other key of a memory a memory of its own, before it changes or goes."""
        aliases = store.aliases_of(tx, stored.row_id)
        if not aliases:
            return
        chunks = self._vectors.chunks_of(tx, stored.row_id)
        store.delete_aliases_of(tx, stored.row_id)
        prepared = derive(
            Draft(Identity("", "", ""), stored.body_json), text.parse_body(stored.body_json)
        )
        for identity, created_at in aliases:
            own = replace(named(stored, identity, created_at), id=self._new_id("mem"))
            self.insert(tx, own, replace(relabelled(prepared, own), chunks=chunks))


def erase_wholly(tx: Writer, vectors: Vectors, entity: Entity) -> None:
    """Delete a memory and, unlike `Rows.erase`, its text under every other key as well."""
    store.delete_aliases_of(tx, entity.row_id)
    fts.remove(tx, entity.row_id)
    vectors.remove(tx, entity.row_id)
    store.delete(tx, entity)
