"""Tools that let memories fade, and archive those of least value."""

from dataclasses import asdict, replace
from typing import Annotated, Any, ClassVar, Final, NotRequired, TypedDict

from pydantic import Field

from mimir_py.errors import InvalidInput
from mimir_py.history.retention import Bounds
from mimir_py.lifecycle.fading import FADED_REASON, IDS_LISTED, Fading
from mimir_py.lifecycle.models import Within
from mimir_py.lifecycle.pruning import Choice, prune_reason
from mimir_py.lifecycle.tools import ending_in
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import CategoryFilter, Unit, WorkspaceFilter
from mimir_py.values import MAX_UNIX_MS

_Count = Annotated[int | None, Field(ge=0, le=MAX_UNIX_MS)]


class DecayAnswer(TypedDict):
    entities_checked: int
    entities_updated: int
    auto_archived: int
    completed_at_unix_ms: int
    layers_changed: int
    dry_run: bool
    ids: list[str]


class Decay(Tool[Fading]):
    """Bring freshness up to date: memories fade with time unused, and those that have faded away
    are archived. Use, importance, score and layer slow it; always_on stays."""

    spec: ClassVar = ToolSpec(
        name="mimir_decay",
        title="Let memories fade",
        effect=Effect.DESTROYS,
        idempotent=True,
        words=(),
        room=Fading,
        failure="Decay failed",
        soft_errors=True,
        long=True,
        example={"dry_run": True},
    )

    dry_run: bool = False
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Fading, call: Call) -> DecayAnswer:
        within = Within(ending_in(call, self.workspace_hash))
        done = await room.decay(within, dry_run=self.dry_run, report=call.report)
        return {
            "entities_checked": done.checked,
            "entities_updated": done.updated,
            "auto_archived": len(done.archived),
            "completed_at_unix_ms": done.completed_at_unix_ms,
            "layers_changed": done.moved,
            "dry_run": self.dry_run,
            "ids": list(done.archived[:IDS_LISTED]),
        }


class PruneAnswer(TypedDict):
    dry_run: bool
    archived: NotRequired[int]
    would_archive: NotRequired[int]
    examined: NotRequired[int]
    protected: NotRequired[int]
    ids: NotRequired[list[str]]
    reason: NotRequired[str]
    rows_evicted: NotRequired[int]
    bytes_evicted: NotRequired[int]
    tombstones_written: NotRequired[int]
    keys_affected: NotRequired[int]
    policy: NotRequired[dict[str, Any]]


class Prune(Tool[Fading]):
    """Archive memories by freshness, age or category, least valuable first; never verified,
    always_on or important ones. scope "history" rolls up earlier versions instead."""

    spec: ClassVar = ToolSpec(
        name="mimir_prune",
        title="Archive stale memories",
        effect=Effect.DESTROYS,
        words=(),
        room=Fading,
        failure="Prune failed",
        long=True,
        example={"category": "decision", "min_decay": 0.1, "dry_run": True},
    )

    category: CategoryFilter = None
    min_decay: Annotated[Unit | None, Field(description="Only less fresh ones")] = None
    older_than_days: Annotated[int | None, Field(ge=0, description="By creation")] = None
    limit: Annotated[int, Field(ge=0, description="0: no limit")] = 100
    purge_all: bool = Field(False, description="All that are not protected")
    scope: str = Field("entities", json_schema_extra={"enum": ["entities", "history"]})
    max_age_days: _Count = None
    max_versions_per_key: _Count = None
    max_bytes: _Count = None
    dry_run: bool = False
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Fading, call: Call) -> PruneAnswer:
        workspaces = ending_in(call, self.workspace_hash)
        if self.scope == "history":
            return await self._of_history(room, workspaces)
        choice = Choice(self.min_decay, self.older_than_days)
        if choice == Choice() and self.category is None and not self.purge_all:
            raise InvalidInput(
                "min_decay",
                "at least one of min_decay, older_than_days, category and purge_all is required",
            )
        reason = prune_reason(self.category, choice)
        within = Within(workspaces, self.category)
        done = await room.prune(within, choice, self.limit, reason, dry_run=self.dry_run)
        return {
            "archived": 0 if self.dry_run else len(done.archived),
            "would_archive": len(done.archived),
            "examined": done.matching,
            "protected": done.protected,
            "dry_run": self.dry_run,
            "reason": reason,
            "ids": list(done.archived[:IDS_LISTED]),
        }

    async def _of_history(self, room: Fading, workspaces: tuple[str, ...] | None) -> PruneAnswer:
        bounds = room.history.bounds
        given = {
            name: getattr(self, name)
            for name in ("max_age_days", "max_versions_per_key", "max_bytes")
            if getattr(self, name)
        }
        bounds = replace(bounds, **given)
        if bounds == Bounds(tombstones=bounds.tombstones):
            raise InvalidInput(
                "max_versions_per_key",
                "one of max_age_days, max_versions_per_key and max_bytes is required",
            )
        done = await room.history.retain(bounds, dry_run=self.dry_run, workspaces=workspaces)
        return {
            "rows_evicted": done.rows_evicted,
            "bytes_evicted": done.bytes_evicted,
            "tombstones_written": done.tombstones_written,
            "keys_affected": done.keys_affected,
            "dry_run": self.dry_run,
            "policy": asdict(bounds),
        }


class CompactAnswer(TypedDict):
    entities_archived: int
    entities_examined: int
    protected: int
    dry_run: bool
    completed_at_unix_ms: int
    ids: list[str]


class Compact(Tool[Fading]):
    """Archive every memory less fresh than min_decay; never verified, always_on or important ones.
    A dry run counts what would go."""

    spec: ClassVar = ToolSpec(
        name="mimir_compact",
        title="Archive faded memories",
        effect=Effect.DESTROYS,
        idempotent=True,
        words=(),
        room=Fading,
        failure="Compact failed",
        soft_errors=True,
        long=True,
        example={"min_decay": 0.05, "dry_run": True},
    )

    min_decay: Unit = 0.1
    dry_run: bool = False
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Fading, call: Call) -> CompactAnswer:
        within = Within(ending_in(call, self.workspace_hash))
        choice = Choice(min_decay=self.min_decay)
        done = await room.prune(within, choice, 0, FADED_REASON, dry_run=self.dry_run)
        return {
            "entities_archived": len(done.archived),
            "entities_examined": done.examined,
            "protected": done.protected,
            "dry_run": self.dry_run,
            "completed_at_unix_ms": done.completed_at_unix_ms,
            "ids": list(done.archived[:IDS_LISTED]),
        }


TOOLS: Final[tuple[type[AnyTool], ...]] = (Decay, Prune, Compact)
