"""Reading memories out in the order they were stored, and putting many back at once."""

import json
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from mimir_py.entities.models import Entity, Identity, from_row, sound
from mimir_py.entities.store import MEMORY
from mimir_py.storage.database import Reader, Row
from mimir_py.values import UnixMs

# Kinds of changes that show in no other memory's note.
_UNSHOWN: Final = frozenset({"link", "score", "layer", "alias"})
_PURGED: Final = "delete"
_SLICE: Final = f"""
    SELECT {MEMORY} FROM entities e WHERE e.row_id > :after ORDER BY e.row_id LIMIT :limit
"""  # noqa: S608  # our own names
_IDS: Final = (
    "SELECT row_id, id FROM main.entities WHERE row_id > :after ORDER BY row_id LIMIT :limit"
)
_LIVE: Final = f"""
    SELECT {MEMORY} FROM entities e WHERE e.row_id > :after AND e.archived = 0
    ORDER BY e.row_id LIMIT :limit
"""  # noqa: S608  # our own names
_OF_IDS: Final = f"""
    SELECT {MEMORY} FROM json_each(:ids) wanted CROSS JOIN entities e ON e.id = wanted.value
    WHERE e.archived = 0 ORDER BY e.row_id
"""  # noqa: S608  # our own names
_LIVE_NAMES: Final = "SELECT id, workspace_hash FROM entities WHERE archived = 0"
_KEYS: Final = """
    SELECT e.id, e.key, e.workspace_hash FROM json_each(:ids) wanted
    CROSS JOIN entities e ON e.id = wanted.value WHERE e.archived = 0
"""
_LIVE_KEYS: Final = """
    SELECT category, workspace_hash, key, id FROM entities WHERE archived = 0
"""
_LINKING: Final = """
    SELECT DISTINCT e.id FROM json_each(:ids) wanted
    CROSS JOIN main.links l ON l.target_id = wanted.value
    JOIN main.entities e ON e.row_id = l.source_row_id
    WHERE e.archived = 0
"""
_HEADS: Final = """
    SELECT coalesce((SELECT max(seq) FROM main.changes), 0),
        coalesce((SELECT max(seq) FROM main.journal), 0)
"""
_CHANGE_AT: Final = "SELECT entity_id FROM main.changes WHERE seq = :seq"
_CHANGES: Final = """
    SELECT DISTINCT entity_id, kind FROM main.changes WHERE seq > :after AND kind <> 'embed'
"""
_LAST_ROWS: Final = """
    SELECT coalesce((SELECT max(row_id) FROM main.entities), 0),
        coalesce((SELECT max(seq) FROM main.entity_history), 0)
"""
_COUNT: Final = "SELECT count(*) FROM entities"
_HISTORY: Final = """
    SELECT h.* FROM json_each(:ids) wanted CROSS JOIN entity_history h ON h.id = wanted.value
    ORDER BY h.id, h.invalidated_at_unix_ms, h.recorded_at_unix_ms, h.history_id
"""
_VERSION_IDS: Final = """
    SELECT history_id FROM main.entity_history WHERE id = :id
    ORDER BY invalidated_at_unix_ms, recorded_at_unix_ms, history_id
"""
_VERSION: Final = """
    SELECT h.* FROM main.entity_history held CROSS JOIN entity_history h ON h.seq = held.seq
    WHERE held.history_id = :history_id
"""
_ALIASES: Final = """
    SELECT a.* FROM json_each(:row_ids) wanted
    CROSS JOIN aliases a ON a.entity_row_id = wanted.value
    ORDER BY a.entity_row_id, a.created_at_unix_ms, a.key, a.category, a.workspace_hash
"""
_BY_IDENTITIES: Final = """
    SELECT wanted.key, e.id FROM json_each(:identities) wanted
    CROSS JOIN main.entities e ON e.key = wanted.value ->> 0 AND e.category = wanted.value ->> 1
        AND e.workspace_hash = wanted.value ->> 2
    UNION ALL
    SELECT wanted.key, e.id FROM json_each(:identities) wanted
    CROSS JOIN main.aliases a ON a.key = wanted.value ->> 0 AND a.category = wanted.value ->> 1
        AND a.workspace_hash = wanted.value ->> 2
    JOIN main.entities e ON e.row_id = a.entity_row_id
"""
_TEXTS: Final = """
    SELECT e.id, e.body_json FROM json_each(:ids) wanted
    CROSS JOIN entities e ON e.id = wanted.value
"""
_VERSION_TEXTS: Final = """
    SELECT h.history_id, h.body_json FROM json_each(:ids) wanted
    CROSS JOIN entity_history h ON h.history_id = wanted.value
"""
_HISTORY_IDS: Final = """
    SELECT h.history_id FROM json_each(:ids) wanted
    CROSS JOIN entity_history h ON h.history_id = wanted.value
"""


class LiveKey(NamedTuple):
    """What a live memory is called."""

    category: str
    workspace_hash: str
    key: str
    id: str


class Changes(NamedTuple):
    """What became of memories since an earlier look.

    `position`, `mark` and `entry` say where that look ends, in the change feed and the journal.
    `changed` has the ids, and whether notes that link there may differ; `None` means all of them.
    """

    position: int
    mark: str
    entry: int
    changed: dict[str, bool] | None
    is_purged: bool


def slice_after(reader: Reader, after: int, limit: int) -> list[Entity]:
    """Memories in the order of their rows.

    Raises:
        DamagedStore: the text of one changed on the disk.
    """
    return [sound(from_row(row)) for row in reader.all(_SLICE, {"after": after, "limit": limit})]


def ids_after(reader: Reader, after: int, limit: int) -> list[tuple[int, str]]:
    """The (row, id) of memories in the order of their rows, whatever state they are in."""
    found = reader.tuples(_IDS, {"after": after, "limit": limit})
    return [(row_id, entity_id) for row_id, entity_id in found]


def live_after(reader: Reader, after: int, limit: int) -> list[Row]:
    """Rows of live memories in their order, for `from_row`."""
    return list(reader.all(_LIVE, {"after": after, "limit": limit}))


def rows_of(reader: Reader, ids: Sequence[str]) -> list[Row]:
    """Rows of those of the memories that are live, for `from_row`."""
    return list(reader.all(_OF_IDS, {"ids": json.dumps(list(ids))}))


def live_names(reader: Reader) -> list[tuple[str, str]]:
    """The (id, workspace) of every live memory."""
    return [(entity_id, workspace) for entity_id, workspace in reader.tuples(_LIVE_NAMES)]


def live_keys(reader: Reader, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The (key, workspace) of those of the memories that are live, by id."""
    rows = reader.tuples(_KEYS, {"ids": json.dumps(list(ids))})
    return {entity_id: (key, workspace) for entity_id, key, workspace in rows}


def live_by_category(reader: Reader) -> list[LiveKey]:
    """The names of all live memories."""
    return [LiveKey(*row) for row in reader.tuples(_LIVE_KEYS)]


def linking(reader: Reader, ids: Collection[str]) -> set[str]:
    """The live memories that link to one of these."""
    rows = reader.tuples(_LINKING, {"ids": json.dumps(list(ids))})
    return {entity_id for (entity_id,) in rows}


def heads(reader: Reader) -> tuple[int, int]:
    """The newest entry of the change feed, and that of the journal."""
    [(change, entry)] = reader.tuples(_HEADS)
    return change, entry


def changes_since(reader: Reader, position: int, mark: str) -> Changes:
    """What became of memories since an entry of the feed, which was about the memory `mark`."""
    last, entry = heads(reader)
    now = reader.value(_CHANGE_AT, {"seq": last}) or ""
    if position != last or mark != now:
        at = reader.tuples(_CHANGE_AT, {"seq": position})
        if at != [(mark,)]:
            # The first look, or the feed no longer goes back so far, or it is another one.
            return Changes(last, now, entry, None, is_purged=True)
    found = reader.tuples(_CHANGES, {"after": position})
    changed: dict[str, bool] = {}
    for entity_id, kind in found:
        changed[entity_id] = changed.get(entity_id, False) or kind not in _UNSHOWN
    return Changes(last, now, entry, changed, is_purged=any(kind == _PURGED for _, kind in found))


def last_rows(reader: Reader) -> tuple[int, int]:
    """The last row of memories, and that of versions."""
    [(memory, version)] = reader.tuples(_LAST_ROWS)
    return memory, version


def count(reader: Reader) -> int:
    number: int = reader.value(_COUNT)
    return number


def history_of(reader: Reader, ids: Sequence[str]) -> dict[str, list[tuple[str, Entity]]]:
    """Versions as (history id, version), oldest first, by memory id."""
    found: dict[str, list[tuple[str, Entity]]] = {}
    for row in reader.all(_HISTORY, {"ids": json.dumps(list(ids))}):
        found.setdefault(row["id"], []).append((row["history_id"], sound(from_row(row))))
    return found


def texts_of(reader: Reader, ids: Sequence[str]) -> dict[str, str]:
    """What memories say, by their ids, whatever state they are in."""
    return dict(reader.tuples(_TEXTS, {"ids": json.dumps(list(ids))}))


def version_ids(reader: Reader, id: str) -> list[str]:
    """The history ids of a memory's versions, oldest first, whatever state they are in."""
    return [history_id for (history_id,) in reader.tuples(_VERSION_IDS, {"id": id})]


def version_by_id(reader: Reader, history_id: str) -> Entity:
    """One version.

    Raises:
        DamagedStore: its text changed on the disk.
    """
    [row] = reader.all(_VERSION, {"history_id": history_id})
    return sound(from_row(row))


def aliases_of(reader: Reader, row_ids: Sequence[int]) -> dict[int, list[tuple[Identity, UnixMs]]]:
    """Other keys with the time each was given, by row."""
    found: dict[int, list[tuple[Identity, UnixMs]]] = {}
    for row in reader.all(_ALIASES, {"row_ids": json.dumps(list(row_ids))}):
        identity = Identity(row["category"], row["key"], row["workspace_hash"])
        found.setdefault(row["entity_row_id"], []).append((identity, row["created_at_unix_ms"]))
    return found


def ids_by_identity(reader: Reader, identities: Sequence[Identity]) -> dict[Identity, str]:
    """Which memory holds each identity, as its own or as another key."""
    names = [reader.stored_names("entities", vars(identity)) for identity in identities]
    wanted = json.dumps([[n["key"], n["category"], n["workspace_hash"]] for n in names])
    rows = reader.tuples(_BY_IDENTITIES, {"identities": wanted})
    return {identities[place]: entity_id for place, entity_id in rows}


def known_versions(reader: Reader, history_ids: Sequence[str]) -> set[str]:
    """Those of the history ids that are stored."""
    rows = reader.tuples(_HISTORY_IDS, {"ids": json.dumps(list(history_ids))})
    return {history_id for (history_id,) in rows}


def versions_by_id(reader: Reader, history_ids: Sequence[str]) -> dict[str, str]:
    """What stored versions say, by their own ids."""
    return dict(reader.tuples(_VERSION_TEXTS, {"ids": json.dumps(list(history_ids))}))
