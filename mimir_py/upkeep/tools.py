"""Tools that look after the store."""

from dataclasses import asdict
from typing import Annotated, ClassVar, Final, NotRequired, TypedDict, cast

from pydantic import Field

from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import WorkspaceFilter
from mimir_py.upkeep.maintenance import Chores, Maintenance
from mimir_py.upkeep.service import Upkeep, as_answer


class EmbedAnswer(TypedDict):
    embedded: int
    id: NotRequired[str]
    dimensions: NotRequired[int]
    batch_category: NotRequired[str]
    errors: NotRequired[list[str]]


class Embed(Tool[Upkeep]):
    """Compute vectors: of one memory again (category and key, optionally from other text), or of
    the memories of a category that have none yet (batch_category). Remembering embeds by itself."""

    spec: ClassVar = ToolSpec(
        name="mimir_embed",
        title="Compute vectors",
        effect=Effect.WRITES,
        words=(),
        idempotent=True,
        room=Upkeep,
        failure="Embed failed",
        long=True,
        example={"batch_category": "decision", "batch_limit": 10},
    )

    text: str | None = Field(None, description="Embed this instead of the body")
    category: str | None = None
    key: str | None = None
    workspace_hash: WorkspaceFilter = None
    batch_category: str | None = None
    batch_limit: Annotated[int, Field(ge=0, description="Most memories of a batch")] = 100

    async def run(self, room: Upkeep, call: Call) -> EmbedAnswer:
        workspaces = call.scope.reads(self.workspace_hash)
        if self.batch_category:
            done = await room.embed_category(
                self.batch_category, self.batch_limit, workspaces, call.report
            )
            return {
                "embedded": done.embedded,
                "batch_category": self.batch_category,
                "errors": list(done.errors),
            }
        entity_id = await room.embed_named(
            self.category or "", self.key or "", self.text, workspaces
        )
        return {"embedded": 1, "id": entity_id, "dimensions": room.dimension}


class ReindexAnswer(TypedDict):
    reindexed: int


class Reindex(Tool[Upkeep]):
    """Build the search indexes anew from the stored memories. Needed only if doctor says so."""

    spec: ClassVar = ToolSpec(
        name="mimir_reindex",
        title="Rebuild the search indexes",
        effect=Effect.WRITES,
        words=(),
        idempotent=True,
        room=Upkeep,
        failure="Reindex failed",
        soft_errors=True,
        long=True,
        example={},
    )

    async def run(self, room: Upkeep, call: Call) -> ReindexAnswer:
        return {"reindexed": await room.reindex(call.report)}


class IndexAnswer(TypedDict):
    state: str
    done: int
    total: int


class HealthAnswer(TypedDict):
    status: str
    index: NotRequired[IndexAnswer]


class Health(Tool[Upkeep]):
    """Say whether the store answers."""

    spec: ClassVar = ToolSpec(
        name="mimir_health",
        title="Check health",
        effect=Effect.READS,
        room=Upkeep,
        lean=True,
        example={},
    )

    async def run(self, room: Upkeep, call: Call) -> HealthAnswer:
        index = await room.health()
        if index.state == "ready":
            return {"status": "healthy"}
        progress: IndexAnswer = {"state": index.state, "done": index.done, "total": index.total}
        return {"status": "healthy", "index": progress}


class StatsAnswer(TypedDict):
    total_entities: int
    by_category: dict[str, int]
    by_type: dict[str, int]
    by_layer: dict[str, int]
    db_file_size_bytes: int
    index: IndexAnswer


class Stats(Tool[Upkeep]):
    """Count what is stored: memories by category, type and layer, versions, size on disk, ages."""

    spec: ClassVar = ToolSpec(
        name="mimir_stats",
        title="Store statistics",
        effect=Effect.READS,
        room=Upkeep,
        failure="Stats failed",
        soft_errors=True,
        example={},
    )

    async def run(self, room: Upkeep, call: Call) -> StatsAnswer:
        return cast("StatsAnswer", as_answer(await room.statistics()))


class MaintenanceAnswer(TypedDict):
    dedup_archived: int
    orphan_journal_entries_found: int
    orphan_links_found: int
    vacuum_reclaimed_bytes: int
    reindex_rows_affected: int
    history_rows_evicted: int
    history_bytes_evicted: int
    history_tombstones_written: int
    dry_run: bool
    errors: list[str]
    vacuum_reclaimable_bytes: int


class MaintenanceTool(Tool[Maintenance]):
    """Look after the file: count links and events about nothing (orphans), keep history to its
    limits, rebuild indexes, give free pages back (vacuum). all does everything."""

    spec: ClassVar = ToolSpec(
        name="mimir_maintenance",
        title="Maintain the store",
        effect=Effect.DESTROYS,
        words=(),
        idempotent=True,
        room=Maintenance,
        failure="Maintenance failed",
        long=True,
        example={"all": True, "dry_run": True},
    )

    dedup: bool = Field(False, description="Names are unique: finds nothing")
    orphans: bool = False
    vacuum: bool = False
    reindex: bool = False
    history: bool = False
    all: bool = False
    dry_run: bool = False

    async def run(self, room: Maintenance, call: Call) -> MaintenanceAnswer:
        chores = Chores(
            self.all or self.orphans,
            self.all or self.vacuum,
            self.all or self.reindex,
            self.all or self.history,
        )
        done = await room.maintain(chores, call.report, dry_run=self.dry_run)
        # Within a workspace a name is unique, so that there is never one to take out.
        answer = {"dedup_archived": 0, **asdict(done), "dry_run": self.dry_run}
        return cast("MaintenanceAnswer", answer)


TOOLS: Final[tuple[type[AnyTool], ...]] = (Embed, Reindex, Health, Stats, MaintenanceTool)
