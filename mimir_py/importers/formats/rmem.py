"""R-Mem: its SQLite file, with facts, what it archived, and a graph."""

from collections.abc import Iterator

from mimir_py.errors import ForeignStore
from mimir_py.importers.formats.models import Found, Source, short, unix_ms
from mimir_py.importers.formats.sqlite_rows import Row, Tables, tables


def read(source: Source) -> Iterator[Found]:
    """Facts and entities are memories, relations links; archived facts come as ended ones."""
    with tables(source) as file:
        if not file.has("memories", "id", "user_id", "text"):
            raise ForeignStore(f"{source.path} has no table memories of R-Mem")
        for row in file.rows("memories"):
            created, updated = unix_ms(row.get("created_at")), unix_ms(row.get("updated_at"))
            category = str(row.get("category") or "misc")
            yield _fact(row, str(row["id"]), category, created, updated)
        for row in file.rows("archive", "text"):
            created, ended = (
                unix_ms(row.get("original_created_at")),
                unix_ms(row.get("archived_at")),
            )
            id = f"archive {row.get('id')} {row.get('archived_at')}"
            yield _fact(row, id, "archive", created, ended, ended)
        yield from _graph(file)


def _fact(
    row: Row,
    id: str,
    category: str,
    created: int | None,
    updated: int | None,
    ended: int | None = None,
) -> Found:
    text = str(row["text"] or "")
    return Found(
        id,
        category,
        short(text) or id,
        {"content": text},
        tags=_user(row),
        created=created,
        updated=updated if updated is not None else created,
        ended=ended,
    )


def _graph(file: Tables) -> Iterator[Found]:
    leads: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in file.rows("relations", "user_id", "source", "destination", "relation"):
        if row.get("valid", 1):
            place = (str(row["user_id"]), str(row["source"]))
            to = (str(row["destination"]), str(row["relation"]))
            leads.setdefault(place, []).append(to)
    for row in file.rows("entities", "user_id", "name"):
        user, name = str(row["user_id"]), str(row["name"])
        related = leads.get((user, name), [])
        created = unix_ms(row.get("created_at"))
        yield Found(
            f"entity {user} {name}",
            str(row.get("entity_type") or "entity"),
            name,
            {"name": name, "relations": [f"{kind} {to}" for to, kind in related]},
            type="entity",
            tags=_user(row),
            created=created,
            links=tuple((f"entity {user} {to}", kind, 0.5) for to, kind in related),
        )


def _user(row: Row) -> tuple[str, ...]:
    return (f"user:{row['user_id']}",) if row.get("user_id") else ()
