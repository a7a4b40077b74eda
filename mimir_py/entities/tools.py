"""Tools that store, fetch and forget a memory."""

import json
from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict

from pydantic import Field

from mimir_py.entities.items import marks_of, paged
from mimir_py.entities.models import Draft, Identity
from mimir_py.entities.service import Memories
from mimir_py.entities.text import load_json
from mimir_py.errors import InvalidInput
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Category, JsonBody, Key, Unit, UnixMsField, Workspace


class RememberAnswer(TypedDict):
    id: str
    action: str
    category: str
    key: str
    near_duplicates: NotRequired[list[dict[str, Any]]]
    superseded_id: NotRequired[str]
    pending_chunks: NotRequired[int]
    echo_of: NotRequired[str]
    redacted: NotRequired[list[dict[str, Any]]]
    ignored_arguments: NotRequired[list[str]]


class Remember(Tool[Memories]):
    """Store a fact, decision, preference, convention or lesson so that later sessions know it.
    Call it when something worth keeping is decided, learned or corrected. The same category and
    key again updates the memory: what you leave out stays, the old version goes to history."""

    spec: ClassVar = ToolSpec(
        name="mimir_remember",
        title="Remember",
        effect=Effect.WRITES,
        idempotent=True,
        room=Memories,
        failure="Remember failed",
        lean=True,
        lean_hides=("visibility", "dedup", "agent_id"),
        words=(
            *("body_json", "key", "category", "tags", "topic_path", "recall_when"),
            *("status", "type", "agent_id", "visibility", "layer"),
        ),
        example={"category": "decision", "key": "queue", "body_json": '{"content":"use NATS"}'},
    )

    category: Category
    key: Key
    body_json: JsonBody = Field(
        description='What to remember: JSON text such as {"content": "..."}, or plain text'
    )
    status: str | None = Field(None, description="active, draft, deprecated ... (new: active)")
    type: str | None = Field(None, description="Kind of memory (new: insight)")
    tags: list[str] | None = None
    importance: Unit | None = Field(None, description="Starting freshness (new: 0.5)")
    topic_path: str | None = Field(None, description="Place in a hierarchy, e.g. billing/invoices")
    workspace_hash: Workspace = None
    agent_id: str | None = None
    valid_from_unix_ms: UnixMsField = Field(None, description="Since when it is true")
    valid_to_unix_ms: UnixMsField = Field(None, description="Until when, exclusive")
    recall_when: list[str] | None = Field(None, description="Situations in which to bring it up")
    always_on: bool | None = Field(None, description="Part of every context, never fades")
    certainty: Unit | None = Field(None, description="How sure (new: 0.5)")
    visibility: str | None = None
    layer: str | None = Field(None, description="buffer, working or core (new: buffer)")
    dedup: Literal["exact", "near"] = Field(
        "exact", description="near: drop what is almost stored already"
    )
    supersedes: str | None = Field(
        None, description="Id, or key in this category, of a memory this one replaces"
    )

    async def run(self, room: Memories, call: Call) -> RememberAnswer:
        body_json, ignored = body_to_store(self.body_json, self.recall_when)
        remembered = await room.remember(self._draft(body_json, call))
        answer: RememberAnswer = {
            "id": remembered.id,
            "action": remembered.action,
            "category": remembered.category,
            "key": remembered.key,
        }
        if remembered.near_duplicates:
            answer["near_duplicates"] = [
                {"id": near.id, "key": near.key, "similarity": near.similarity}
                for near in remembered.near_duplicates
            ]
        if remembered.superseded:
            answer["superseded_id"] = remembered.superseded
        if remembered.echo_of:
            answer["echo_of"] = remembered.echo_of
        if remembered.pending_chunks:
            answer["pending_chunks"] = remembered.pending_chunks
        if ignored:
            answer["ignored_arguments"] = ignored
        return answer

    def _draft(self, body_json: str, call: Call) -> Draft:
        identity = Identity(self.category, self.key, call.scope.writes(self.workspace_hash))
        return Draft(
            identity,
            body_json,
            status=self.status,
            type=self.type,
            tags=None if self.tags is None else tuple(self.tags),
            importance=self.importance,
            topic_path=self.topic_path,
            agent_id=self.agent_id,
            valid_from_unix_ms=self.valid_from_unix_ms,
            valid_to_unix_ms=self.valid_to_unix_ms,
            always_on=self.always_on,
            certainty=self.certainty,
            visibility=self.visibility,
            layer=self.layer,
            trust=call.trust,
            swallow_near=self.dedup == "near",
            supersedes=self.supersedes or None,
        )


class EntityAnswer(TypedDict):
    id: str
    category: str
    key: str
    body_json: str
    status: str
    entity_type: str
    tags: list[str]
    decay_score: float
    retrieval_count: int
    layer: str
    always_on: bool
    certainty: float
    trust: str
    created_at_unix_ms: int
    last_accessed_unix_ms: int
    marks: NotRequired[list[dict[str, Any]]]
    workspace_hash: NotRequired[str]
    archived: NotRequired[bool]
    truncated: NotRequired[bool]
    next_offset: NotRequired[int]
    body_chars: NotRequired[int]


class GetEntity(Tool[Memories]):
    """Fetch one memory whole by its id, archived or not. Use it when recall showed a passage or a
    truncated body and you need the rest."""

    spec: ClassVar = ToolSpec(
        name="mimir_get_entity",
        title="Get a memory by id",
        effect=Effect.READS,
        fits=True,
        room=Memories,
        lean=True,
        example={"id": "mem-3f9a1c0d77e2"},
    )

    id: Annotated[str, Field(min_length=1, description="Id as recall or remember gave it")]
    body_offset: Annotated[
        int, Field(ge=0, description="Continue a long body at this character")
    ] = 0

    async def run(self, room: Memories, call: Call) -> EntityAnswer:
        entity = await room.get(self.id)
        answer: EntityAnswer = {
            "id": entity.id,
            "category": entity.category,
            "key": entity.key,
            "body_json": entity.body_json,
            "status": entity.status,
            "entity_type": entity.type,
            "tags": list(entity.tags),
            "decay_score": entity.decay_score,
            "retrieval_count": entity.retrieval_count,
            "layer": entity.layer,
            "always_on": entity.always_on,
            "certainty": entity.certainty,
            "trust": entity.trust.label,
            "created_at_unix_ms": entity.created_at_unix_ms,
            "last_accessed_unix_ms": entity.last_accessed_unix_ms,
            "workspace_hash": entity.workspace_hash,
            "archived": entity.archived,
        }
        found = marks_of(entity)
        if found:
            answer["marks"] = found
        return paged(answer, self.body_offset, call.max_answer_bytes)  # type: ignore[return-value]  # the same fields


class ForgetAnswer(TypedDict):
    found: bool
    category: str
    key: str


class Forget(Tool[Memories]):
    """Archive a memory so that it no longer answers. It can be brought back by remembering the same
    category and key. Without workspace_hash and outside a scoped session it applies to the name in
    every workspace."""

    spec: ClassVar = ToolSpec(
        name="mimir_forget",
        title="Forget",
        effect=Effect.DESTROYS,
        idempotent=True,
        room=Memories,
        failure="Forget failed",
        lean=True,
        words=("reason",),
        example={"category": "decision", "key": "queue"},
    )

    category: Category
    key: Key
    reason: str = Field("", description="Why, kept with the memory")
    workspace_hash: Workspace = None

    async def run(self, room: Memories, call: Call) -> ForgetAnswer:
        workspaces = None
        if self.workspace_hash is not None or call.scope.workspace is not None:
            workspaces = [call.scope.writes(self.workspace_hash)]
        found = await room.forget(self.category, self.key, self.reason or "manual", workspaces)
        return {"found": found, "category": self.category, "key": self.key}


TOOLS: Final[tuple[type[AnyTool], ...]] = (Remember, GetEntity, Forget)


def body_to_store(given: Any, recall_when: list[str] | None) -> tuple[str, list[str]]:
    """The JSON to store for a body as given, and the arguments it has no place for.

    JSON text is stored as it came. Plain text becomes `{"content": text}`. `recall_when` goes into
    a body that is an object, which is then written anew with sorted names.

    Raises:
        InvalidInput: empty, or an object that is not valid JSON.
    """
    if given is None:
        raise InvalidInput("body_json", "is null: give a JSON object or plain text")
    if isinstance(given, str):
        body_json, body = _from_text(given)
    else:
        try:
            body, body_json = given, json.dumps(given, ensure_ascii=False, allow_nan=False)
        except (ValueError, RecursionError) as error:
            raise InvalidInput("body_json", f"cannot be written as JSON: {error}") from None
    if not recall_when:
        return body_json, []
    if not isinstance(body, dict):
        return body_json, ["recall_when"]
    merged = {**body, "recall_when": recall_when}
    return json.dumps(merged, ensure_ascii=False, sort_keys=True), []


def _from_text(given: str) -> tuple[str, Any]:
    stripped = given.strip()
    if not stripped:
        raise InvalidInput("body_json", "is empty: give a JSON object or plain text")
    try:
        return given, load_json(given)
    except RecursionError:
        raise InvalidInput("body_json", "is nested too deeply") from None
    except ValueError as error:
        # A brace announces an object; storing a broken one as text would hide the mistake.
        if stripped.startswith(("{", '["', "[{")):
            raise InvalidInput("body_json", f"is not valid JSON: {error}") from None
    body = {"content": given}
    return json.dumps(body, ensure_ascii=False), body
