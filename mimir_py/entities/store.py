"""The tables of memories, their versions and aliases, and the change feed.

No other module writes them. Links have their own (`links`).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from mimir_py.entities import links
from mimir_py.entities.models import (
    COLUMNS,
    Entity,
    Identity,
    Worth,
    from_row,
    links_json,
    stored_sum,
    to_columns,
)
from mimir_py.security import Trust
from mimir_py.storage.database import Reader, Writer
from mimir_py.values import UnixMs

NewRow = tuple[Any, ...]


class Alias(NamedTuple):
    """Another key of a memory: the memory, and since when it has the key."""

    memory: Entity
    given_at: UnixMs


# What `from_row` reads of the memory `e`. As a JSON number a weight would lose its last digits.
MEMORY: Final = """
    e.*, (
        SELECT json_group_array(json(link)) FROM (
            SELECT json_object(
                'target_id', l.target_id, 'relationship', l.relationship,
                'weight', printf('%!.17g', l.weight), 'note', l.note,
                'created_at_unix_ms', l.created_at_unix_ms
            ) AS link
            FROM links l WHERE l.source_row_id = e.row_id ORDER BY l.link_id
        )
    ) AS links
"""
_BY_ID: Final = f"SELECT {MEMORY} FROM entities e WHERE e.id = :id"  # noqa: S608  # our own names
# Names are looked up in the table itself, as it holds them, and the memory read by its row.
_BY_IDENTITY: Final = f"""
    SELECT {MEMORY} FROM main.entities held CROSS JOIN entities e ON e.row_id = held.row_id
    WHERE held.key = :key AND held.category = :category AND held.workspace_hash = :workspace_hash
"""  # noqa: S608  # our own names
_BY_NAME: Final = f"""
    SELECT {MEMORY} FROM main.entities held CROSS JOIN entities e ON e.row_id = held.row_id
    WHERE held.key = :key AND held.category = :category AND held.archived <= :archived
    ORDER BY e.workspace_hash
"""  # noqa: S608  # our own names
_BY_TEXT: Final = f"""
    SELECT {MEMORY} FROM main.entities held CROSS JOIN entities e ON e.row_id = held.row_id
    WHERE held.category = :category AND held.workspace_hash = :workspace_hash
      AND held.text_hash = :text_hash AND held.archived = 0
    ORDER BY held.row_id LIMIT 1
"""  # noqa: S608  # our own names
_BY_IDS: Final = f"""
    SELECT {MEMORY} FROM json_each(:ids) wanted CROSS JOIN entities e ON e.id = wanted.value
"""  # noqa: S608  # our own names
_BY_ROW_IDS: Final = f"""
    SELECT {MEMORY} FROM json_each(:row_ids) wanted CROSS JOIN entities e ON e.row_id = wanted.value
"""  # noqa: S608  # our own names
# The join keeps the candidates to one category and workspace; similarity is for the caller.
_NEAR: Final = """
    SELECT e.id, e.key, e.row_id, substr(t.body, 1, 4000) FROM entities_fts f
    JOIN entities e ON e.row_id = f.rowid JOIN entity_text t ON t.row_id = f.rowid
    WHERE entities_fts MATCH :query AND e.category = :category
      AND e.workspace_hash = :workspace_hash AND e.archived = 0
    LIMIT :limit
"""
_attributes: Final = attrgetter(*COLUMNS)
_FLAGS: Final = tuple(COLUMNS.index(name) for name in ("archived", "always_on", "verified"))
_ROW: Final = ("row_id", "id", "text_hash", "has_triggers", *COLUMNS, "body_sum")
_CHANGE: Final = ("entity_row_id", "entity_id", "kind")
_LAST_ROW_ID: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'entities'"
_DELETE: Final = "DELETE FROM main.entities WHERE row_id = :row_id"
_DELETE_VERSIONS: Final = "DELETE FROM main.entity_history WHERE id = :id"
_DELETE_VERSIONS_BY_SEQ: Final = """
    DELETE FROM main.entity_history WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
_LINKING_VERSIONS: Final = "SELECT seq, links FROM entity_history WHERE links <> '[]'"
_ALIAS: Final = f"""
    SELECT a.created_at_unix_ms AS given_at, {MEMORY} FROM main.aliases a
    CROSS JOIN entities e ON e.row_id = a.entity_row_id
    WHERE a.key = :key AND a.category = :category AND a.workspace_hash = :workspace_hash
"""  # noqa: S608  # our own names
_ALIASES_NAMED: Final = f"""
    SELECT a.created_at_unix_ms AS given_at, {MEMORY} FROM main.aliases a
    CROSS JOIN entities e ON e.row_id = a.entity_row_id
    WHERE a.key = :key AND a.category = :category ORDER BY e.workspace_hash
"""  # noqa: S608  # our own names
_ALIASES_OF: Final = """
    SELECT key, category, workspace_hash, created_at_unix_ms FROM aliases
    WHERE entity_row_id = :row_id ORDER BY created_at_unix_ms, key
"""
_DELETE_ALIAS: Final = """
    DELETE FROM main.aliases
    WHERE key = :key AND category = :category AND workspace_hash = :workspace_hash
"""
_DELETE_ALIASES_OF: Final = "DELETE FROM main.aliases WHERE entity_row_id = :row_id"
_TRIM_CHANGES: Final = "DELETE FROM main.changes WHERE seq <= :upto"

CHANGES_KEPT: Final = 100_000
_TRIM_EVERY: Final = 1_000


def by_id(reader: Reader, entity_id: str) -> Entity | None:
    row = reader.one(_BY_ID, {"id": entity_id})
    return None if row is None else from_row(row)


def by_identity(reader: Reader, identity: Identity) -> Entity | None:
    """The memory of that identity, archived or not."""
    row = reader.one(_BY_IDENTITY, _stored(reader, identity))
    return None if row is None else from_row(row)


def by_name(reader: Reader, category: str, key: str, *, archived: bool = False) -> list[Entity]:
    """Memories of that name in every workspace, the global one first; live ones unless told."""
    names = reader.stored_names("entities", {"category": category, "key": key})
    return [from_row(row) for row in reader.all(_BY_NAME, {**names, "archived": archived})]


def named(
    reader: Reader,
    category: str,
    key: str,
    workspaces: Sequence[str] | None,
    *,
    archived: bool = False,
) -> list[Entity]:
    """Memories of that name, in some workspaces (in that order) or in all (`None`).

    Only live ones, unless `archived`. Another key of a memory finds it too.
    """
    if workspaces is None:
        found = by_name(reader, category, key, archived=archived)
        found += [alias.memory for alias in aliases_named(reader, category, key)]
        return sorted(found, key=attrgetter("workspace_hash"))
    identities = [Identity(category, key, workspace) for workspace in workspaces]
    held = [by_identity(reader, i) or resolve_alias(reader, i) for i in identities]
    return [found for found in held if found is not None and (archived or not found.archived)]


def by_text(reader: Reader, identity: Identity, text_hash: bytes) -> Entity | None:
    """The oldest live memory with that text in the identity's category and workspace."""
    names = {**_identity(identity), "text_hash": text_hash}
    row = reader.one(_BY_TEXT, reader.stored_names("entities", names))
    return None if row is None else from_row(row)


def by_row_ids(reader: Reader, row_ids: Sequence[int]) -> dict[int, Entity]:
    """Memories by their rows."""
    rows = reader.all(_BY_ROW_IDS, {"row_ids": "[" + ",".join(map(str, row_ids)) + "]"})
    return {row["row_id"]: from_row(row) for row in rows}


def by_ids(reader: Reader, ids: Sequence[str]) -> dict[str, Entity]:
    rows = reader.all(_BY_IDS, {"ids": json.dumps(list(ids))})
    return {row["id"]: from_row(row) for row in rows}


def near_candidates(
    reader: Reader, identity: Identity, query: str, limit: int
) -> list[tuple[str, str, int, str]]:
    """Live memories matching an FTS5 query, as (id, key, row_id, searchable body)."""
    rows = reader.tuples(_NEAR, {**_identity(identity), "query": query, "limit": limit})
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def insert(tx: Writer, entity: Entity, text_hash: bytes) -> int:
    """Store a new memory; its row id."""
    columns = {"text_hash": text_hash, "has_triggers": _has_triggers(entity)}
    row_id = tx.insert_row("entities", {**to_columns(entity), **columns})
    append_change(tx, row_id, entity.id, "create")
    links.insert(tx, [(row_id, link) for link in entity.links])
    return row_id


def insert_many(tx: Writer, entities: Sequence[tuple[Entity, bytes]]) -> list[int]:
    """Store new memories, each with its text hash; their row ids, in order."""
    row_ids = insert_rows(tx, [to_row(entity, text_hash) for entity, text_hash in entities])
    placed = zip(row_ids, entities, strict=True)
    links.insert(tx, [(row_id, link) for row_id, (entity, _) in placed for link in entity.links])
    return row_ids


def insert_rows(tx: Writer, rows: Sequence[NewRow]) -> list[int]:
    """Store new memories, made into rows by `to_row`; their row ids, in order.

    Their links are the caller's to store.
    """
    first = (tx.value(_LAST_ROW_ID) or 0) + 1
    row_ids = list(range(first, first + len(rows)))
    numbered = list(zip(row_ids, rows, strict=True))
    tx.insert_rows("entities", _ROW, [(row_id, *row) for row_id, row in numbered])
    tx.insert_rows("changes", _CHANGE, [(row_id, row[0], "create") for row_id, row in numbered])
    return row_ids


def to_row(entity: Entity, text_hash: bytes) -> NewRow:
    """What `insert_rows` stores of a memory: much of the work, and none that needs the store."""
    # The driver looks for an adapter for each value that is a bool or bytes.
    digest = bytearray(text_hash)
    *plain, tags, body_json = _attributes(entity)
    for place in _FLAGS:
        plain[place] = int(plain[place])
    tags_json = json.dumps(tags, ensure_ascii=False) if tags else "[]"
    row = (*plain, tags_json, body_json, stored_sum(entity))
    return (entity.id, digest, _has_triggers(entity), *row)


def update(tx: Writer, entity: Entity, text_hash: bytes | None = None) -> None:
    """Overwrite a memory, usage counters included, and its text hash if the text is another.

    Its links stay.
    """
    columns = to_columns(entity)
    if text_hash is not None:
        columns |= {"text_hash": text_hash, "has_triggers": _has_triggers(entity)}
    tx.update_row("entities", entity.row_id, columns)


def insert_version(tx: Writer, history_id: str, version: Entity) -> None:
    """Keep a version that is no longer the present one."""
    columns = {**to_columns(version), "links": links_json(version.links)}
    tx.insert_row("entity_history", {**columns, "history_id": history_id})


def archive(tx: Writer, entity: Entity, reason: str, now: UnixMs) -> None:
    """Hide a memory, which is believed no longer; its text, vectors and history stay."""
    values = {
        "archived": 1,
        "archive_reason": reason,
        "last_accessed_unix_ms": now,
        "invalidated_at_unix_ms": max(now, entity.recorded_at_unix_ms + 1),
    }
    tx.update_row("entities", entity.row_id, values)
    append_change(tx, entity.row_id, entity.id, "archive")


def delete(tx: Writer, entity: Entity) -> None:
    """Delete a memory with its versions and its links, either way.

    Its text and vectors are the caller's to take out first.
    """
    tx.run(_DELETE_VERSIONS, {"id": entity.id})
    delete_row(tx, entity)


def delete_row(tx: Writer, entity: Entity) -> None:
    """Delete a memory, of which only its versions stay."""
    for row_id, entity_id in links.sources_of(tx, entity.id):
        append_change(tx, row_id, entity_id, "link")
    links.delete_to(tx, entity.id)
    tx.run(_DELETE, {"row_id": entity.row_id})
    append_change(tx, entity.row_id, entity.id, "delete")


def set_trust(tx: Writer, entity: Entity, trust: Trust) -> None:
    """Trust a memory differently; what it says stays."""
    tx.update_row("entities", entity.row_id, {"trust": int(trust)})
    append_change(tx, entity.row_id, entity.id, "update")


def delete_versions(tx: Writer, seqs: Iterable[int]) -> int:
    """Delete versions by their numbers; how many there were."""
    return tx.run(_DELETE_VERSIONS_BY_SEQ, {"seqs": json.dumps(list(seqs))})


def unlink_versions(tx: Writer, target_ids: Collection[str]) -> None:
    """Take links to some memories, and their notes, out of the versions of others."""
    for seq, written in tx.tuples(_LINKING_VERSIONS):
        stays = [link for link in json.loads(written) if link["target_id"] not in target_ids]
        if len(stays) < len(json.loads(written)):
            left = json.dumps(stays, ensure_ascii=False)
            tx.update_row("entity_history", seq, {"links": left})


def set_worth(tx: Writer, entity: Entity, worth: Worth, used: UnixMs) -> None:
    """Set what a memory is worth, and when it was used last."""
    values = {**worth._asdict(), "verified": int(worth.verified), "last_accessed_unix_ms": used}
    tx.update_row("entities", entity.row_id, values)
    append_change(tx, entity.row_id, entity.id, "score")


def set_efficacy(
    tx: Writer, entity: Entity, follow_count: int, miss_count: int, rate: float, status: str
) -> None:
    """Set how often a memory's advice was followed."""
    values = {
        "follow_count": follow_count,
        "miss_count": miss_count,
        "follow_rate": rate,
        "efficacy_status": status,
    }
    tx.update_row("entities", entity.row_id, values)


def alias(reader: Reader, identity: Identity) -> Alias | None:
    """That other key of a memory."""
    row = reader.one(_ALIAS, _stored(reader, identity))
    return None if row is None else Alias(from_row(row), row["given_at"])


def aliases_named(reader: Reader, category: str, key: str) -> list[Alias]:
    """Other keys of that name, the global workspace first."""
    names = reader.stored_names("aliases", {"category": category, "key": key})
    return [Alias(from_row(row), row["given_at"]) for row in reader.all(_ALIASES_NAMED, names)]


def resolve_alias(reader: Reader, identity: Identity) -> Entity | None:
    """The memory whose text is what this key was given."""
    found = alias(reader, identity)
    return None if found is None else found.memory


def add_alias(tx: Writer, identity: Identity, row_id: int, entity_id: str, now: UnixMs) -> None:
    """Give a memory another key, unless that is a memory's other key already."""
    if resolve_alias(tx, identity) is None:
        values = {"entity_row_id": row_id, "created_at_unix_ms": now}
        tx.insert_row("aliases", {**_identity(identity), **values})
        append_change(tx, row_id, entity_id, "alias")


def aliases_of(reader: Reader, row_id: int) -> list[tuple[Identity, UnixMs]]:
    """Other keys of a memory with the time each was given, oldest first."""
    rows = reader.all(_ALIASES_OF, {"row_id": row_id})
    return [
        (Identity(row["category"], row["key"], row["workspace_hash"]), row["created_at_unix_ms"])
        for row in rows
    ]


def delete_alias(tx: Writer, identity: Identity) -> bool:
    return tx.run(_DELETE_ALIAS, _stored(tx, identity)) > 0


def delete_aliases_of(tx: Writer, row_id: int) -> None:
    tx.run(_DELETE_ALIASES_OF, {"row_id": row_id})


def append_change(tx: Writer, row_id: int, entity_id: str, kind: str) -> None:
    """Tell other processes, and derived data, that a memory's content changed."""
    values = {"entity_row_id": row_id, "entity_id": entity_id, "kind": kind}
    seq = tx.insert_row("changes", values)
    if seq % _TRIM_EVERY == 0:
        tx.run(_TRIM_CHANGES, {"upto": seq - CHANGES_KEPT})


def _has_triggers(entity: Entity) -> int:
    """Whether the body may say when to bring the memory up; whoever asks reads it."""
    return int('"recall_when"' in entity.body_json)


def _stored(reader: Reader, identity: Identity) -> Mapping[str, Any]:
    return reader.stored_names("entities", _identity(identity))


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "key": identity.key,
        "category": identity.category,
        "workspace_hash": identity.workspace_hash,
    }
