"""Tools on values under keys."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, NotRequired, Self, TypedDict

from pydantic import Field

from mimir_py.errors import InvalidInput
from mimir_py.state.expiry import LONGEST_TTL_S
from mimir_py.state.models import Slot
from mimir_py.state.service import State
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.answer import clipped, largest, size
from mimir_py.tooling.fields import JsonBody, Limit, Workspace, WorkspaceFilter
from mimir_py.tooling.tool import ALL_WORKSPACES

_MOST_KEYS: Final = 10_000
_OTHER_NAMES: Final[Mapping[str, str]] = {"value": "value_json", "ttl": "ttl_seconds"}

Key = Annotated[str, Field(min_length=1)]
Seconds = Annotated[int | None, Field(ge=-LONGEST_TTL_S, le=LONGEST_TTL_S)]
Version = Annotated[int | None, Field(ge=0)]


class StateSetAnswer(TypedDict):
    key: str
    ttl_seconds: int | None
    expires_at_unix_ms: int | None
    version: int


class StateSet(Tool[State]):
    """Keep a value under a key, over sessions and shared between agents, until ttl_seconds have
    passed. With if_version only if the key is still at the version you read (0: not set yet):
    so of two agents one wins."""

    spec: ClassVar = ToolSpec(
        name="mimir_state_set",
        title="Set a state value",
        effect=Effect.WRITES,
        idempotent=True,
        room=State,
        failure="State set failed",
        words=("key", "value_json", "agent_id"),
        example={"key": "cursor", "value_json": '{"n":4}', "ttl_seconds": 60},
    )

    key: Key
    value_json: JsonBody
    ttl_seconds: Seconds = None
    if_version: Version = None
    workspace_hash: Workspace = None
    agent_id: str = Field("", description='"" is shared by all agents')

    @classmethod
    def parse(cls, arguments: Mapping[str, Any]) -> tuple[Self, list[str]]:
        # Published adapters say `value` and `ttl`.
        own = {
            _OTHER_NAMES[name] if _OTHER_NAMES.get(name, name) not in arguments else name: value
            for name, value in arguments.items()
        }
        return super().parse(own)

    async def run(self, room: State, call: Call) -> StateSetAnswer:
        slot = Slot(self.key, call.scope.writes(self.workspace_hash), self.agent_id)
        held = await room.set(slot, _as_text(self.value_json), self.ttl_seconds, self.if_version)
        return {
            "key": self.key,
            "ttl_seconds": self.ttl_seconds,
            "expires_at_unix_ms": held.expires_at_unix_ms,
            "version": held.version,
        }


class StateGetAnswer(TypedDict):
    found: bool
    key: str
    value: NotRequired[str]
    expires_at_unix_ms: NotRequired[int | None]
    created_at_unix_ms: NotRequired[int]
    version: NotRequired[int]
    truncated: NotRequired[bool]
    next_offset: NotRequired[int]


class StateGet(Tool[State]):
    """Read the value under a key, and its version."""

    spec: ClassVar = ToolSpec(
        name="mimir_state_get",
        title="Read a state value",
        effect=Effect.READS,
        room=State,
        failure="State get failed",
        fits=True,
        example={"key": "cursor"},
    )

    key: Key
    workspace_hash: Workspace = None
    agent_id: str = ""
    value_offset: Annotated[int, Field(ge=0, description="Where a cut value goes on")] = 0

    async def run(self, room: State, call: Call) -> StateGetAnswer:
        slot = Slot(self.key, call.scope.writes(self.workspace_hash), self.agent_id)
        held = await room.get(slot)
        name = clipped(self.key, call.max_answer_bytes // 8) if call.max_answer_bytes else self.key
        if held is None:
            return {"found": False, "key": name}
        return _fitted(
            {
                "found": True,
                "key": name,
                "value": held.value_json[self.value_offset :],
                "expires_at_unix_ms": held.expires_at_unix_ms,
                "created_at_unix_ms": held.created_at_unix_ms,
                "version": held.version,
            },
            self.value_offset,
            call.max_answer_bytes,
        )


class StateDeleteAnswer(TypedDict):
    found: bool
    key: str


class StateDelete(Tool[State]):
    """Remove the value under a key; with if_version only while the key is at that version."""

    spec: ClassVar = ToolSpec(
        name="mimir_state_delete",
        title="Delete a state value",
        effect=Effect.DESTROYS,
        idempotent=True,
        room=State,
        failure="State delete failed",
        words=(),
        example={"key": "cursor"},
    )

    key: Key
    if_version: Version = None
    workspace_hash: Workspace = None
    agent_id: str = ""

    async def run(self, room: State, call: Call) -> StateDeleteAnswer:
        slot = Slot(self.key, call.scope.writes(self.workspace_hash), self.agent_id)
        return {"found": await room.delete(slot, self.if_version), "key": self.key}


class StateListAnswer(TypedDict):
    keys: list[str]
    total: int
    next_offset: NotRequired[int]


class StateList(Tool[State]):
    """List the keys that begin with a prefix, in order; no character of it has a meaning."""

    spec: ClassVar = ToolSpec(
        name="mimir_state_list",
        title="List state keys",
        effect=Effect.READS,
        room=State,
        failure="State list failed",
        fits=True,
        example={"prefix": "cur"},
    )

    prefix: str = ""
    workspace_hash: WorkspaceFilter = None
    agent_id: str = ""
    limit: Limit = _MOST_KEYS
    offset: Annotated[int, Field(ge=0, le=2**53 - 1)] = 0

    async def run(self, room: State, call: Call) -> StateListAnswer:
        named = self.workspace_hash
        workspace = named if named == ALL_WORKSPACES else call.scope.writes(named)
        scope = Slot("", workspace, self.agent_id)
        keys, total = await room.keys(self.prefix, scope, min(self.limit, _MOST_KEYS), self.offset)
        return _listed(keys, total, self.offset, call.max_answer_bytes)


TOOLS: Final[tuple[type[AnyTool], ...]] = (StateSet, StateGet, StateDelete, StateList)


def _as_text(value: Any) -> str:
    """The text to store: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        raise InvalidInput("value_json", "is null: give text, or any other JSON")
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("value_json", f"cannot be written as JSON: {error}") from None


def _fitted(answer: StateGetAnswer, offset: int, cap: int) -> StateGetAnswer:
    """The answer with as much of the value as fits, and where the rest begins."""
    if not cap or size(answer) <= cap:
        return answer
    value = answer["value"]

    def cut(chars: int) -> StateGetAnswer:
        return {
            **answer,
            "value": value[:chars],
            "truncated": True,
            "next_offset": offset + chars,
        }

    return cut(largest(len(value), lambda chars: size(cut(chars)) <= cap))


def _listed(keys: list[str], total: int, offset: int, cap: int) -> StateListAnswer:
    """As many keys as fit, and where the others begin."""

    def first(count: int) -> StateListAnswer:
        answer: StateListAnswer = {"keys": keys[:count], "total": total}
        if offset + count < total:
            answer["next_offset"] = offset + count
        return answer

    if not cap or size(first(len(keys))) <= cap:
        return first(len(keys))
    count = largest(len(keys), lambda count: size(first(count)) <= cap)
    if count:
        return first(count)
    # One key alone is longer than an answer may be.
    return {**first(1), "keys": [clipped(keys[0], cap // 16)]}
