"""The table `documents`; the only one to write it."""

from dataclasses import dataclass
from typing import Final

from mimir_py.storage.database import Reader, Writer

_OF_MEMORY: Final = """
    SELECT row_id, path, content_hash, parts FROM documents WHERE entity_row_id = :entity_row_id
"""
_LIVE: Final = """
    SELECT d.path, e.category, e.key, e.workspace_hash
    FROM documents d JOIN entities e ON e.row_id = d.entity_row_id
    WHERE e.archived = 0 AND d.parts > 0
    ORDER BY d.row_id
"""


@dataclass(frozen=True)
class Origin:
    """Which file a memory was read from, and what was in it.

    `parts` is how many memories its text takes; 0 in those that are not the first.
    """

    path: str
    content_hash: str
    parts: int


def origin(reader: Reader, entity_row_id: int) -> Origin | None:
    """Where a memory was read from; `None` if from no file."""
    row = reader.one(_OF_MEMORY, {"entity_row_id": entity_row_id})
    return None if row is None else Origin(row["path"], row["content_hash"], row["parts"])


def put(tx: Writer, entity_row_id: int, origin: Origin) -> None:
    """Note where a memory was read from."""
    row = tx.one(_OF_MEMORY, {"entity_row_id": entity_row_id})
    if row is None:
        tx.insert_row("documents", {"entity_row_id": entity_row_id, **vars(origin)})
    else:
        tx.update_row("documents", row["row_id"], vars(origin))


def live(reader: Reader) -> list[tuple[str, str, str, str]]:
    """All files that have memories: (path, category, key, workspace)."""
    return [(row[0], row[1], row[2], row[3]) for row in reader.tuples(_LIVE)]
