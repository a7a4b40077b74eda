"""Reads which memories there are to compare."""

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
