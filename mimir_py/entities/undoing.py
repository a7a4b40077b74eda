"""Putting a memory back to a version before: always as a new version, so nothing is lost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mimir_py.embedding import Embedder
from mimir_py.entities import links, store, text
from mimir_py.entities.models import Draft, Entity, Identity, Link, from_row, sound
from mimir_py.entities.succession import SUPERSEDED_BY, SUPERSEDES
from mimir_py.entities.versioning import SUPERSEDED_STATUS
from mimir_py.entities.writing import Prepared, Rows, derive, embedded, relabelled
from mimir_py.storage.database import Reader, Writer
from mimir_py.values import UnixMs

_VERSION: Final = "SELECT * FROM entity_history WHERE history_id = :history_id"


def version(reader: Reader, history_id: str) -> Entity | None:
    """A version by its history id; `None` if it is not kept any more.

    Raises:
        DamagedStore: its words changed on the disk.
    """
    row = reader.one(_VERSION, {"history_id": history_id})
    return None if row is None else sound(from_row(row))


async def prepared(embedder: Embedder, earlier: Entity) -> Prepared:
    """What the indexes are to hold of a version."""
    identity = Identity(earlier.category, earlier.key, earlier.workspace_hash)
    parsed = text.parse_body(earlier.body_json)
    derived = relabelled(derive(Draft(identity, earlier.body_json), parsed), earlier)
    return await embedded(embedder, derived)


def restore(
    tx: Writer, rows: Rows, stored: Entity, earlier: Entity, derived: Prepared, now: UnixMs,
    history_id: str,
) -> Entity:  # fmt: skip
    """Make what a version said, and its attributes, the present again.

    Uses, name and links stay those of the memory, but for the links of a succession undone.
    """
    recorded = max(now, stored.recorded_at_unix_ms + 1, stored.believed_until or 0)
    successor = _successor(tx, earlier)
    entity = replace(
        earlier,
        row_id=stored.row_id,
        category=stored.category,
        key=stored.key,
        workspace_hash=stored.workspace_hash,
        links=stored.links,
        decay_score=stored.decay_score,
        retrieval_count=stored.retrieval_count,
        last_accessed_unix_ms=stored.last_accessed_unix_ms,
        follow_count=stored.follow_count,
        miss_count=stored.miss_count,
        follow_rate=stored.follow_rate,
        efficacy_status=stored.efficacy_status,
        recorded_at_unix_ms=recorded,
        invalidated_at_unix_ms=recorded + 1 if earlier.archived else None,
        supersedes=history_id,
        superseded_by="" if successor is None else successor.id,
    )
    rows.overwrite(tx, stored, entity, derived, history_id)
    was_linked = (SUPERSEDED_BY, stored.superseded_by) in {
        (link.relationship, link.target_id) for link in earlier.links
    }
    if stored.superseded_by and successor is None and not was_linked:
        _unlink(tx, stored)
    elif successor is not None:
        rows.link(tx, successor, stored.id, SUPERSEDES, now)
        rows.link(tx, entity, successor.id, SUPERSEDED_BY, now)
    return entity


def revive(tx: Writer, rows: Rows, stored: Entity, now: UnixMs) -> Entity:
    """Believe a forgotten memory again."""
    recorded = max(now, stored.recorded_at_unix_ms + 1, stored.believed_until or 0)
    return rows.amend(
        tx,
        stored,
        lambda history_id: replace(
            stored,
            archived=False,
            archive_reason="",
            invalidated_at_unix_ms=None,
            recorded_at_unix_ms=recorded,
            supersedes=history_id,
        ),
    )


def give_keys(tx: Writer, memory: Entity, keys: Sequence[Identity], now: UnixMs) -> list[Identity]:
    """Let other keys find a memory again, as far as nothing else has them; those that do."""
    free = [key for key in keys if is_free(tx, key)]
    for key in free:
        store.add_alias(tx, key, memory.row_id, memory.id, now)
    return free


def drop_keys(
    tx: Writer, rows: Rows, memory: Entity, keys: Sequence[Identity], reason: str, now: UnixMs
) -> list[Identity]:
    """Take other keys off a memory, as far as it has them; those it had."""
    held = [key for key in keys if is_held(tx, memory, key)]
    for key in held:
        rows.drop_alias(tx, key, now, forgotten=reason)
    return held


def is_free(reader: Reader, key: Identity) -> bool:
    """Whether no memory, live or forgotten, has a key."""
    return store.by_identity(reader, key) is None and store.resolve_alias(reader, key) is None


def is_held(reader: Reader, memory: Entity, key: Identity) -> bool:
    """Whether a key is another one of a memory."""
    held = store.resolve_alias(reader, key)
    return held is not None and held.id == memory.id


def relink(tx: Writer, memory: Entity, before: Link | None, after: Link | None) -> None:
    """Make a link from a memory what it was before, to the last digit; `None` is no link."""
    if after is not None:
        for link_id, link in links.between(tx, memory.row_id, after.target_id).items():
            if link == after:
                links.delete(tx, link_id)
    if before is not None:
        links.insert(tx, [(memory.row_id, before)])
    store.append_change(tx, memory.row_id, memory.id, "link")


def _successor(reader: Reader, earlier: Entity) -> Entity | None:
    """The memory that had taken the place of a version, which its links tell."""
    ids = [link.target_id for link in earlier.links if link.relationship == SUPERSEDED_BY]
    if earlier.status != SUPERSEDED_STATUS or not ids:
        return None
    return store.by_id(reader, ids[-1])


def _unlink(tx: Writer, stored: Entity) -> None:
    """Take out the links by which one memory took the place of another."""
    successor = store.by_id(tx, stored.superseded_by)
    for link_id, link in links.between(tx, stored.row_id, stored.superseded_by).items():
        if link.relationship == SUPERSEDED_BY:
            links.delete(tx, link_id)
    if successor is not None:
        for link_id, link in links.between(tx, successor.row_id, stored.id).items():
            if link.relationship == SUPERSEDES:
                links.delete(tx, link_id)
        store.append_change(tx, successor.row_id, successor.id, "link")
