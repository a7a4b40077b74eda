"""Links between live memories, from either end, and the table `communities`.

Links and memories are read here, and written by `entities`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mimir_py.entities import Link
from mimir_py.entities.models import is_stored
from mimir_py.graph.models import Direction, Edge, Node, Telling, View
from mimir_py.storage.database import Reader, Row, Writer
from mimir_py.values import UnixMs

# Filters read the tables themselves, by names as those hold them: no row need be opened.
_MAY_SEE: Final = """
    AND s.archived = 0 AND t.archived = 0
    AND (:workspaces IS NULL OR (
        s.workspace_hash IN (SELECT value FROM json_each(:workspaces))
        AND t.workspace_hash IN (SELECT value FROM json_each(:workspaces))
    ))
    AND (:relationships IS NULL
        OR l.relationship IN (SELECT value FROM json_each(:relationships)))
"""
# CROSS JOIN fixes the order of the loops: from the rows over an index to the other end.
_EDGES_OUT: Final = f"""
    SELECT l.link_id, l.source_row_id, t.row_id, l.weight FROM json_each(:row_ids) wanted
    CROSS JOIN main.entities s ON s.row_id = wanted.value
    CROSS JOIN main.links l ON l.source_row_id = s.row_id
    CROSS JOIN main.entities t ON t.id = l.target_id
    WHERE 1 {_MAY_SEE} LIMIT :most
"""  # noqa: S608  # our own clause
_EDGES_IN: Final = f"""
    SELECT l.link_id, t.row_id, l.source_row_id, l.weight FROM json_each(:row_ids) wanted
    CROSS JOIN main.entities t ON t.row_id = wanted.value
    CROSS JOIN main.links l ON l.target_id = t.id
    CROSS JOIN main.entities s ON s.row_id = l.source_row_id
    WHERE 1 {_MAY_SEE} LIMIT :most
"""  # noqa: S608  # our own clause
_LINKS: Final = """
    SELECT l.link_id, l.target_id, l.relationship, l.weight, l.note, l.created_at_unix_ms
    FROM json_each(:link_ids) wanted CROSS JOIN links l ON l.link_id = wanted.value
"""
# Here links are read with their words, so `relationships` are words too.
_ENDS: Final = f"""
    SELECT l.source_row_id, l.target_id, l.relationship FROM json_each(:row_ids) wanted
    CROSS JOIN main.entities s ON s.row_id = wanted.value
    CROSS JOIN links l ON l.source_row_id = s.row_id
    CROSS JOIN main.entities t ON t.id = l.target_id
    WHERE 1 {_MAY_SEE} ORDER BY l.link_id LIMIT :most
"""  # noqa: S608  # our own clause
_LIVE: Final = """
    SELECT count(*) FROM main.entities WHERE archived = 0
      AND workspace_hash = :workspace_hash AND category <> :category
"""
_LINK_SLICE: Final = """
    SELECT l.link_id, s.id, t.id, l.weight FROM main.links l
    CROSS JOIN main.entities s ON s.row_id = l.source_row_id
    CROSS JOIN main.entities t ON t.id = l.target_id
    WHERE l.link_id > :after AND l.link_id <= :last AND s.archived = 0 AND t.archived = 0
      AND s.workspace_hash = :workspace_hash AND t.workspace_hash = :workspace_hash
      AND s.category <> :category AND t.category <> :category
"""
_LAST_LINK: Final = "SELECT coalesce(max(link_id), 0) FROM main.links"
_LAST_CHANGE: Final = "SELECT coalesce(max(seq), 0) FROM main.changes"
_FIRST_CHANGE: Final = "SELECT coalesce(min(seq), 0) FROM main.changes"
# Whether anything that has to do with links has changed: links, or memories that have some.
_CHANGED: Final = """
    SELECT EXISTS (
        SELECT 1 FROM main.changes c LEFT JOIN main.entities e ON e.row_id = c.entity_row_id
        WHERE c.seq > :seen AND c.kind <> 'embed' AND (
            e.row_id IS NULL OR (
                e.workspace_hash = :workspace_hash AND (
                    c.kind = 'link'
                    OR EXISTS (SELECT 1 FROM main.links l WHERE l.source_row_id = e.row_id)
                    OR EXISTS (SELECT 1 FROM main.links l WHERE l.target_id = e.id)
                )
            )
        )
    )
"""
_FACTS: Final = """
    SELECT e.id, e.retrieval_count, e.recorded_at_unix_ms, e.archived
    FROM json_each(:ids) wanted CROSS JOIN main.entities e ON e.id = wanted.value
"""
_NODES: Final = """
    SELECT e.row_id, e.id, e.category, e.key, e.workspace_hash, e.body_json, e.body_sum
    FROM json_each(:row_ids) wanted CROSS JOIN entities e ON e.row_id = wanted.value
"""
_TELLING: Final = """
    SELECT e.id, e.category, e.key, e.tags, e.body_json, e.body_sum
    FROM json_each(:ids) wanted CROSS JOIN entities e ON e.id = wanted.value
"""
# Each link counts at both ends; one without a weight counts as usual, one to itself not at all.
_DEGREES: Final = """
    WITH inside AS (
        SELECT s.id AS source, l.target_id AS target,
            CASE WHEN l.weight > 0 THEN l.weight ELSE 0.5 END AS weight
        FROM json_each(:ids) wanted
        CROSS JOIN main.entities s ON s.id = wanted.value
        CROSS JOIN main.links l ON l.source_row_id = s.row_id
        WHERE l.target_id <> s.id AND l.target_id IN (SELECT value FROM json_each(:ids))
    )
    SELECT id, sum(weight) FROM (
        SELECT source AS id, weight FROM inside UNION ALL SELECT target, weight FROM inside
    ) GROUP BY id
"""
_COMMUNITIES: Final = """
    SELECT c.* FROM main.communities held CROSS JOIN communities c ON c.row_id = held.row_id
    WHERE held.workspace_hash = :workspace_hash ORDER BY c.member_count DESC, c.row_id
"""
_COMMUNITY: Final = "SELECT * FROM communities WHERE id = :id"
_DELETE_COMMUNITIES: Final = """
    DELETE FROM main.communities WHERE workspace_hash = :workspace_hash
"""
_COUNT_COMMUNITIES: Final = "SELECT count(*) FROM main.communities"
_MODULARITY: Final = """
    SELECT modularity FROM main.communities ORDER BY generated_at_unix_ms DESC, row_id DESC LIMIT 1
"""
_COLUMNS: Final = tuple(
    """
    id workspace_hash member_ids member_digest summary summary_entity_id algorithm modularity
    member_count generated_at_unix_ms seen_change
    """.split()
)

SUMMARY_CATEGORY: Final = "community_summary"
# In place of a body that changed on the disk.
_NOTHING: Final = '""'


@dataclass(frozen=True)
class Community:
    """A community as stored. `member_ids` ascend; `seen_change` is an entry of the change feed."""

    id: str
    workspace_hash: str
    member_ids: tuple[str, ...]
    member_digest: str
    summary: str
    summary_entity_id: str
    algorithm: str
    modularity: float
    member_count: int
    generated_at_unix_ms: UnixMs
    seen_change: int
    row_id: int = 0


def edges(reader: Reader, row_ids: Sequence[int], view: View, most: int) -> tuple[list[Edge], bool]:
    """Up to `most` links, each way, between some memories and those next to them; is that all?"""
    values = {**_seen(reader, view), "row_ids": json.dumps(list(row_ids)), "most": most}
    found: list[Edge] = []
    is_whole = True
    for direction, statement in ((Direction.OUT, _EDGES_OUT), (Direction.IN, _EDGES_IN)):
        if view.direction in (direction, Direction.BOTH):
            rows = reader.tuples(statement, values)
            forward = direction is Direction.OUT
            found += [Edge(n, near, far, w, forward) for n, near, far, w in rows]
            is_whole = is_whole and len(rows) < most
    return found, is_whole


def links(reader: Reader, link_ids: Sequence[int]) -> dict[int, Link]:
    """Links with their words, by their keys."""
    rows = reader.tuples(_LINKS, {"link_ids": json.dumps(list(link_ids))})
    return {link_id: Link(*rest) for link_id, *rest in rows}


def ends(
    reader: Reader, row_ids: Sequence[int], view: View, most: int
) -> dict[int, list[tuple[str, str]]]:
    """Where the links from some memories lead, as (target id, relationship), of up to `most`."""
    words = None if view.relationships is None else json.dumps(list(view.relationships))
    values = {**_seen(reader, view), "relationships": words}
    values |= {"row_ids": json.dumps(list(row_ids)), "most": most}
    found: dict[int, list[tuple[str, str]]] = {}
    for row_id, target_id, relationship in reader.tuples(_ENDS, values):
        found.setdefault(row_id, []).append((target_id, relationship))
    return found


def _seen(reader: Reader, view: View) -> dict[str, Any]:
    return {
        "workspaces": _names(reader, "entities", "workspace_hash", view.workspaces),
        "relationships": _names(reader, "links", "relationship", view.relationships),
    }


def _names(reader: Reader, table: str, column: str, words: Sequence[str] | None) -> str | None:
    if words is None:
        return None
    return json.dumps([reader.stored_names(table, {column: word})[column] for word in words])


def count_live(reader: Reader, workspace: str) -> int:
    """Live memories of a workspace, summaries of communities left out."""
    count: int = reader.value(_LIVE, _in_workspace(reader, workspace))
    return count


def link_slice(
    reader: Reader, workspace: str, after: int, last: int
) -> list[tuple[str, str, float]]:
    """Links within a workspace, by key, as (source id, target id, weight)."""
    values = {**_in_workspace(reader, workspace), "after": after, "last": last}
    return [(source, target, w) for _, source, target, w in reader.tuples(_LINK_SLICE, values)]


def last_link(reader: Reader) -> int:
    key: int = reader.value(_LAST_LINK)
    return key


def last_change(reader: Reader) -> int:
    seq: int = reader.value(_LAST_CHANGE)
    return seq


def has_changed(reader: Reader, workspace: str, seen: int) -> bool:
    """Whether links of a workspace, or memories they lead to, changed after that feed entry."""
    if reader.value(_FIRST_CHANGE) > seen + 1:
        return True
    values = {**_in_workspace(reader, workspace), "seen": seen}
    return bool(reader.value(_CHANGED, values))


def facts(reader: Reader, ids: Sequence[str]) -> dict[str, tuple[int, UnixMs, bool]]:
    """How often memories were used, since when they say what they say, and if they are archived."""
    rows = reader.tuples(_FACTS, {"ids": json.dumps(list(ids))})
    return {
        entity_id: (count, recorded, bool(archived))
        for entity_id, count, recorded, archived in rows
    }


def nodes(reader: Reader, row_ids: Sequence[int]) -> dict[int, Node]:
    """What a walk tells of memories, by row. Reading each whole takes several times as long."""
    rows = reader.tuples(_NODES, {"row_ids": json.dumps(list(row_ids))})
    found = {}
    for row_id, entity_id, category, key, workspace, body, stored in rows:
        is_sound = is_stored(body, stored)
        told = body if is_sound else _NOTHING
        found[row_id] = Node(row_id, entity_id, category, key, workspace, told, is_sound)
    return found


def telling(reader: Reader, ids: Sequence[str]) -> dict[str, Telling]:
    """What a summary tells of memories, by id. Reading each whole takes several times as long."""
    rows = reader.tuples(_TELLING, {"ids": json.dumps(list(ids))})
    return {
        entity_id: Telling(
            category, key, tuple(json.loads(tags)), body if is_stored(body, stored) else _NOTHING
        )
        for entity_id, category, key, tags, body, stored in rows
    }


def degrees(reader: Reader, ids: Sequence[str]) -> dict[str, float]:
    """What the links between some memories weigh together, by memory."""
    return dict(reader.tuples(_DEGREES, {"ids": json.dumps(list(ids))}))


def communities(reader: Reader, workspace: str) -> list[Community]:
    """The communities of a workspace, the largest first."""
    names = reader.stored_names("communities", {"workspace_hash": workspace})
    return [_community(row) for row in reader.all(_COMMUNITIES, names)]


def community(reader: Reader, community_id: str) -> Community | None:
    row = reader.one(_COMMUNITY, {"id": community_id})
    return None if row is None else _community(row)


def replace_communities(tx: Writer, workspace: str, found: Sequence[Community]) -> None:
    """Make these the communities of a workspace."""
    tx.run(_DELETE_COMMUNITIES, tx.stored_names("communities", {"workspace_hash": workspace}))
    rows = [
        tuple(
            json.dumps(value) if name == "member_ids" else value
            for name in _COLUMNS
            for value in (getattr(one, name),)
        )
        for one in found
    ]
    tx.insert_rows("communities", _COLUMNS, rows)


def update_community(
    tx: Writer, row_id: int, *, summary: str, member_digest: str, summary_entity_id: str
) -> None:
    """Keep a new summary of a community, and the memory that holds it."""
    values = {
        "summary": summary,
        "member_digest": member_digest,
        "summary_entity_id": summary_entity_id,
    }
    tx.update_row("communities", row_id, values)


def count_communities(reader: Reader) -> tuple[int, float | None]:
    """How many communities there are, and the modularity of the latest search for some."""
    return reader.value(_COUNT_COMMUNITIES), reader.value(_MODULARITY)


def _community(row: Row) -> Community:
    values = {name: row[name] for name in (*_COLUMNS, "row_id")}
    return Community(**{**values, "member_ids": tuple(json.loads(values["member_ids"]))})


def _in_workspace(reader: Reader, workspace: str) -> dict[str, Any]:
    names = {"workspace_hash": workspace, "category": SUMMARY_CATEGORY}
    return dict(reader.stored_names("entities", names))
