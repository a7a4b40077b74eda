"""The tool on contradictions."""

from typing import Annotated, Any, ClassVar, Final, NotRequired, TypedDict

from pydantic import Field

from mimir_py.entities import Entity
from mimir_py.quality.conflicts import MOST_COMPARED, Conflicts
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Unit, WorkspaceFilter

_Name = Annotated[str, Field(min_length=1)]
_Count = Annotated[int, Field(ge=0)]


class ConflictsAnswer(TypedDict):
    category: str
    entities_compared: int
    conflicts_found: NotRequired[int]
    total: NotRequired[int]
    threshold: NotRequired[float]
    conflicts: NotRequired[list[dict[str, Any]]]
    resolved: NotRequired[int]
    skipped_ambiguous: NotRequired[int]
    dry_run: NotRequired[bool]
    certainty_margin: NotRequired[float]
    invalidations: NotRequired[list[dict[str, Any]]]
    next_offset: NotRequired[int]


class ConflictsTool(Tool[Conflicts]):
    """Find memories of a category that contradict each other. With resolve and dry_run false the
    surer one takes the other's place; mimir_undo takes that back."""

    spec: ClassVar = ToolSpec(
        name="mimir_conflicts",
        title="Contradictions",
        effect=Effect.DESTROYS,
        room=Conflicts,
        failure="Conflicts failed",
        soft_errors=True,
        words=(),
        example={"category": "decision"},
    )

    category: _Name
    threshold: Unit = Field(0.4, description="Least similarity")
    limit: _Count = 10
    offset: _Count = 0
    resolve: bool = False
    dry_run: bool = True
    certainty_margin: Unit = 0.2
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Conflicts, call: Call) -> ConflictsAnswer:
        workspaces = call.scope.reads(self.workspace_hash)
        if self.resolve:
            return await self._resolve(room, workspaces)
        compared = await room.find(self.category, self.threshold, self.offset, workspaces)
        listed = compared.found[: self.limit]
        answer: ConflictsAnswer = {
            "category": self.category,
            "entities_compared": compared.count,
            "conflicts_found": len(listed),
            "total": len(compared.found),
            "threshold": self.threshold,
            "conflicts": [
                {
                    "entity_a": _named(found.one),
                    "entity_b": _named(found.other),
                    "similarity": found.similarity,
                    "conflict_likely": found.is_likely,
                    "certainty_boosted": found.is_boosted,
                }
                for found in listed
            ],
        }
        if compared.has_more:
            answer["next_offset"] = self.offset + MOST_COMPARED
        return answer

    async def _resolve(
        self, room: Conflicts, workspaces: tuple[str, ...] | None
    ) -> ConflictsAnswer:
        resolved = await room.resolve(
            self.category,
            self.threshold,
            self.certainty_margin,
            self.limit,
            self.offset,
            workspaces,
            dry_run=self.dry_run,
        )
        return {
            "category": self.category,
            "entities_compared": resolved.compared,
            "resolved": len(resolved.settled),
            "skipped_ambiguous": resolved.skipped_ambiguous,
            "dry_run": self.dry_run,
            "certainty_margin": self.certainty_margin,
            "invalidations": [
                {
                    "winner": _named(settled.one),
                    "loser": _named(settled.other),
                    "similarity": settled.similarity,
                }
                for settled in resolved.settled
            ],
        }


def _named(memory: Entity) -> dict[str, Any]:
    return {"id": memory.id, "key": memory.key, "certainty": memory.certainty}


TOOLS: Final[tuple[type[AnyTool], ...]] = (ConflictsTool,)
