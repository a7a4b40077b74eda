"""Tools that find communities of linked memories and answer from them."""

from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict

from pydantic import Field

from mimir_py.graph.answers import fitted, snippet
from mimir_py.graph.clusters import Algorithm
from mimir_py.graph.communities import MIN_SIZE, Communities
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec

_MEMBERS_LISTED: Final = 200
_MOST_ITEMS: Final = 100


class CommunitiesAnswer(TypedDict):
    workspace_hash: str
    algorithm: str
    node_count: int
    edge_count: int
    modularity: float
    communities: list[dict[str, Any]]
    stale_summaries_archived: int
    generated_at_unix_ms: int
    total: int


class CommunitiesTool(Tool[Communities]):
    """Find the groups of memories that are linked among themselves, and what each is about."""

    spec: ClassVar = ToolSpec(
        name="mimir_communities",
        title="Find communities",
        effect=Effect.WRITES,
        words=(),
        idempotent=True,
        room=Communities,
        failure="Communities failed",
        long=True,
        fits=True,
        example={"algorithm": "label_prop"},
    )

    workspace_hash: str | None = None
    algorithm: Literal["", "label_prop", "louvain"] = ""
    min_size: Annotated[int, Field(ge=0)] = MIN_SIZE

    async def run(self, room: Communities, call: Call) -> CommunitiesAnswer:
        found = await room.detect(
            call.scope.writes(self.workspace_hash),
            Algorithm(self.algorithm or Algorithm.LABEL_PROP),
            self.min_size,
        )
        answer = {
            "workspace_hash": found.workspace,
            "algorithm": found.algorithm.value,
            "node_count": found.node_count,
            "edge_count": found.edge_count,
            "modularity": found.modularity,
            "stale_summaries_archived": found.stale_summaries_archived,
            "generated_at_unix_ms": found.generated_at_unix_ms,
            "total": len(found.communities),
            "communities": [
                {
                    "id": one.id,
                    "size": one.member_count,
                    "member_ids": list(one.member_ids[:_MEMBERS_LISTED]),
                    "summary": one.summary,
                }
                for one in found.communities
            ],
        }
        return fitted(answer, "communities", call.max_answer_bytes)  # type: ignore[return-value]  # a TypedDict is a dict


class CommunitySummaryAnswer(TypedDict):
    community_id: str
    summary: str
    summary_entity_id: str
    member_count: int
    cached: bool
    llm_used: bool


class CommunitySummary(Tool[Communities]):
    """Say what a community is about, and keep that as a memory."""

    spec: ClassVar = ToolSpec(
        name="mimir_community_summary",
        title="Summarise a community",
        effect=Effect.WRITES,
        words=(),
        idempotent=True,
        room=Communities,
        failure="Community summary failed",
        example={"community_id": "com-b43294ebd8f9f752"},
    )

    community_id: Annotated[str, Field(min_length=1)]
    # There is no language model: the memories' own words serve, and the answer says so.
    use_llm: bool = False
    refresh: bool = False
    workspace_hash: str | None = None

    async def run(self, room: Communities, call: Call) -> CommunitySummaryAnswer:
        done = await room.summarise(
            self.community_id, call.scope.reads(self.workspace_hash), refresh=self.refresh
        )
        return {
            "community_id": done.community.id,
            "summary": done.summary,
            "summary_entity_id": done.summary_entity_id,
            "member_count": done.community.member_count,
            "cached": done.cached,
            "llm_used": False,
        }


class GlobalRecallAnswer(TypedDict):
    query: str
    workspace_hash: str
    communities_considered: int
    communities: list[dict[str, Any]]
    answer: str
    llm_used: bool
    stale: NotRequired[bool]


class GlobalRecall(Tool[Communities]):
    """Answer a broad question from whole groups of linked memories. For one fact use recall."""

    spec: ClassVar = ToolSpec(
        name="mimir_global_recall",
        title="Recall across communities",
        effect=Effect.WRITES,
        words=(),
        idempotent=True,
        room=Communities,
        failure="Global recall failed",
        long=True,
        fits=True,
        example={"query": "how do services exchange messages"},
    )

    query: str
    workspace_hash: str | None = None
    top_communities: Annotated[int, Field(ge=0)] = 3
    limit: Annotated[int, Field(ge=0)] = 10
    auto_detect: bool = True
    use_llm: bool = False

    async def run(self, room: Communities, call: Call) -> GlobalRecallAnswer:
        workspace = call.scope.writes(self.workspace_hash)
        found = await room.recall(
            self.query,
            workspace,
            top=min(self.top_communities, _MOST_ITEMS),
            limit=min(self.limit, _MOST_ITEMS),
            auto_detect=self.auto_detect,
        )
        answer: dict[str, Any] = {
            "query": self.query,
            "workspace_hash": workspace,
            "communities_considered": found.considered,
            "communities": [
                {
                    "id": match.community.id,
                    "score": match.score,
                    "size": match.community.member_count,
                    "summary": match.community.summary,
                    "members": [
                        {
                            "id": entity.id,
                            "category": entity.category,
                            "key": entity.key,
                            "score": score,
                            "snippet": snippet(entity.body_json),
                        }
                        for entity, score in match.members
                    ],
                }
                for match in found.matched
            ],
            "answer": found.answer,
            "llm_used": False,
        }
        if found.is_stale:
            answer["stale"] = True
        return fitted(answer, "communities", call.max_answer_bytes)  # type: ignore[return-value]  # a TypedDict is a dict


TOOLS: Final[tuple[type[AnyTool], ...]] = (CommunitiesTool, CommunitySummary, GlobalRecall)
