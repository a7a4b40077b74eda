"""The table `links`; the only module to write it. `store.MEMORY` reads links with their memory."""

from collections.abc import Sequence
from typing import Any, Final

from mimir_py.entities.models import Link
from mimir_py.storage.database import Reader, Writer

_BETWEEN: Final = """
    SELECT l.link_id, l.relationship, l.weight, l.note, l.created_at_unix_ms FROM links l
    WHERE l.source_row_id = :source_row_id AND l.target_id = :target_id
"""
_DELETE: Final = "DELETE FROM main.links WHERE link_id = :link_id"
_DELETE_OF: Final = "DELETE FROM main.links WHERE source_row_id = :row_id"
_SOURCES_OF: Final = """
    SELECT DISTINCT e.row_id, e.id FROM main.links l
    JOIN main.entities e ON e.row_id = l.source_row_id
    WHERE l.target_id = :id
"""
_DELETE_TO: Final = "DELETE FROM main.links WHERE target_id = :id"
_ROW: Final = tuple("source_row_id target_id relationship weight note created_at_unix_ms".split())

# What the program itself calls links.
_OWN_WORDS: Final = frozenset(
    {"related", "auto-related", "evidence_for", "supersedes", "superseded_by"}
)


def told(source: str, before: Link | None, after: Link | None) -> dict[str, Any]:
    """What the journal tells of a change of a link by a source; `None` is no link.

    Nothing of one with a person's words: an entry is of the memory that the link leads from, and
    erasing the one it leads to would not take them out.
    """
    end = before or after
    assert end is not None
    said = {"source": source, "target_id": end.target_id}
    has_words = any(link is not None and link.note for link in (before, after))
    if has_words or end.relationship not in _OWN_WORDS:
        return said
    return {
        **said,
        "relationship": end.relationship,
        "before": before and before.as_json(),
        "after": after and after.as_json(),
    }


def insert(tx: Writer, links: Sequence[tuple[int, Link]]) -> None:
    """Store new links, each with the row of its source."""
    rows = [
        (row_id, link.target_id, link.relationship, link.weight, link.note, link.created_at_unix_ms)
        for row_id, link in links
    ]
    tx.insert_rows("links", _ROW, rows)


def between(reader: Reader, source_row_id: int, target_id: str) -> dict[int, Link]:
    """The links from one memory to another, by their keys."""
    rows = reader.tuples(_BETWEEN, {"source_row_id": source_row_id, "target_id": target_id})
    return {link_id: Link(target_id, *rest) for link_id, *rest in rows}


def update(tx: Writer, link_id: int, link: Link) -> None:
    """Change what a link weighs and its note."""
    tx.update_row("links", link_id, {"weight": link.weight, "note": link.note})


def delete(tx: Writer, link_id: int) -> None:
    tx.run(_DELETE, {"link_id": link_id})


def sources_of(reader: Reader, target_id: str) -> list[tuple[int, str]]:
    """The (row, id) of the memories that link to one."""
    return [
        (row_id, entity_id) for row_id, entity_id in reader.tuples(_SOURCES_OF, {"id": target_id})
    ]


def delete_to(tx: Writer, target_id: str) -> None:
    """Delete the links that lead to a memory; those from it go with its row."""
    tx.run(_DELETE_TO, {"id": target_id})


def replace(tx: Writer, row_id: int, links: Sequence[Link]) -> None:
    """Make these the links of a memory."""
    tx.run(_DELETE_OF, {"row_id": row_id})
    insert(tx, [(row_id, link) for link in links])
