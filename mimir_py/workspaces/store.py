"""What workspaces and categories there are; reads `entities`."""

from typing import Any, Final

from mimir_py.storage.database import Reader

_CATEGORIES: Final = """
    SELECT category, workspace_hash, count(*) AS memories FROM entities
    WHERE archived = 0 GROUP BY category, workspace_hash ORDER BY category
"""


def counts(reader: Reader) -> list[tuple[str, str, int]]:
    """Live memories as (category, workspace, count)."""
    rows: list[tuple[Any, ...]] = reader.tuples(_CATEGORIES)
    return [(category, workspace, count) for category, workspace, count in rows]
