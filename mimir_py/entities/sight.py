"""Which of a memory's pointers to other memories may be shown: those to what may be seen."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mimir_py.entities.models import Entity
from mimir_py.storage.database import Reader

_SEEN: Final = """
    SELECT e.id, e.archived FROM json_each(:ids) wanted
    CROSS JOIN main.entities e ON e.id = wanted.value
    WHERE :workspaces IS NULL OR e.workspace_hash IN (SELECT value FROM json_each(:workspaces))
"""


def seen(reader: Reader, ids: Sequence[str], workspaces: Sequence[str] | None) -> dict[str, bool]:
    """Of the ids, those of memories of some workspaces (`None`: any), and whether they are live."""
    listed = None
    if workspaces is not None:
        words = [reader.stored_names("entities", {"workspace_hash": w}) for w in workspaces]
        listed = json.dumps([stored["workspace_hash"] for stored in words])
    values = {"ids": json.dumps(list(ids)), "workspaces": listed}
    return {id: not archived for id, archived in reader.tuples(_SEEN, values)}


def within_sight(
    reader: Reader, memories: Sequence[Entity], workspaces: Sequence[str] | None
) -> list[Entity]:
    """The memories with those links alone that lead to live ones of the same workspaces.

    Nor do they tell by what they were superseded if that may not be seen.
    """
    ids = {link.target_id for memory in memories for link in memory.links}
    ids |= {memory.superseded_by for memory in memories if memory.superseded_by}
    if not ids:
        return list(memories)
    is_live = seen(reader, sorted(ids), workspaces)
    return [
        replace(
            memory,
            links=tuple(link for link in memory.links if is_live.get(link.target_id)),
            superseded_by=memory.superseded_by if memory.superseded_by in is_live else "",
        )
        for memory in memories
    ]
