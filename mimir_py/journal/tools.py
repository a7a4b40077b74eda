"""Tools that write and read the journal."""

import json
from typing import Annotated, Any, ClassVar, Final, TypedDict

from pydantic import Field, WithJsonSchema

from mimir_py.errors import InvalidInput
from mimir_py.journal.models import NO_PAYLOAD, Entry, Filter
from mimir_py.journal.pages import TimelineAnswer, page
from mimir_py.journal.service import Journal
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Limit, UnixMsField, Workspace, WorkspaceFilter

_MOST_ITEMS: Final = 1_000
_MOST_OFFSET: Final = 10_000

Payload = Annotated[Any, WithJsonSchema({"type": "object"})]


class JournalAnswer(TypedDict):
    id: str
    event_type: str
    created_at_unix_ms: int
    seq: int


class AppendEntry(Tool[Journal]):
    """Record what was weighed (evaluated), what was done (acted) and what is to follow (forward),
    each any JSON. Entries never change; timeline lists them."""

    spec: ClassVar = ToolSpec(
        name="mimir_journal",
        title="Append to the journal",
        effect=Effect.WRITES,
        room=Journal,
        failure="Journal failed",
        words=(
            "event_type",
            "evaluated",
            "acted",
            "forward",
            "category",
            "key",
            "entity_id",
            "agent_id",
        ),
        example={
            "event_type": "decision",
            "evaluated": {"options": ["NATS", "Kafka"]},
            "acted": {"chose": "NATS"},
            "category": "decision",
            "key": "queue",
        },
    )

    event_type: str = "decision"
    evaluated: Payload = None
    acted: Payload = None
    forward: Payload = None
    category: str = ""
    key: str = ""
    entity_id: str = ""
    agent_id: str = ""
    workspace_hash: Workspace = None

    async def run(self, room: Journal, call: Call) -> JournalAnswer:
        recorded = await room.record(
            Entry(
                self.event_type or "decision",
                category=self.category,
                key=self.key,
                entity_id=self.entity_id,
                agent_id=self.agent_id,
                workspace_hash=call.scope.writes(self.workspace_hash),
                evaluated_json=_as_json("evaluated", self.evaluated),
                acted_json=_as_json("acted", self.acted),
                forward_json=_as_json("forward", self.forward),
            )
        )
        return {
            "id": recorded.id,
            "event_type": recorded.entry.event_type,
            "created_at_unix_ms": recorded.created_at_unix_ms,
            "seq": recorded.seq,
        }


class Timeline(Tool[Journal]):
    """List journal entries, the newest first. Both bounds of time are inclusive."""

    spec: ClassVar = ToolSpec(
        name="mimir_timeline",
        title="Read the journal",
        effect=Effect.READS,
        room=Journal,
        failure="Timeline failed",
        fits=True,
        example={"category": "decision", "limit": 10},
    )

    from_ms: UnixMsField = None
    to_ms: UnixMsField = None
    event_type: str | None = None
    category: str | None = None
    entity_id: str | None = None
    limit: Limit = 50
    offset: Annotated[int, Field(ge=0)] = 0
    workspace_hash: WorkspaceFilter = None
    include_audit: bool = Field(False, description="Also Mimir's own notes of changes")
    payload_offset: Annotated[int, Field(ge=0, description="Where cut payloads go on")] = 0

    async def run(self, room: Journal, call: Call) -> TimelineAnswer:
        wanted = Filter(
            from_ms=self.from_ms,
            to_ms=self.to_ms,
            event_type=self.event_type or None,
            category=self.category or None,
            entity_id=self.entity_id or None,
            workspaces=call.scope.reads(self.workspace_hash),
            include_audit=self.include_audit,
        )
        offset = min(self.offset, _MOST_OFFSET)
        entries = await room.timeline(wanted, min(self.limit, _MOST_ITEMS), offset)
        return page(
            entries,
            offset=offset,
            payload_offset=self.payload_offset,
            cap=call.max_answer_bytes,
        )


TOOLS: Final[tuple[type[AnyTool], ...]] = (AppendEntry, Timeline)


def _as_json(field: str, value: Any) -> str:
    if value is None:
        return NO_PAYLOAD
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(field, f"cannot be written as JSON: {error}") from None
