"""The official MCP memory server: a knowledge graph in JSON Lines.

A line is `{"type": "entity", "name", "entityType", "observations": [text]}` or
`{"type": "relation", "from", "to", "relationType"}`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mimir_py.importers.formats.models import Found, Source


def read(source: Source) -> Iterator[Found]:
    """An entity is a memory, its relations are links."""
    entities: dict[str, Mapping[str, Any]] = {}
    relations: dict[str, list[tuple[str, str]]] = {}
    for place, item in source.objects():
        if item.get("type") == "entity" and isinstance(item.get("name"), str):
            entities[item["name"]] = item
        elif item.get("type") == "relation" and isinstance(item.get("from"), str):
            to = (str(item.get("to", "")), str(item.get("relationType") or "related"))
            relations.setdefault(item["from"], []).append(to)
        else:
            source.problems[place] = "is neither an entity with a name nor a relation"
    for name in relations.keys() - entities.keys():
        source.problems[f"relations from {name}"] = "there is no such entity"
    for name, item in entities.items():
        leads = relations.get(name, [])
        said = item.get("observations")
        body = {
            "name": name,
            "observations": [str(one) for one in said] if isinstance(said, list) else [],
            **({"relations": [f"{kind} {to}" for to, kind in leads]} if leads else {}),
        }
        yield Found(
            name,
            str(item.get("entityType") or "entity"),
            name,
            body,
            type="entity",
            links=tuple((to, kind, 0.5) for to, kind in leads),
        )
