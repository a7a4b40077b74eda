"""The tools that copy memories: from another program's store, and between workspaces."""

import os
from pathlib import Path
from typing import Annotated, ClassVar, Final, TypedDict

from pydantic import Field

from mimir_py.errors import ForeignStore, NotFound
from mimir_py.importers.models import Migrated
from mimir_py.importers.service import Migrations
from mimir_py.importers.sharing import Sharing
from mimir_py.security import Trust
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Category, Key, WorkspaceFilter


class MigrateAnswer(TypedDict):
    total_old_memories: int
    entities_created: int
    entities_updated: int
    errors: list[str]
    completed_at_unix_ms: int
    entities_unchanged: int
    versions: int
    journal_entries: int
    state_values: int
    communities: int


class Migrate(Tool[Migrations]):
    """Copy a store of the Rust program (perseus-vault, mneme, mimir) into this one. The file is
    only read; doing it again goes on where it was."""

    spec: ClassVar = ToolSpec(
        name="mimir_migrate",
        title="Copy an old store in",
        effect=Effect.WRITES,
        idempotent=True,
        room=Migrations,
        failure="Migration failed",
        soft_errors=True,
        long=True,
        words=(),
        example={"from_path": "/home/me/.mimir/data/mneme.db"},
    )

    from_path: Annotated[str, Field(min_length=1)]

    async def run(self, room: Migrations, call: Call) -> MigrateAnswer:
        # A person vouches for a file; an agent was only told of it.
        most = Trust.AGENT if call.trust is Trust.USER else Trust.IMPORT
        # Leaves `~somebody` as it is where there is no such person.
        source = Path(os.path.expanduser(self.from_path))  # noqa: ASYNC240, PTH111  # reads no disk
        try:
            done = await room.migrate(source, most=most, report=call.report)
        except (NotFound, ForeignStore) as error:
            # As the contract has it: nothing was there to copy.
            done = Migrated(errors=[str(error)])
        return {
            "total_old_memories": done.total,
            "entities_created": done.created,
            "entities_updated": done.updated,
            "errors": done.errors,
            "completed_at_unix_ms": room.now(),
            "entities_unchanged": done.unchanged,
            "versions": done.versions,
            "journal_entries": done.journal_entries,
            "state_values": done.state_values,
            "communities": done.communities,
        }


class ShareAnswer(TypedDict):
    shared_id: str
    action: str
    from_workspace: str
    to_workspace: str


class Share(Tool[Sharing]):
    """Copy a memory, with history and links, into another workspace."""

    spec: ClassVar = ToolSpec(
        name="mimir_share",
        title="Share a memory",
        effect=Effect.WRITES,
        idempotent=True,
        room=Sharing,
        words=(),
        example={"category": "decision", "key": "queue", "to_workspace": "team-b"},
    )

    category: Category
    key: Key
    to_workspace: str
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Sharing, call: Call) -> ShareAnswer:
        seen = call.scope.reads(self.workspace_hash)
        shared = await room.share(self.category, self.key, self.to_workspace, seen)
        return {
            "shared_id": shared.id,
            "action": shared.action,
            "from_workspace": shared.from_workspace,
            "to_workspace": self.to_workspace,
        }


class FederateAnswer(TypedDict):
    exported: int
    remapped: int
    imported: int
    import_errors: list[str]


class Federate(Tool[Sharing]):
    """Copy all memories of a workspace into another one."""

    spec: ClassVar = ToolSpec(
        name="mimir_federate",
        title="Share a workspace",
        effect=Effect.WRITES,
        idempotent=True,
        room=Sharing,
        long=True,
        words=(),
        example={"from_workspace": "team-a", "to_workspace": "team-b"},
    )

    from_workspace: str
    to_workspace: str
    vault_dir: str = Field("", description="Not used: no files are written")

    async def run(self, room: Sharing, call: Call) -> FederateAnswer:
        done = await room.federate(self.from_workspace, self.to_workspace)
        return {
            "exported": done.found,
            "remapped": done.found,
            "imported": done.stored,
            "import_errors": done.errors,
        }


TOOLS: Final[tuple[type[AnyTool], ...]] = (Migrate, Share, Federate)
