"""Tools that ask about earlier versions and other times."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, NotRequired, TypedDict

from pydantic import Field

from mimir_py.entities import Memories
from mimir_py.entities.items import ITEM_FIELDS, cut_body, item, paged, with_body_fields
from mimir_py.entities.models import Entity
from mimir_py.entities.succession import SUPERSEDES, Succession
from mimir_py.history.models import Answer, Trail
from mimir_py.history.retention import summary
from mimir_py.history.service import History, Name
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.answer import size
from mimir_py.tooling.fields import Category, Key, UnixMsField, WorkspaceFilter
from mimir_py.values import MAX_UNIX_MS, UnixMs

MOST_VERSIONS: Final = 1_000
_SHORTEST_BODY: Final = 200
_VERSION_FIELDS: Final = ITEM_FIELDS | {
    *("history_id", "recorded_at_unix_ms", "invalidated_at_unix_ms", "supersedes")
}
_COMPACTED: Final = "earlier versions were rolled up into this summary; their texts are gone"

BodyOffset = Annotated[int, Field(ge=0)]
_Key = Annotated[str, Field(min_length=1)]
Moment = Annotated[int, Field(ge=-MAX_UNIX_MS, le=MAX_UNIX_MS)]


class HistoryAnswer(TypedDict):
    category: str
    key: str
    versions: list[dict[str, Any]]
    total: int
    returned: int
    limit: int
    offset: int
    workspace_hash: str
    next_offset: NotRequired[int]


class HistoryTool(Tool[History]):
    """List the earlier versions of a memory, newest first; the present one is not among them."""

    spec: ClassVar = ToolSpec(
        name="mimir_history",
        title="Earlier versions",
        effect=Effect.READS,
        room=History,
        example={"category": "decision", "key": "queue"},
    )

    category: Category
    key: Key
    limit: int = Field(20, description="At most 1000; 0 only counts")
    offset: int = 0
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: History, call: Call) -> HistoryAnswer:
        limit = min(max(self.limit, 0), MOST_VERSIONS)
        offset = min(max(self.offset, 0), MAX_UNIX_MS)
        name = Name(self.category, self.key, call.scope.reads(self.workspace_hash))
        trail = await room.trail(name, limit, offset)
        answer: HistoryAnswer = {
            "category": self.category,
            "key": self.key,
            "versions": _versions(trail, None),
            "total": trail.total,
            "returned": len(trail.versions),
            "limit": limit,
            "offset": offset,
            "workspace_hash": trail.workspace,
        }
        return _fitted(answer, trail, call.max_answer_bytes)


class AsOfAnswer(TypedDict):
    found: bool
    category: str
    key: str
    as_of_unix_ms: int
    id: NotRequired[str]
    body_json: NotRequired[str]
    status: NotRequired[str]
    entity_type: NotRequired[str]
    workspace_hash: NotRequired[str]
    compacted: NotRequired[bool]


class AsOf(Tool[History]):
    """What a memory said at a past moment, though it was changed or forgotten since."""

    spec: ClassVar = ToolSpec(
        name="mimir_as_of",
        title="A memory as it was",
        effect=Effect.READS,
        fits=True,
        room=History,
        example={"category": "decision", "key": "queue", "as_of_unix_ms": 1_790_000_000_000},
    )

    category: Category
    key: Key
    as_of_unix_ms: Moment
    workspace_hash: WorkspaceFilter = None
    body_offset: BodyOffset = 0

    async def run(self, room: History, call: Call) -> AsOfAnswer:
        name = Name(self.category, self.key, call.scope.reads(self.workspace_hash))
        asked = {**_asked(self), "as_of_unix_ms": self.as_of_unix_ms}
        found = await room.as_of(name, self.as_of_unix_ms)
        answer = asked if found is None else {**_said(found.entity), **asked}
        return _page(answer, self.body_offset, call)  # type: ignore[return-value]  # built key by key


class ValidAtAnswer(TypedDict):
    found: bool
    category: str
    key: str
    valid_at_unix_ms: int
    tx_at_unix_ms: NotRequired[int]
    id: NotRequired[str]
    body_json: NotRequired[str]
    status: NotRequired[str]
    entity_type: NotRequired[str]
    valid_from_unix_ms: NotRequired[int | None]
    valid_to_unix_ms: NotRequired[int | None]
    recorded_at_unix_ms: NotRequired[int]
    invalidated_at_unix_ms: NotRequired[int | None]
    is_live_version: NotRequired[bool]
    workspace_hash: NotRequired[str]
    compacted: NotRequired[bool]


class ValidAt(Tool[History]):
    """What is now known to be true at a moment: for facts that hold for a period, as prices do."""

    spec: ClassVar = ToolSpec(
        name="mimir_valid_at",
        title="What was true at a time",
        effect=Effect.READS,
        fits=True,
        room=History,
        example={"category": "decision", "key": "queue", "valid_at_unix_ms": 1_790_000_000_000},
    )

    category: Category
    key: Key
    valid_at_unix_ms: Moment
    workspace_hash: WorkspaceFilter = None
    body_offset: BodyOffset = 0

    async def run(self, room: History, call: Call) -> ValidAtAnswer:
        name = Name(self.category, self.key, call.scope.reads(self.workspace_hash))
        asked = {**_asked(self), "valid_at_unix_ms": self.valid_at_unix_ms}
        found = await room.bitemporal(name, None, self.valid_at_unix_ms)
        return _page(_timed(found, asked), self.body_offset, call)  # type: ignore[return-value]  # built key by key


class Bitemporal(Tool[History]):
    """What was believed at tx_at_unix_ms to be true at valid_at_unix_ms."""

    spec: ClassVar = ToolSpec(
        name="mimir_bitemporal",
        title="What was believed to be true",
        effect=Effect.READS,
        fits=True,
        room=History,
        example={
            "category": "decision",
            "key": "queue",
            "tx_at_unix_ms": 1_790_000_000_000,
            "valid_at_unix_ms": 1_790_000_000_000,
        },
    )

    category: Category
    key: Key
    tx_at_unix_ms: Moment
    valid_at_unix_ms: Moment
    workspace_hash: WorkspaceFilter = None
    body_offset: BodyOffset = 0

    async def run(self, room: History, call: Call) -> ValidAtAnswer:
        name = Name(self.category, self.key, call.scope.reads(self.workspace_hash))
        found = await room.bitemporal(name, self.tx_at_unix_ms, self.valid_at_unix_ms)
        asked = {
            **_asked(self),
            "tx_at_unix_ms": self.tx_at_unix_ms,
            "valid_at_unix_ms": self.valid_at_unix_ms,
        }
        return _page(_timed(found, asked), self.body_offset, call)  # type: ignore[return-value]  # built key by key


class SupersedeAnswer(TypedDict):
    from_entity_id: str
    from_entity_category: str
    from_entity_key: str
    from_valid_to_unix_ms: int | None
    to_entity_id: str
    to_entity_category: str
    to_entity_key: str
    relationship: str
    status_updated: str


class Supersede(Tool[Memories]):
    """Let a stored memory (to) take the place of another (from), which is closed and deprecated. To
    store the new one too, use remember's supersedes."""

    spec: ClassVar = ToolSpec(
        name="mimir_supersede",
        title="Supersede",
        effect=Effect.WRITES,
        idempotent=True,
        room=Memories,
        failure="Supersede failed",
        words=("reason",),
        example={
            "from_category": "decision",
            "from_key": "queue",
            "to_category": "decision",
            "to_key": "queue-2",
        },
    )

    from_category: str
    from_key: _Key
    to_category: str
    to_key: _Key
    reason: str = ""
    relationship: str = SUPERSEDES
    valid_to_unix_ms: UnixMsField = Field(None, description="When it ceased to be true (now)")
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Memories, call: Call) -> SupersedeAnswer:
        how = Succession(self.reason, self.relationship or SUPERSEDES, self.valid_to_unix_ms)
        old, new = await room.supersede(
            (self.from_category, self.from_key),
            (self.to_category, self.to_key),
            how,
            call.scope.reads(self.workspace_hash),
        )
        return {
            "from_entity_id": old.id,
            "from_entity_category": old.category,
            "from_entity_key": old.key,
            "from_valid_to_unix_ms": old.valid_to_unix_ms,
            "to_entity_id": new.id,
            "to_entity_category": new.category,
            "to_entity_key": self.to_key,
            "relationship": how.relationship,
            "status_updated": old.status,
        }


TOOLS: Final[tuple[type[AnyTool], ...]] = (HistoryTool, AsOf, ValidAt, Bitemporal, Supersede)


def _asked(tool: AsOf | ValidAt | Bitemporal) -> dict[str, Any]:
    return {"found": False, "category": tool.category, "key": tool.key}


def _said(entity: Entity) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": entity.id,
        "body_json": entity.body_json,
        "status": entity.status,
        "entity_type": entity.type,
        "workspace_hash": entity.workspace_hash,
    }
    rolled_up = summary(entity)
    if rolled_up is None:
        return said
    return said | {
        "compacted": True,
        "versions_compacted": rolled_up["versions"],
        "digest": rolled_up["digest"],
        "note": _COMPACTED,
    }


def _timed(found: Answer | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    if found is None:
        return dict(asked)
    entity = found.entity
    return {
        **_said(entity),
        "valid_from_unix_ms": entity.valid_from_unix_ms,
        "valid_to_unix_ms": entity.valid_to_unix_ms,
        "recorded_at_unix_ms": entity.recorded_at_unix_ms,
        "invalidated_at_unix_ms": entity.believed_until,
        "is_live_version": found.is_live,
        **asked,
    }


def _page(answer: dict[str, Any], offset: int, call: Call) -> dict[str, Any]:
    if "body_json" not in answer:
        return answer
    return paged({**answer, "found": True}, offset, call.max_answer_bytes)


def _versions(trail: Trail, most_bytes: int | None) -> list[dict[str, Any]]:
    entries = [
        with_body_fields(
            {
                **item(entity),
                "history_id": history_id,
                "recorded_at_unix_ms": entity.recorded_at_unix_ms,
                "invalidated_at_unix_ms": entity.invalidated_at_unix_ms,
                "supersedes": entity.supersedes,
            },
            _VERSION_FIELDS,
        )
        for history_id, entity in trail.versions
    ]
    if most_bytes is None:
        return entries
    return [
        cut_body(entry, most_bytes, _VERSION_FIELDS, _way_to(entry["recorded_at_unix_ms"]))
        for entry in entries
    ]


def _way_to(recorded_at: UnixMs) -> str:
    return f"mimir_as_of as_of_unix_ms={recorded_at}"


def _fitted(answer: HistoryAnswer, trail: Trail, cap: int) -> HistoryAnswer:
    """The answer within `cap` bytes (0: no limit): bodies give way, then the last versions."""
    most_bytes = cap // 2
    while cap and size(answer) > cap and most_bytes > _SHORTEST_BODY:
        answer["versions"] = _versions(trail, most_bytes)
        most_bytes //= 2
    while cap and size(answer) > cap and len(answer["versions"]) > 1:
        answer["versions"].pop()
        answer["returned"] = len(answer["versions"])
        answer["next_offset"] = answer["offset"] + answer["returned"]
    return answer
