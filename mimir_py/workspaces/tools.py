"""The tool that lists what a store is divided into."""

from typing import Any, ClassVar, Final, NotRequired, TypedDict

from mimir_py.storage.database import Database
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import WorkspaceFilter
from mimir_py.workspaces.store import counts


class Workspaces:
    """The room's door."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self) -> list[tuple[str, str, int]]:
        """Live memories as (category, workspace, count)."""
        return await self._database.read(counts)


class WorkspaceListAnswer(TypedDict):
    categories: list[str]
    total: int
    workspaces: list[dict[str, Any]]
    session_workspace: NotRequired[str]


class WorkspaceList(Tool[Workspaces]):
    """List the categories and workspaces that hold memories."""

    spec: ClassVar = ToolSpec(
        name="mimir_workspace_list",
        title="List categories and workspaces",
        effect=Effect.READS,
        room=Workspaces,
        failure="Workspace list failed",
        soft_errors=True,
        example={},
    )

    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Workspaces, call: Call) -> WorkspaceListAnswer:
        seen = call.scope.reads(self.workspace_hash)
        rows = [row for row in await room.counts() if seen is None or row[1] in seen]
        memories: dict[str, int] = {}
        for _, workspace, count in rows:
            memories[workspace] = memories.get(workspace, 0) + count
        categories = sorted({category for category, _, _ in rows})
        answer: WorkspaceListAnswer = {
            "categories": categories,
            "total": len(categories),
            "workspaces": [
                {"workspace_hash": name, "memories": count}
                for name, count in sorted(memories.items())
            ],
        }
        if call.scope.workspace is not None:
            answer["session_workspace"] = call.scope.workspace
        return answer


TOOLS: Final[tuple[type[AnyTool], ...]] = (WorkspaceList,)
