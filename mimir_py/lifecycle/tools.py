"""Tools that end memories."""

from typing import ClassVar, Final, TypedDict

from mimir_py.lifecycle.models import Wanted
from mimir_py.lifecycle.service import Lifecycle
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.tool import ALL_WORKSPACES


class PurgeAnswer(TypedDict):
    entities_deleted: int
    history_rows_deleted: int
    journal_rows_redacted: int
    bytes_freed: int
    dry_run: bool
    completed_at_unix_ms: int
    aliases_deleted: int
    backups_holding: list[str]
    quoted_in: list[str]
    linked_with: list[str]
    finished: bool


class Purge(Tool[Lifecycle]):
    """Erase all that was forgotten, or one memory by id or by category and key, for good. Names
    backups that still have it."""

    spec: ClassVar = ToolSpec(
        name="mimir_purge",
        title="Erase",
        effect=Effect.DESTROYS,
        words=(),
        idempotent=True,
        room=Lifecycle,
        failure="Purge failed",
        long=True,
        example={"dry_run": True},
    )

    dry_run: bool = False
    id: str | None = None
    category: str | None = None
    key: str | None = None
    workspace_hash: str | None = None

    async def run(self, room: Lifecycle, call: Call) -> PurgeAnswer:
        workspaces = ending_in(call, self.workspace_hash)
        seen = call.scope.reads(self.workspace_hash)
        wanted = Wanted(self.id, self.category, self.key, workspaces, seen)
        done = await room.purge(wanted, dry_run=self.dry_run, report=call.report)
        return {
            "entities_deleted": done.erased.memories,
            "history_rows_deleted": done.erased.versions,
            "journal_rows_redacted": done.erased.entries,
            "bytes_freed": done.bytes_freed,
            "dry_run": self.dry_run,
            "completed_at_unix_ms": done.completed_at_unix_ms,
            "aliases_deleted": done.erased.aliases,
            "backups_holding": list(done.backups_holding),
            "quoted_in": list(done.quoted_in),
            "linked_with": list(done.linked_with),
            "finished": done.finished,
        }


def ending_in(call: Call, named: str | None) -> tuple[str, ...] | None:
    """The workspace in which memories may end: one, or all (`None`) if nothing names one."""
    if named == ALL_WORKSPACES or (named is None and call.scope.workspace is None):
        return None
    return (call.scope.writes(named),)


TOOLS: Final[tuple[type[AnyTool], ...]] = (Purge,)
