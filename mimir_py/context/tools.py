"""Tools that tell an agent what it did not ask for, and take a text apart."""

from typing import Annotated, Any, ClassVar, Final, Literal, TypedDict

from pydantic import Field

from mimir_py.context.extraction import extract
from mimir_py.context.models import Mode, Wanted, budget_of
from mimir_py.context.service import Contexts
from mimir_py.entities import Memories
from mimir_py.entities.items import ITEM_FIELDS, item, with_body_fields
from mimir_py.entities.text import body_text, load_json
from mimir_py.errors import InvalidInput, NotFound
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import CategoryFilter, Limit, WorkspaceFilter

MOST_ITEMS: Final = 100
_MODES: Final = {
    "": Mode.ON_DEMAND,
    "on_demand": Mode.ON_DEMAND,
    "always_inject": Mode.ALWAYS_INJECT,
    "legacy": Mode.ALWAYS_INJECT,
}


class ContextAnswer(TypedDict):
    markdown: str
    context: str
    total_chars: int
    mode: str
    budget_chars: int | None
    entities_injected: int
    warnings: list[str]


class Context(Tool[Contexts]):
    """A block of memories for a prompt: what is always on, and what fits the task in `query`."""

    spec: ClassVar = ToolSpec(
        name="mimir_context",
        title="Context for a task",
        effect=Effect.READS,
        room=Contexts,
        failure="Context failed",
        soft_errors=True,
        fits=True,
        example={"query": "deploy the billing service"},
    )

    categories: list[str] = Field([], description="Only these")
    limit: Annotated[Limit, Field(le=MOST_ITEMS)] = 10
    workspace_hash: WorkspaceFilter = None
    query: str | None = Field(None, description="The task at hand")
    mode: Literal["", "on_demand", "always_inject", "legacy"] | None = None
    model: str | None = None
    max_context_chars: Annotated[int | None, Field(ge=0, description="200 to 200000")] = None

    async def run(self, room: Contexts, call: Call) -> ContextAnswer:
        mode = _MODES[self.mode or ""]
        budget = budget_of(mode, self.model, self.max_context_chars)
        most = call.max_answer_bytes // 5 if call.max_answer_bytes else 0
        block = await room.block(
            Wanted(
                self.query or "",
                mode,
                self.limit,
                min(filter(None, (budget, most)), default=0),
                tuple(self.categories),
                call.scope.reads(self.workspace_hash),
            )
        )
        return {
            "markdown": block.markdown,
            "context": block.markdown,
            "total_chars": len(block.markdown),
            "mode": mode.value,
            "budget_chars": budget or None,
            "entities_injected": block.injected,
            "warnings": list(block.warnings),
        }


class RecallWhenAnswer(TypedDict):
    items: list[dict[str, Any]]
    total: int
    context: str


class RecallWhen(Tool[Contexts]):
    """Memories that asked to be brought up in such a situation (`recall_when`)."""

    spec: ClassVar = ToolSpec(
        name="mimir_recall_when",
        title="Memories that ask to come up",
        effect=Effect.READS,
        room=Contexts,
        failure="Recall failed",
        example={"context": "about to migrate the postgres cluster"},
    )

    context: str = Field(description="What you are about to do")
    limit: Limit = 10
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Contexts, call: Call) -> RecallWhenAnswer:
        workspaces = call.scope.reads(self.workspace_hash)
        found = await room.brought_up(self.context, min(self.limit, MOST_ITEMS), workspaces)
        items = [with_body_fields(item(entity), ITEM_FIELDS) for entity in found]
        return {"items": items, "total": len(items), "context": self.context}


class ExtractAnswer(TypedDict):
    items: list[dict[str, str]]
    total: int
    strategy: str


class Extract(Tool[Memories]):
    """Sentences of a text or memory that would make memories: facts, preferences, episodes, events
    in time."""

    spec: ClassVar = ToolSpec(
        name="mimir_extract",
        title="Extract from text",
        effect=Effect.READS,
        room=Memories,
        failure="Extract failed",
        example={"text": "I prefer tabs. We shipped v2 on Monday."},
    )

    text: str = ""
    category: CategoryFilter = None
    key: str | None = None
    strategy: str = "rule_based"
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Memories, call: Call) -> ExtractAnswer:
        items = []
        if self.strategy == "rule_based":
            items = [vars(found) for found in extract(await self._source(room, call))]
        return {"items": items, "total": len(items), "strategy": self.strategy}

    async def _source(self, room: Memories, call: Call) -> str:
        if self.text.strip():
            return self.text
        if not self.category or not self.key:
            raise InvalidInput("text", "is empty: give a text, or category and key of a memory")
        found = await room.named(self.category, self.key, call.scope.reads(self.workspace_hash))
        if not found:
            raise NotFound(f"Entity not found: {self.category}/{self.key}")
        return body_text(load_json(found[0].body_json))


TOOLS: Final[tuple[type[AnyTool], ...]] = (Context, RecallWhen, Extract)
