"""Reads which memories there are to compare."""

from collections.abc import Sequence
from typing import Final

from mimir_py.entities.versioning import SUPERSEDED_STATUS
from mimir_py.recall.store import json_array
from mimir_py.storage.database import Reader

_IN_FORCE: Final = """
    SELECT held.row_id FROM main.entities held CROSS JOIN entities e ON e.row_id = held.row_id
    WHERE held.category = :category AND held.archived = 0 AND held.superseded_by = ''
      AND e.status <> :superseded
      AND (:workspaces IS NULL OR e.workspace_hash IN (SELECT value FROM json_each(:workspaces)))
    ORDER BY held.row_id DESC LIMIT :limit OFFSET :offset
"""


def in_force(
    reader: Reader, category: str, workspaces: Sequence[str] | None, limit: int, offset: int
) -> list[int]:
    """Rows of the live memories of a category that nothing took the place of, newest first."""
    names = reader.stored_names("entities", {"category": category})
    listed = None if workspaces is None else json_array(workspaces)
    rows = reader.tuples(
        _IN_FORCE,
        {
            **names,
            "superseded": SUPERSEDED_STATUS,
            "workspaces": listed,
            "limit": limit,
            "offset": offset,
        },
    )
    return [row_id for (row_id,) in rows]
