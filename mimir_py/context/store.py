"""Queries of the room; the memories are those of `entities`."""

from collections.abc import Sequence
from typing import Final

from mimir_py.security.trust import LEAST_UNASKED
from mimir_py.storage.database import Reader

_WITH_TRIGGERS: Final = """
    SELECT e.row_id, e.workspace_hash, e.body_json
    FROM main.entities held CROSS JOIN entities e ON e.row_id = held.row_id
    WHERE held.has_triggers = 1 AND held.archived = 0 AND held.trust >= :trust
    ORDER BY held.row_id DESC LIMIT :most
"""
_MOST: Final = 20_000


def with_triggers(reader: Reader, workspaces: Sequence[str] | None) -> list[tuple[int, str]]:
    """Live memories that say when to be brought up and may come unasked, the latest first.

    Each as (row id, body).
    """
    rows = reader.tuples(_WITH_TRIGGERS, {"trust": int(LEAST_UNASKED), "most": _MOST})
    return [
        (row_id, body_json)
        for row_id, workspace, body_json in rows
        if workspaces is None or workspace in workspaces
    ]
