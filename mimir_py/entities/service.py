"""Remembering, fetching and forgetting.

Whatever is slow (reading the old version, embedding) happens before the write's transaction; the
transaction then decides on what it finds, so two processes remembering at once cannot both win.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from mimir_py.embedding import Embedder
from mimir_py.entities import store, succession, text, versioning
from mimir_py.entities.auditing import audit
from mimir_py.entities.checking import check_limits
from mimir_py.entities.echo import Echoes, echoed, give_name
from mimir_py.entities.models import (
    CREATED,
    DEDUPED,
    UPDATED,
    Draft,
    Entity,
    Identity,
    NearDuplicate,
    Remembered,
    sound,
)
from mimir_py.entities.reinforcement import reinforce_near
from mimir_py.entities.similarity import NEAR, near_query, text_hash, trigram_similarity
from mimir_py.entities.succession import Closed, Name, Pair, Succession
from mimir_py.entities.writing import Prepared, Rows, derive, embedded, is_embedded, relabelled
from mimir_py.errors import NotFound
from mimir_py.journal import AUDIT, Entry, Journal
from mimir_py.limits import Limits, check_name
from mimir_py.security import Trust
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.storage.vectors import Chunk, Vectors
from mimir_py.values import Clock, IdSource

Then = Callable[[Writer, Remembered], None]

_NEAR_LISTED: Final = 5
_NEAR_CANDIDATES: Final = 32


class Memories:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        vectors: Vectors,
        embedder: Embedder,
        journal: Journal,
        limits: Limits,
        clock: Clock,
        new_id: IdSource,
    ) -> None:
        self._database = database
        self._rows = Rows(vectors, new_id)
        self._embedder = embedder
        self._journal = journal
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self.echoes = Echoes(clock)

    async def remember(self, draft: Draft, then: Then | None = None) -> Remembered:
        """Store a draft and return once it is durable and searchable.

        The same identity again is an update that keeps what the draft leaves out; the same text
        under another key becomes an alias. Nearly the same text is stored, and reported. `then`
        runs in the same transaction.

        Raises:
            InvalidInput: over a limit, unstorable text, or an empty period; nothing was stored.
            NotFound: there is nothing of the id or key it supersedes; nothing was stored.
        """
        parsed = text.parse_body(draft.body_json)
        check_limits(draft, self._limits)
        await self._database.indexed()
        while True:
            seen = await self._database.read(lambda reader: _look(reader, draft, parsed))
            if draft.swallow_near and not draft.supersedes and seen.near and seen.stored is None:
                swallowed = await self._swallow(draft, seen.near[0])
                if swallowed is not None:
                    return swallowed
            written = draft
            if seen.stored is None and not seen.repeated and then is None:
                echo = await self._echo_of(draft, parsed)
                if echo is not None and echo.category == draft.identity.category:
                    work = partial(give_name, entity=echo, draft=draft, now=self._clock())
                    if await self._database.write(work):
                        known = _remembered(echo.id, DEDUPED, draft.identity)
                        return replace(known, echo_of=echo.id)
                elif echo is not None:
                    written = replace(draft, trust=min(draft.trust, echo.trust))
            prepared = await self._prepare(written, parsed, seen)
            remembered = await self._database.write(partial(self._take_in, seen, prepared, then))
            if remembered is not None:
                near = tuple(n for n in seen.near if n.id != remembered.id)
                return replace(remembered, near_duplicates=near)

    async def get(self, entity_id: str) -> Entity:
        """The memory with that id, archived or not.

        Raises:
            NotFound: there is none.
            DamagedStore: its text changed on the disk.
        """
        entity = await self._database.read(lambda reader: store.by_id(reader, entity_id))
        if entity is None:
            raise NotFound(f"Entity not found: {entity_id}")
        sound(entity)
        self.echoes.note([entity])
        return entity

    async def named(
        self, category: str, key: str, workspaces: Sequence[str] | None
    ) -> list[Entity]:
        """Live memories of that name, in some workspaces (in that order) or in all (`None`).

        Another key of a memory finds it too. Raises DamagedStore for text the disk changed.
        """
        found = await self._database.read(
            lambda reader: store.named(reader, category, key, workspaces)
        )
        return [sound(entity) for entity in found]

    async def supersede(
        self, old: Name, new: Name, how: Succession, workspaces: Sequence[str] | None
    ) -> Pair:
        """Let one memory take the place of another; both as they are then.

        Both, named (category, key), are looked for in some workspaces (in that order) or in all
        (`None`).

        Raises:
            NotFound: one of the names is of no live memory.
            InvalidInput: the two cannot follow each other; see `succession`.
        """
        for field in ("reason", "relationship"):
            check_name(field, getattr(how, field), self._limits.name_bytes)

        def work(tx: Writer) -> Pair:
            found, later = succession.pair(tx, old, new, workspaces)
            earlier = succession.own_row(tx, self._rows, old, found)
            closed = succession.supersede(tx, self._rows, earlier, later, how, self._clock())
            self._note_closed(tx, closed, later, Draft.source)
            return closed.old, later

        return await self._database.write(work)

    async def forget(
        self,
        category: str,
        key: str,
        reason: str,
        workspaces: Sequence[str] | None,
        source: str = Draft.source,
    ) -> bool:
        """Archive the live memories of that name, in some workspaces or in all (`None`).

        Returns whether there was any. An alias is dropped without touching its memory; other
        keys of a forgotten memory keep their text.

        Raises:
            InvalidInput: the reason is over the limit of a name.
        """
        check_name("reason", reason, self._limits.name_bytes)
        said = {"reason": reason, "source": source}
        return await self._database.write(
            lambda tx: self._forget(tx, category, key, said, workspaces)
        )

    async def delete(self, entity_id: str) -> bool:
        """Delete a memory with all that is kept of it; whether there was one."""

        def erase(tx: Writer) -> bool:
            entity = store.by_id(tx, entity_id)
            if entity is None:
                return False
            self._rows.erase(tx, entity)
            name = (entity.category, entity.key, entity.workspace_hash)
            self._journal.erase_about(tx, entity.id, *name)
            self._journal.append(tx, Entry("delete", kind=AUDIT, entity_id=entity.id))
            return True

        return await self._database.write(erase)

    async def _echo_of(self, draft: Draft, parsed: Any) -> Entity | None:
        """The memory that a new name would repeat, having been shown of late."""
        if draft.is_distinct or draft.supersedes or draft.trust is Trust.USER:
            return None
        identity = draft.identity
        shown = self.echoes.of(text.body_text(parsed), identity.workspace_hash)
        if shown is None:
            return None
        return await self._database.read(lambda reader: echoed(reader, draft, shown))

    async def _prepare(self, draft: Draft, parsed: Any, seen: "_Seen") -> Prepared:
        prepared = derive(draft, parsed)
        if seen.stored is not None:
            # Attributes the draft leaves out are part of the label all the same.
            merged = versioning.revised(seen.stored, draft, self._clock(), "")
            prepared = relabelled(prepared, merged)
            if merged.recorded_at_unix_ms == seen.stored.recorded_at_unix_ms:
                return prepared
        elif seen.repeated:
            return prepared
        return prepared if draft.embed_later else await embedded(self._embedder, prepared)

    def _take_in(
        self, seen: "_Seen", prepared: Prepared, then: Then | None, tx: Writer
    ) -> Remembered | None:
        """Store what was prepared, in the place of what it supersedes; `None` as `_remember`."""
        remembered = self._remember(seen, prepared, tx)
        if remembered is None:
            return None
        if prepared.draft.supersedes is not None:
            new = store.by_id(tx, remembered.id)
            assert new is not None
            now = self._clock()
            closed = succession.supersede_by_draft(tx, self._rows, prepared.draft, new, now)
            self._note_closed(tx, closed, new, prepared.draft.source)
            remembered = replace(remembered, superseded=closed.old.id)
        if then is not None:
            then(tx, remembered)
        return remembered

    def _remember(self, seen: "_Seen", prepared: Prepared, tx: Writer) -> Remembered | None:
        """Store what was prepared; `None` when another writer changed what was seen meanwhile."""
        identity = prepared.draft.identity
        stored = store.by_identity(tx, identity)
        if _version(stored) != _version(seen.stored) and not (
            stored is not None and self._fits(stored, prepared)
        ):
            return None
        if stored is not None:
            return self._update(tx, stored, prepared)
        same = _repeated(tx, prepared.draft, prepared.text_hash)
        if (same is not None) != seen.repeated:
            return None
        if same is not None:
            known = store.resolve_alias(tx, identity)
            if known is None or known.id != same.id:
                since = self._rows.drop_alias(tx, identity, self._clock())
                store.add_alias(tx, identity, same.row_id, same.id, since)
            store.update(tx, versioning.reinforced(same, self._clock()), prepared.text_hash)
            self._note(tx, "remember", same, {"action": "deduped", "key": identity.key})
            return _remembered(same.id, DEDUPED, identity)
        since = self._rows.drop_alias(tx, identity, self._clock())
        new_id = prepared.draft.entity_id or self._new_id(prepared.draft.id_prefix)
        entity = versioning.new_entity(prepared.draft, new_id, since)
        self._rows.insert(tx, entity, prepared)
        self._note(tx, "remember", entity, {"action": "created", "source": entity.source})
        return _remembered(entity.id, CREATED, identity, prepared.chunks)

    def _fits(self, stored: Entity, prepared: Prepared) -> bool:
        """Whether what was prepared beside another version is right beside this one too.

        Where many write one memory, preparing anew could go on for as long as they do.
        """
        draft = prepared.draft
        merged = versioning.revised(stored, draft, self._clock(), "")
        is_ready = draft.embed_later or is_embedded(prepared)
        return is_ready and relabelled(prepared, merged).label == prepared.label

    def _update(self, tx: Writer, stored: Entity, prepared: Prepared) -> Remembered:
        history_id = self._new_id("hist")
        entity = versioning.revised(stored, prepared.draft, self._clock(), history_id)
        if entity.recorded_at_unix_ms != stored.recorded_at_unix_ms:
            self._rows.overwrite(tx, stored, entity, prepared, history_id)
            said = {"action": UPDATED, "source": prepared.draft.source, "history_id": history_id}
            self._note(tx, "remember", entity, said)
            return _remembered(stored.id, UPDATED, prepared.draft.identity, prepared.chunks)
        store.update(tx, entity, prepared.text_hash)
        return _remembered(stored.id, UPDATED, prepared.draft.identity)

    def _forget(
        self,
        tx: Writer,
        category: str,
        key: str,
        said: Mapping[str, str],
        workspaces: Sequence[str] | None,
    ) -> bool:
        reason = said["reason"]
        found = [
            entity
            for entity in store.by_name(tx, category, key)
            if workspaces is None or entity.workspace_hash in workspaces
        ]
        for entity in found:
            self._rows.settle_aliases(tx, entity)
            store.archive(tx, entity, reason, self._clock())
            self._note(tx, "forget", entity, said)
        aliases = [
            alias.memory
            for alias in store.aliases_named(tx, category, key)
            if workspaces is None or alias.memory.workspace_hash in workspaces
        ]
        for memory in aliases:
            identity = Identity(category, key, memory.workspace_hash)
            self._rows.drop_alias(tx, identity, self._clock(), forgotten=reason)
            self._note(tx, "forget", memory, {**said, "key": key, "category": category})
        return bool(found or aliases)

    def _note_closed(self, tx: Writer, closed: Closed, new: Entity, source: str) -> None:
        if closed.is_changed:
            reason, before = closed.old.archive_reason, closed.old.supersedes
            said = {"by": new.id, "reason": reason, "history_id": before, "source": source}
            self._note(tx, "supersede", closed.old, said)

    def _note(self, tx: Writer, what: str, entity: Entity, acted: Mapping[str, str]) -> None:
        """Record a change of a memory in the journal, as part of it."""
        self._journal.append(tx, audit(what, entity, acted))

    async def _swallow(self, draft: Draft, near: NearDuplicate) -> Remembered | None:
        """Count a draft as one more use of its near duplicate, unless its identity is stored."""

        def swallow(tx: Writer) -> Remembered | None:
            if store.by_identity(tx, draft.identity) is not None:
                return None
            matched = store.by_id(tx, near.id)
            if matched is None or matched.archived:
                return None
            reinforce_near(tx, matched.row_id, self._clock())
            return _remembered(matched.id, DEDUPED, draft.identity)

        return await self._database.write(swallow)


@dataclass(frozen=True)
class _Seen:
    """What the store held when a draft was prepared."""

    stored: Entity | None
    repeated: bool
    near: tuple[NearDuplicate, ...]


def _look(reader: Reader, draft: Draft, parsed: Any) -> _Seen:
    stored = store.by_identity(reader, draft.identity)
    repeated = stored is None and _repeated(reader, draft, text_hash(parsed)) is not None
    if draft.is_distinct and not draft.swallow_near:
        return _Seen(stored, repeated, ())
    near = _near_duplicates(reader, draft.identity, text.body_text(parsed), stored)
    return _Seen(stored, repeated, tuple(near))


def _repeated(reader: Reader, draft: Draft, own_hash: bytes) -> Entity | None:
    if draft.is_distinct or draft.supersedes is not None:
        return None
    same = store.by_text(reader, draft.identity, own_hash)
    if same is None or same.superseded_by:
        return None
    return same if versioning.loses_nothing(same, draft) else None


def _near_duplicates(
    reader: Reader, identity: Identity, body: str, own: Entity | None
) -> list[NearDuplicate]:
    query = near_query(body)
    if query is None:
        return []
    found = [
        NearDuplicate(entity_id, key, round(similarity, 4))
        for entity_id, key, row_id, other in store.near_candidates(
            reader, identity, query, _NEAR_CANDIDATES
        )
        if (own is None or row_id != own.row_id)
        and (similarity := trigram_similarity(body, other)) >= NEAR
    ]
    found.sort(key=lambda near: (-near.similarity, near.id))
    return found[:_NEAR_LISTED]


def _version(entity: Entity | None) -> tuple[str, int, bool] | None:
    return None if entity is None else (entity.id, entity.recorded_at_unix_ms, entity.archived)


def _remembered(
    entity_id: str, action: str, identity: Identity, chunks: Sequence[Chunk] = ()
) -> Remembered:
    pending = sum(chunk.vector is None for chunk in chunks)
    return Remembered(entity_id, action, identity.category, identity.key, pending_chunks=pending)
