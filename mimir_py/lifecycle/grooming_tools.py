"""Tools that keep memories coherent: linking and merging what is alike."""

from typing import Annotated, Any, ClassVar, Final, TypedDict

from pydantic import Field

from mimir_py.entities.retention import FADED, WORKING_USES
from mimir_py.lifecycle.fading import IDS_LISTED
from mimir_py.lifecycle.grooming import MOST_LINKS, Grooming
from mimir_py.lifecycle.merging import Observation
from mimir_py.lifecycle.models import Merging, Within
from mimir_py.lifecycle.pruning import Rule
from mimir_py.lifecycle.tools import ending_in
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Unit, WorkspaceFilter
from mimir_py.values import MAX_UNIX_MS

_Count = Annotated[int, Field(ge=0, le=MAX_UNIX_MS)]


class CohereAnswer(TypedDict):
    promoted: int
    decayed: int
    linked: int
    archived: int
    entities_examined: int
    dry_run: bool
    completed_at_unix_ms: int
    links: list[dict[str, Any]]
    ids: list[str]


class Cohere(Tool[Grooming]):
    """Tidy up: promote what is used, let the rest fade, archive what has faded away, and link
    tagged memories of a category that are alike."""

    spec: ClassVar = ToolSpec(
        name="mimir_cohere",
        title="Tidy memories",
        effect=Effect.DESTROYS,
        words=(),
        room=Grooming,
        failure="Cohere failed",
        long=True,
        example={"dry_run": True},
    )

    dry_run: bool = False
    max_links: Annotated[_Count, Field(description=f"At most {MOST_LINKS}")] = 20
    promote_threshold: Annotated[_Count, Field(description="Uses to leave buffer")] = WORKING_USES
    archive_threshold: Annotated[Unit, Field(description="Archive below")] = FADED
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Grooming, call: Call) -> CohereAnswer:
        done = await room.cohere(
            Within(ending_in(call, self.workspace_hash)),
            Rule(self.promote_threshold, self.archive_threshold),
            min(self.max_links, MOST_LINKS),
            dry_run=self.dry_run,
            report=call.report,
        )
        return {
            "promoted": done.promoted,
            "decayed": done.faded,
            "linked": len(done.links),
            "archived": len(done.archived),
            "entities_examined": done.examined,
            "dry_run": self.dry_run,
            "completed_at_unix_ms": done.completed_at_unix_ms,
            "links": [vars(link) for link in done.links],
            "ids": list(done.archived[:IDS_LISTED]),
        }


class ConsolidateAnswer(TypedDict):
    category: str
    entities_examined: int
    observations_created: int
    source_entities_merged: int
    sources_archived: int
    dry_run: bool
    observations: list[dict[str, Any]]


class Consolidate(Tool[Grooming]):
    """Merge memories of a category that say nearly the same into observations, which link to them.
    archive_sources hides the sources; get_entity still shows them."""

    spec: ClassVar = ToolSpec(
        name="mimir_consolidate",
        title="Merge repeats",
        effect=Effect.WRITES,
        idempotent=True,
        words=(),
        room=Grooming,
        failure="Consolidate failed",
        soft_errors=True,
        long=True,
        example={"category": "decision", "dry_run": True},
    )

    category: str
    similarity_threshold: Unit = 0.6
    limit: int = 50
    offset: Annotated[int, Field(le=MAX_UNIX_MS)] = 0
    dry_run: bool = False
    cold_first: bool = Field(False, description="Begin with the longest unused")
    archive_sources: bool = False
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Grooming, call: Call) -> ConsolidateAnswer:
        merging = Merging(
            self.similarity_threshold,
            max(self.limit, 0),
            max(self.offset, 0),
            self.cold_first,
            self.archive_sources,
        )
        within = Within(ending_in(call, self.workspace_hash), self.category)
        done = await room.consolidate(within, merging, dry_run=self.dry_run)
        return {
            "category": self.category,
            "entities_examined": done.examined,
            "observations_created": len(done.observations),
            "source_entities_merged": sum(len(made.sources) for made in done.observations),
            "sources_archived": len(done.archived),
            "dry_run": self.dry_run,
            "observations": [_shown(made) for made in done.observations],
        }


class AutocohereAnswer(TypedDict):
    promoted_entities: int
    links_created: int
    archived_entities: int
    decay_updates: int
    compact_archived_count: int
    observations_created: int
    consolidate_sources_archived: int
    history_rows_evicted: int
    history_bytes_evicted: int
    history_tombstones_written: int
    db_size_delta_bytes: int
    dry_run: bool


class Autocohere(Tool[Grooming]):
    """All of cohere, decay and consolidate at once, and the limits on earlier versions. Archives
    merged sources that say nothing more."""

    spec: ClassVar = ToolSpec(
        name="mimir_autocohere",
        title="Groom the whole memory",
        effect=Effect.DESTROYS,
        words=(),
        room=Grooming,
        failure="Autocohere failed",
        long=True,
        example={"dry_run": True},
    )

    dry_run: bool = False
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Grooming, call: Call) -> AutocohereAnswer:
        within = Within(ending_in(call, self.workspace_hash))
        done = await room.autocohere(within, dry_run=self.dry_run, report=call.report)
        return {
            "promoted_entities": done.cohered.promoted,
            "links_created": len(done.cohered.links),
            "archived_entities": len(done.cohered.archived),
            "decay_updates": done.cohered.updated,
            # One rule decides what has faded away, so that nothing is left to compact.
            "compact_archived_count": 0,
            "observations_created": sum(len(one.observations) for one in done.consolidated),
            "consolidate_sources_archived": sum(len(one.archived) for one in done.consolidated),
            "history_rows_evicted": done.retained.rows_evicted,
            "history_bytes_evicted": done.retained.bytes_evicted,
            "history_tombstones_written": done.retained.tombstones_written,
            "db_size_delta_bytes": done.size_delta_bytes,
            "dry_run": self.dry_run,
        }


TOOLS: Final[tuple[type[AnyTool], ...]] = (Cohere, Consolidate, Autocohere)


def _shown(made: Observation) -> dict[str, Any]:
    return {
        "entity_id": made.entity_id,
        "key": made.key,
        "summary": made.best.body_json,
        "source_ids": [source.id for source in made.sources],
        "proof_count": len(made.sources),
        "certainty": made.certainty,
    }
