"""Reads which files there are."""

from typing import Final

from mimir_py.storage.database import Reader

_PATHS: Final = """
    SELECT e.key FROM main.entities held CROSS JOIN entities e ON e.row_id = held.row_id
    WHERE held.category = :category AND held.workspace_hash = :workspace_hash AND held.archived = 0
"""
_VERSION: Final = """
    SELECT body_json, archived FROM entity_history WHERE history_id = :history_id
"""


def paths(reader: Reader, category: str, workspace: str) -> list[str]:
    """The paths of all files of a workspace, sorted."""
    names = {"category": category, "workspace_hash": workspace}
    return sorted(path for (path,) in reader.tuples(_PATHS, reader.stored_names("entities", names)))


def version_body(reader: Reader, history_id: str) -> str | None:
    """What a version said, unless it was forgotten or is gone."""
    row = reader.one(_VERSION, {"history_id": history_id})
    return None if row is None or row["archived"] else str(row["body_json"])
