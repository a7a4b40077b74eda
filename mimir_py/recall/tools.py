"""Tools that find memories."""

from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from mimir_py.entities import canonical_layer
from mimir_py.errors import InvalidInput
from mimir_py.recall.items import page
from mimir_py.recall.models import Boosts, Filter, Found, Fusion, Mode, Query, ValidOp
from mimir_py.recall.service import Recall
from mimir_py.security import Trust
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import (
    AgentFilter,
    CategoryFilter,
    Limit,
    Unit,
    UnixMsField,
    WorkspaceFilter,
)

MOST_ITEMS: Final = 1_000
MOST_OFFSET: Final = 10_000


class RecallAnswer(TypedDict):
    items: list[dict[str, Any]]
    total: int
    variants: NotRequired[list[str]]
    next_offset: NotRequired[int]
    note: NotRequired[str]
    index_building: NotRequired[bool]
    index_share: NotRequired[float]
    damaged: NotRequired[list[str]]


class Expansion(BaseModel):
    """Also search copies of the query with a word replaced by its stem."""

    model_config = ConfigDict(strict=True, extra="ignore")
    enabled: bool = False
    n_variants: Annotated[int, Field(ge=0, le=32)] = 1


class RecallTool(Tool[Recall]):
    """Search memory by meaning and by words. Call it at the start of a task, and before asking the
    user or guessing: decisions, conventions, people, commands, earlier mistakes. An empty query
    browses the latest. Items hold the memory's fields, its body_json, and a score in 0..1."""

    spec: ClassVar = ToolSpec(
        name="mimir_recall",
        title="Recall",
        effect=Effect.READS,
        room=Recall,
        fits=True,
        failure="Recall failed",
        lean=True,
        lean_hides=(
            *("fusion", "include_confidence", "reinforce", "expansion", "preview_cap"),
            *("content_weight", "trust_weight", "diversity_halving", "recency_half_life_secs"),
            *("agent_id", "layer", "valid_op", "explain", "min_trust"),
        ),
        example={"query": "which message queue do we use", "limit": 3},
    )

    query: str = Field(description="What you want to know, in your own words; exact names work too")
    category: CategoryFilter = None
    type: str | None = Field(None, description="Only this kind")
    topic_path: str | None = Field(None, description="Only topics that begin so")
    limit: Limit = 10
    offset: Annotated[int, Field(ge=0)] = 0
    min_decay: Annotated[float, Field(ge=0, le=1, description="At least this fresh")] = 0.0
    mode: Literal["", "hybrid", "dense", "fts5"] = ""
    fusion: Literal["", "rescored", "rrf"] = ""
    min_relevance: Unit | None = Field(None, description="Leave out the less likely")
    explain: bool = False
    include_archived: bool = False
    include_confidence: bool = False
    reinforce: bool | None = Field(None, description="false: do not note this use")
    expansion: Expansion | None = None
    preview_cap: Annotated[int | None, Field(ge=0, description="Cut bodies at this many bytes")] = (
        None
    )
    content_weight: Unit | None = Field(None, description="Favour bodies holding the whole query")
    trust_weight: Unit | None = Field(None, description="Favour verified and certain memories")
    diversity_halving: Unit | None = Field(None, description="Under 1: limit hits per query word")
    recency_half_life_secs: Annotated[
        float | None, Field(ge=0, allow_inf_nan=False, description="Favour the new")
    ] = None
    workspace_hash: WorkspaceFilter = None
    agent_id: AgentFilter = None
    layer: str | None = None
    valid_at: UnixMsField = Field(None, description="Only what was true then")
    valid_from_unix_ms: UnixMsField = None
    valid_to_unix_ms: UnixMsField = None
    valid_op: Literal["overlaps", "contains"] = "overlaps"
    always_on: bool | None = None
    min_trust: str | None = None

    async def run(self, room: Recall, call: Call) -> RecallAnswer:
        offset = min(self.offset, MOST_OFFSET)
        expansion = self.expansion or Expansion()
        query = Query(
            text=self.query,
            mode=_mode(self.mode),
            fusion=Fusion(self.fusion) if self.fusion else Fusion.RESCORED,
            min_relevance=self.min_relevance or 0.0,
            explain=self.explain,
            filter=self._filter(call),
            boosts=Boosts(
                content_weight=self.content_weight or 0.0,
                trust_weight=self.trust_weight or 0.0,
                diversity_halving=1.0 if self.diversity_halving is None else self.diversity_halving,
                recency_half_life_s=self.recency_half_life_secs,
            ),
            limit=min(self.limit, MOST_ITEMS),
            offset=offset,
            variants=expansion.n_variants if expansion.enabled else 0,
        )
        found = await room.search(query, note_use=self.reinforce is not False)
        await _report(found, call)
        return page(  # type: ignore[return-value]  # built key by key
            found,
            offset=offset,
            cap=call.max_answer_bytes,
            preview_cap=self.preview_cap,
            with_confidence=self.include_confidence,
            with_explanation=self.explain,
        )

    def _filter(self, call: Call) -> Filter:
        return Filter(
            category=self.category or None,
            type=self.type or None,
            topic_path=self.topic_path or None,
            workspaces=call.scope.reads(self.workspace_hash),
            agent_id=self.agent_id,
            layer=_layer(self.layer),
            include_archived=self.include_archived,
            min_decay=self.min_decay,
            always_on=self.always_on,
            min_trust=_trust(self.min_trust),
            valid_at=self.valid_at,
            valid_from=self.valid_from_unix_ms,
            valid_to=self.valid_to_unix_ms,
            valid_op=ValidOp(self.valid_op),
        )


class RecallLayer(Tool[Recall]):
    """List the latest memories of a layer: core (world), working (semantic), buffer (episodic)."""

    spec: ClassVar = ToolSpec(
        name="mimir_recall_layer",
        title="Browse a layer",
        effect=Effect.READS,
        room=Recall,
        fits=True,
        failure="Recall failed",
        example={"layer": "buffer", "limit": 5},
    )

    layer: str = Field(json_schema_extra={"enum": ["world", "episodic", "semantic"]})
    limit: Limit = 10
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Recall, call: Call) -> RecallAnswer:
        workspaces = call.scope.reads(self.workspace_hash)
        filter = Filter(layer=_layer(self.layer), workspaces=workspaces)
        found = await room.search(Query("", filter=filter, limit=min(self.limit, MOST_ITEMS)))
        return page(  # type: ignore[return-value]  # built key by key
            found, offset=0, cap=call.max_answer_bytes, preview_cap=None, with_confidence=False
        )


class SemanticSearch(Tool[Recall]):
    """Search by meaning alone. Prefer recall, which also matches words."""

    spec: ClassVar = ToolSpec(
        name="mimir_semantic_search",
        title="Search by meaning",
        effect=Effect.READS,
        room=Recall,
        fits=True,
        failure="Semantic search failed",
        example={"query": "asynchronous messaging between services"},
    )

    query: str
    limit: Limit = 10
    category: CategoryFilter = None
    workspace_hash: WorkspaceFilter = None
    agent_id: AgentFilter = None

    async def run(self, room: Recall, call: Call) -> RecallAnswer:
        filter = Filter(
            category=self.category or None,
            agent_id=self.agent_id,
            workspaces=call.scope.reads(self.workspace_hash),
        )
        query = Query(self.query, Mode.DENSE, filter=filter, limit=min(self.limit, MOST_ITEMS))
        found = await room.search(query)
        await _report(found, call)
        return page(  # type: ignore[return-value]  # built key by key
            found, offset=0, cap=call.max_answer_bytes, preview_cap=None, with_confidence=False
        )


TOOLS: Final[tuple[type[AnyTool], ...]] = (RecallTool, RecallLayer, SemanticSearch)


async def _report(found: Found, call: Call) -> None:
    if found.building is not None:
        await call.report(found.building.done, found.building.total, "loading vectors")


def _trust(label: str | None) -> Trust | None:
    if not label:
        return None
    try:
        return Trust.of(label)
    except KeyError:
        known = ", ".join(tier.label for tier in Trust)
        raise InvalidInput("min_trust", f"must be one of {known}") from None


def _layer(layer: str | None) -> str | None:
    return canonical_layer(layer) if layer else None


def _mode(name: str) -> Mode:
    return Mode(name) if name else Mode.HYBRID
