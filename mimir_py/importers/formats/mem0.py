"""mem0: what `get_all` or an export gives, a JSON list or lines of memories."""

from collections.abc import Iterator

from mimir_py.importers.formats.models import Found, Source, first, short, unix_ms, words


def read(source: Source) -> Iterator[Found]:
    """Users, runs and sessions become tags; the agent stays one."""
    for place, item in source.objects():
        text = first(item, "memory", "text", "content", "data")
        if not isinstance(text, str):
            source.problems[place] = "has no text in memory"
            continue
        metadata = item.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        scopes = (
            f"{kind}:{item[field]}"
            for kind, field in (("user", "user_id"), ("run", "run_id"), ("app", "app_id"))
            if item.get(field)
        )
        categories = words(item.get("categories"))
        yield Found(
            str(first(item, "id", "hash") or text),
            str(metadata.get("category") or (categories[0] if categories else "mem0")),
            str(item.get("id") or short(text)),
            {"content": text, **({"metadata": metadata} if metadata else {})},
            tags=(*categories, *words(metadata.get("tags")), *scopes),
            agent_id=str(item.get("agent_id") or ""),
            created=unix_ms(item.get("created_at")),
            updated=unix_ms(first(item, "updated_at", "created_at")),
        )
