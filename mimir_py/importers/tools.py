"""The tool that takes another program's store in."""

import os
from pathlib import Path
from typing import Annotated, ClassVar, Final, TypedDict

from pydantic import Field

from mimir_py.errors import ForeignStore, NotFound
from mimir_py.importers.models import Migrated
from mimir_py.importers.service import Migrations
from mimir_py.security import Trust
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec


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


TOOLS: Final[tuple[type[AnyTool], ...]] = (Migrate,)
