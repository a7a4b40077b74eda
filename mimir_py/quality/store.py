"""Reads which memories there are to compare, and which came in at once."""

import json
from collections.abc import Sequence
from typing import Any, Final

from mimir_py.entities.versioning import SUPERSEDED_STATUS
from mimir_py.storage.database import Reader

# By names as the table holds them: no row need be opened.
_IN_FORCE: Final = """
    SELECT row_id, workspace_hash FROM main.entities
    WHERE category = :category AND archived = 0 AND superseded_by = '' AND status <> :status
      AND (:workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces)))
    ORDER BY row_id DESC
"""

_STORED: Final = """
    SELECT id FROM main.entities WHERE row_id BETWEEN :first AND :last ORDER BY row_id
"""
_REPLACED: Final = """
    SELECT id, history_id FROM main.entity_history WHERE seq BETWEEN :first AND :last ORDER BY seq
"""


def stored_in(reader: Reader, first: int, last: int) -> list[str]:
    """The ids of the memories in some rows."""
    return [id for (id,) in reader.tuples(_STORED, {"first": first, "last": last})]


def replaced_in(reader: Reader, first: int, last: int) -> list[tuple[str, str]]:
    """The versions in some rows, as (id of the memory, history id)."""
    found = reader.tuples(_REPLACED, {"first": first, "last": last})
    return [(id, history_id) for id, history_id in found]


def in_force(
    reader: Reader, category: str, workspaces: Sequence[str] | None
) -> list[tuple[int, str]]:
    """The live memories of a category that nothing took the place of, newest first.

    As (row, a word that is the same for all of one workspace).
    """

    def stored(column: str, word: str) -> Any:
        return reader.stored_names("entities", {column: word})[column]

    listed = None
    if workspaces is not None:
        listed = json.dumps([stored("workspace_hash", word) for word in workspaces])
    values = {
        "category": stored("category", category),
        "status": stored("status", SUPERSEDED_STATUS),
        "workspaces": listed,
    }
    return [(row_id, workspace) for row_id, workspace in reader.tuples(_IN_FORCE, values)]
