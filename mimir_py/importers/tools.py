"""The tools that copy memories: from another program's store, and between workspaces."""

import os
from pathlib import Path
from typing import Annotated, ClassVar, Final, TypedDict

from pydantic import Field

from mimir_py.errors import ForeignStore, InvalidInput, NotFound
from mimir_py.importers.models import Migrated
from mimir_py.importers.other_store import OtherStore
from mimir_py.importers.service import Migrations
from mimir_py.importers.sharing import Sharing
from mimir_py.security import Trust
from mimir_py.security.keys import from_key_file
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
        source = _path(self.from_path)
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


ToDb = Annotated[str, Field(description="Another store's file; it must exist")]
ToKey = Annotated[str, Field(description="Its key file, if it is sealed")]
Plain = Annotated[bool, Field(description="Though this store is sealed and that one is not")]


class ShareAnswer(TypedDict):
    shared_id: str
    action: str
    from_workspace: str
    to_workspace: str


class Share(Tool[Sharing]):
    """Copy a memory, with history and links, into another workspace or store."""

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
    to_db: ToDb = ""
    to_key: ToKey = ""
    plain: Plain = False

    async def run(self, room: Sharing, call: Call) -> ShareAnswer:
        seen = call.scope.reads(self.workspace_hash)
        other = _other(self.to_db, self.to_key, plain=self.plain)
        shared = await room.share(self.category, self.key, self.to_workspace, seen, other)
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
    """Copy all memories of a workspace into another one, or another store."""

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
    to_db: ToDb = ""
    to_key: ToKey = ""
    plain: Plain = False

    async def run(self, room: Sharing, call: Call) -> FederateAnswer:
        other = _other(self.to_db, self.to_key, plain=self.plain)
        done = await room.federate(self.from_workspace, self.to_workspace, other)
        return {
            "exported": done.found,
            "remapped": done.found,
            "imported": done.stored,
            "import_errors": done.errors,
        }


def _other(db: str, key: str, *, plain: bool) -> OtherStore | None:
    if not db:
        if key:
            raise InvalidInput("to_key", "is of another store: name that with to_db")
        return None
    secret = from_key_file(_path(key)) if key else None
    return OtherStore(_path(db), secret, plain=plain)


def _path(text: str) -> Path:
    """A path; leaves `~somebody` as it is where there is no such person."""
    return Path(os.path.expanduser(text))  # noqa: PTH111  # Path raises for them


TOOLS: Final[tuple[type[AnyTool], ...]] = (Migrate, Share, Federate)
