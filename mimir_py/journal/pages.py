"""A page of the journal as an answer that stays under its cap."""

from collections.abc import Sequence
from typing import Any, Final, NotRequired, TypedDict

from mimir_py.journal.chain import FIELDS
from mimir_py.journal.models import Recorded
from mimir_py.tooling.answer import clipped, largest, size

_PAYLOADS: Final = ("evaluated_json", "acted_json", "forward_json")
_NAMES: Final = tuple(name for name in FIELDS if name not in _PAYLOADS)


class TimelineAnswer(TypedDict):
    items: list[dict[str, Any]]
    total: int
    next_offset: NotRequired[int]
    truncated: NotRequired[bool]


def page(
    entries: Sequence[Recorded], *, offset: int, payload_offset: int, cap: int
) -> TimelineAnswer:
    """As many entries as fit into `cap` bytes (0: no limit), and where the others go on.

    One entry that is too long by itself comes with the beginnings of its payloads.
    """
    items = [_item(recorded, payload_offset) for recorded in entries]
    whole: TimelineAnswer = {"items": items, "total": len(items)}
    if not cap or size(whole) <= cap:
        return whole

    def first(count: int) -> TimelineAnswer:
        return {
            "items": items[:count],
            "total": count,
            "next_offset": offset + count,
            "truncated": True,
        }

    count = largest(len(items), lambda count: size(first(count)) <= cap)
    return first(count) if count else _alone(items[0], offset, payload_offset, cap)


def _item(recorded: Recorded, payload_offset: int) -> dict[str, Any]:
    entry = recorded.entry
    payloads = {name: getattr(entry, name)[payload_offset:] for name in _PAYLOADS}
    return {
        "id": recorded.id,
        "event_type": entry.event_type,
        **payloads,
        "category": entry.category,
        "key": entry.key,
        "entity_id": entry.entity_id,
        "agent_id": entry.agent_id,
        "created_at_unix_ms": recorded.created_at_unix_ms,
        "workspace_hash": entry.workspace_hash,
        "kind": entry.kind,
        "seq": recorded.seq,
    }


def _alone(item: dict[str, Any], offset: int, payload_offset: int, cap: int) -> TimelineAnswer:
    def cut(chars: int, names: int | None = None) -> TimelineAnswer:
        short = {name: item[name][:chars] for name in _PAYLOADS}
        if names is not None:
            short.update({name: clipped(item[name], names) for name in _NAMES})
        more = {"truncated": True, "next_payload_offset": payload_offset + chars}
        return {
            "items": [{**item, **short, **more}],
            "total": 1,
            "next_offset": offset + 1,
            "truncated": True,
        }

    # Long names must leave room for the payloads, or their pages would never end.
    names = None if size(cut(0)) <= cap // 2 else cap // 64
    longest = max(len(item[name]) for name in _PAYLOADS)
    return cut(largest(longest, lambda chars: size(cut(chars, names)) <= cap), names)
