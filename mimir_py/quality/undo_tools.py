"""The tool that undoes changes."""

from typing import Any, ClassVar, Final, TypedDict

from mimir_py.errors import InvalidInput
from mimir_py.quality.planning import Since, Skipped, Undone
from mimir_py.quality.reversal import is_import
from mimir_py.quality.undo import Undo
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import UnixMsField, WorkspaceFilter


class UndoAnswer(TypedDict):
    dry_run: bool
    undone: list[dict[str, Any]]
    skipped: list[dict[str, Any]]
    total: int
    journal_ids: list[str]


class UndoTool(Tool[Undo]):
    """Undo a change of a memory (its journal id; timeline with include_audit lists them), or all
    that a source changed since a time. Undoing can be undone."""

    spec: ClassVar = ToolSpec(
        name="mimir_undo",
        title="Undo changes",
        effect=Effect.DESTROYS,
        room=Undo,
        failure="Undo failed",
        words=(),
        example={"source": "connector:github", "since_unix_ms": 1_750_000_000_000},
    )

    journal_id: str | None = None
    source: str | None = None
    since_unix_ms: UnixMsField = None
    dry_run: bool | None = None
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Undo, call: Call) -> UndoAnswer:
        wanted = self._wanted()
        # What is named is meant; what is swept up is looked at first.
        dry_run = isinstance(wanted, Since) if self.dry_run is None else self.dry_run
        workspaces = call.scope.reads(self.workspace_hash)
        plan, entries = await room.undo(wanted, workspaces, dry_run=dry_run)
        return {
            "dry_run": dry_run,
            "undone": [_done(step) for step in plan.steps],
            "skipped": [_left(skipped) for skipped in plan.skipped],
            "total": plan.total,
            "journal_ids": entries,
        }

    def _wanted(self) -> str | Since:
        if self.journal_id is not None and self.source is None and self.since_unix_ms is None:
            return self.journal_id
        if self.journal_id is not None:
            raise InvalidInput("journal_id", "goes without source and since_unix_ms")
        if self.source is None:
            raise InvalidInput("source", "is required, with since_unix_ms, or else journal_id")
        if self.since_unix_ms is None and not is_import(self.source):
            raise InvalidInput("since_unix_ms", "is required with source")
        return Since(self.source, self.since_unix_ms or 0)


def _done(step: Undone) -> dict[str, Any]:
    said = {
        "entity_id": step.memory.id,
        "category": step.memory.category,
        "key": step.memory.key,
        "workspace_hash": step.memory.workspace_hash,
        "action": step.step.value,
        "undid": list(step.journal_ids),
    }
    return {**said, "new_key": step.oldest.name} if step.oldest.name else said


def _left(skipped: Skipped) -> dict[str, str]:
    said = {"entity_id": skipped.entity_id, "why": skipped.why}
    return said if skipped.journal_id is None else {**said, "journal_id": skipped.journal_id}


TOOLS: Final[tuple[type[AnyTool], ...]] = (UndoTool,)
