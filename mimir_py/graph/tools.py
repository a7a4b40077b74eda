"""Tools that link memories and walk over the links."""

from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict

from pydantic import Field

from mimir_py.graph.answers import fitted, snippet
from mimir_py.graph.models import Direction, Node, Reached, View
from mimir_py.graph.service import Graph
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Unit

MOST_DEPTH: Final = 16
MOST_NODES: Final = 1_000
MOST_SEEDS: Final = 32
_EXAMPLE_ID: Final = "mem-3f9a1c0d77e2"

# Listed often, so without what their names say already.
Name = Annotated[str, Field(min_length=1)]
Relationships = list[str] | None
DirectionName = Literal["out", "in", "both"]


class LinkAnswer(TypedDict):
    success: bool
    to: str
    relationship: str
    weight: float
    created: bool
    crosses_workspaces: NotRequired[bool]


class LinkTool(Tool[Graph]):
    """Link a memory to another one (id), e.g. as depends_on, caused_by or part_of. Linked memories
    are found through each other."""

    spec: ClassVar = ToolSpec(
        name="mimir_link",
        title="Link memories",
        effect=Effect.WRITES,
        words=("relationship", "note"),
        idempotent=True,
        room=Graph,
        failure="Link failed",
        example={
            "from_category": "decision",
            "from_key": "queue",
            "to_id": _EXAMPLE_ID,
            "relationship": "depends_on",
        },
    )

    from_category: str
    from_key: Name
    to_id: Name
    relationship: str = Field("", description="Default: related")
    weight: Unit | None = None
    note: str | None = None
    workspace_hash: str | None = None

    async def run(self, room: Graph, call: Call) -> LinkAnswer:
        done = await room.link(
            self.from_category,
            self.from_key,
            self.to_id,
            self.relationship,
            weight=self.weight,
            note=self.note,
            workspaces=call.scope.reads(self.workspace_hash),
        )
        answer: dict[str, Any] = {
            "success": True,
            "from": f"{self.from_category}/{self.from_key}",
            "to": done.target.id,
            "relationship": done.link.relationship,
            "weight": done.link.weight,
            "created": done.is_new,
        }
        if done.source.workspace_hash != done.target.workspace_hash:
            answer["crosses_workspaces"] = True
        return answer  # type: ignore[return-value]  # `from` is no name a class can have


class UnlinkAnswer(TypedDict):
    success: bool
    to: str
    removed: int


class Unlink(Tool[Graph]):
    """Remove the links from a memory to another one."""

    spec: ClassVar = ToolSpec(
        name="mimir_unlink",
        title="Unlink memories",
        effect=Effect.DESTROYS,
        words=(),
        idempotent=True,
        room=Graph,
        failure="Unlink failed",
        example={"from_category": "decision", "from_key": "queue", "to_id": _EXAMPLE_ID},
    )

    from_category: str
    from_key: Name
    to_id: Name
    relationship: str | None = None
    workspace_hash: str | None = None

    async def run(self, room: Graph, call: Call) -> UnlinkAnswer:
        removed = await room.unlink(
            self.from_category,
            self.from_key,
            self.to_id,
            self.relationship or None,
            call.scope.reads(self.workspace_hash),
        )
        answer: dict[str, Any] = {
            "success": True,
            "from": f"{self.from_category}/{self.from_key}",
            "to": self.to_id,
            "removed": removed,
        }
        return answer  # type: ignore[return-value]  # `from` is no name a class can have


class TraverseAnswer(TypedDict):
    entity: dict[str, Any]
    traversed: list[dict[str, Any]]
    truncated: NotRequired[bool]
    note: NotRequired[str]


class Traverse(Tool[Graph]):
    """Follow the links of a memory step by step, nearest and strongest first."""

    spec: ClassVar = ToolSpec(
        name="mimir_traverse",
        title="Traverse links",
        effect=Effect.READS,
        room=Graph,
        fits=True,
        failure="Traverse failed",
        soft_errors=True,
        example={"category": "decision", "key": "queue", "max_depth": 2},
    )

    category: str
    key: Name
    max_depth: Annotated[int, Field(ge=0)] = 3
    max_nodes: Annotated[int, Field(ge=0)] = 100
    direction: DirectionName = "out"
    relationships: Relationships = None
    workspace_hash: str | None = None

    async def run(self, room: Graph, call: Call) -> TraverseAnswer:
        found = await room.traverse(
            self.category,
            self.key,
            _view(call, self.workspace_hash, self.relationships, self.direction),
            min(self.max_depth, MOST_DEPTH),
            min(self.max_nodes, MOST_NODES),
        )

        def links(node: Node) -> list[dict[str, str]]:
            return [
                {"target_id": target_id, "relationship": relationship}
                for target_id, relationship in found.links.get(node.row_id, ())
            ]

        traversed = [
            {
                **_named(step.entity),
                "body_json": step.entity.body_json,
                **_link(step),
                "depth": step.depth,
                "via": step.via,
                "links": links(step.entity),
            }
            for step in found.reached
        ]
        answer: TraverseAnswer = {
            "entity": {
                **_named(found.root),
                "body_json": found.root.body_json,
                "links": links(found.root),
            },
            "traversed": traversed,
        }
        if not found.is_whole:
            answer["truncated"] = True
            answer["note"] = "there are more: raise max_nodes, or start from one of these"
        return fitted(answer, "traversed", call.max_answer_bytes)  # type: ignore[return-value, arg-type]  # a TypedDict is a dict


class PathAnswer(TypedDict):
    found: bool
    length: int
    path: list[dict[str, Any]]
    note: NotRequired[str]


class PathTool(Tool[Graph]):
    """Find the shortest way from one memory to another over links (ids)."""

    spec: ClassVar = ToolSpec(
        name="mimir_path",
        title="Path between memories",
        effect=Effect.READS,
        room=Graph,
        fits=True,
        failure="Path failed",
        example={"from_id": _EXAMPLE_ID, "to_id": _EXAMPLE_ID},
    )

    from_id: Name
    to_id: Name
    max_depth: Annotated[int, Field(ge=0)] = 8
    direction: DirectionName = "both"
    relationships: Relationships = None
    workspace_hash: str | None = None

    async def run(self, room: Graph, call: Call) -> PathAnswer:
        view = _view(call, self.workspace_hash, self.relationships, self.direction)
        path = await room.path(self.from_id, self.to_id, view, min(self.max_depth, MOST_DEPTH))
        answer: PathAnswer = {"found": path.found, "length": len(path.reached), "path": []}
        if path.found:
            answer["path"] = [
                {**_named(path.start), "snippet": snippet(path.start.body_json)},
                *(
                    {**_named(step.entity), "snippet": snippet(step.entity.body_json)} | _link(step)
                    for step in path.reached
                ),
            ]
        elif not path.is_whole:
            answer["note"] = "none within the limits; there may be a longer one"
        return fitted(answer, "path", call.max_answer_bytes)  # type: ignore[return-value, arg-type]  # a TypedDict is a dict


class RelatedAnswer(TypedDict):
    related: list[dict[str, Any]]
    total: int


class RelatedTool(Tool[Graph]):
    """List the memories most closely linked with some others (ids)."""

    spec: ClassVar = ToolSpec(
        name="mimir_related",
        title="Related memories",
        effect=Effect.READS,
        room=Graph,
        fits=True,
        failure="Related failed",
        example={"ids": [_EXAMPLE_ID], "limit": 5},
    )

    ids: Annotated[list[str], Field(min_length=1, max_length=MOST_SEEDS)]
    limit: Annotated[int, Field(ge=0)] = 10
    relationships: Relationships = None
    workspace_hash: str | None = None

    async def run(self, room: Graph, call: Call) -> RelatedAnswer:
        view = _view(call, self.workspace_hash, self.relationships, Direction.BOTH)
        found = await room.related(self.ids, view, min(self.limit, MOST_NODES))
        related = [
            {
                **_named(one.entity),
                "score": round(one.score, 6),
                "snippet": snippet(one.entity.body_json),
            }
            for one in found
        ]
        answer = {"related": related, "total": len(related)}
        return fitted(answer, "related", call.max_answer_bytes)  # type: ignore[return-value]  # a TypedDict is a dict


TOOLS: Final[tuple[type[AnyTool], ...]] = (LinkTool, Unlink, Traverse, PathTool, RelatedTool)


def _view(
    call: Call, workspace: str | None, relationships: list[str] | None, direction: str
) -> View:
    kinds = None if relationships is None else tuple(relationships)
    return View(call.scope.reads(workspace), kinds, Direction(direction))


def _named(node: Node) -> dict[str, Any]:
    names: dict[str, Any] = {
        "id": node.id,
        "category": node.category,
        "key": node.key,
        "workspace_hash": node.workspace_hash,
    }
    return names if node.is_sound else {**names, "damaged": True}


def _link(step: Reached) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "relationship": step.link.relationship,
        "direction": "out" if step.is_forward else "in",
        "weight": step.link.weight,
    }
    return {**fields, "note": step.link.note} if step.link.note else fields
