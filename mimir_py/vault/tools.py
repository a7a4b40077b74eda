"""Tools that write memories as notes and take them in."""

from typing import Annotated, ClassVar, Final, NotRequired, TypedDict

from pydantic import Field

from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import WorkspaceFilter
from mimir_py.values import UnixMs
from mimir_py.vault.exchange import Notes, folder_of

_MOST_NAMED: Final = 50

VaultDir = Annotated[str, Field(min_length=1)]


class VaultAnswer(TypedDict):
    files_created: int
    files_updated: int
    errors: list[str]
    vault_dir: str
    completed_at_unix_ms: UnixMs
    files_unchanged: int
    conflicts: list[str]
    files_removed: NotRequired[int]
    kept: NotRequired[list[str]]
    secrets: NotRequired[dict[str, int]]


class VaultExport(Tool[Notes]):
    """Write every memory as a Markdown note into a folder, e.g. an Obsidian vault."""

    spec: ClassVar = ToolSpec(
        name="mimir_vault_export",
        title="Export notes",
        effect=Effect.WRITES,
        idempotent=True,
        words=(),
        room=Notes,
        failure="Vault export failed",
        soft_errors=True,
        long=True,
        example={"vault_dir": "~/.mimir/vault"},
    )

    vault_dir: VaultDir
    workspace_hash: WorkspaceFilter = None
    plain: bool = Field(False, description="Also of a sealed store")

    async def run(self, room: Notes, call: Call) -> VaultAnswer:
        workspaces = call.scope.reads(self.workspace_hash)
        done = await room.export(folder_of(self.vault_dir), workspaces, plain=self.plain)
        return {
            "files_created": done.created,
            "files_updated": done.updated,
            "errors": _named(done.errors),
            "vault_dir": self.vault_dir,
            "completed_at_unix_ms": room.now(),
            "files_unchanged": done.unchanged,
            "conflicts": _named(done.conflicts),
            "files_removed": done.removed,
            "kept": _named(done.kept),
        }


class VaultImport(Tool[Notes]):
    """Take in the notes of a folder: new memories, and edits as new versions."""

    spec: ClassVar = ToolSpec(
        name="mimir_vault_import",
        title="Import notes",
        effect=Effect.WRITES,
        idempotent=True,
        words=(),
        room=Notes,
        failure="Vault import failed",
        soft_errors=True,
        long=True,
        example={"vault_dir": "~/.mimir/vault"},
    )

    vault_dir: VaultDir

    async def run(self, room: Notes, call: Call) -> VaultAnswer:
        done = await room.take_in(folder_of(self.vault_dir))
        answer: VaultAnswer = {
            "files_created": done.created,
            "files_updated": done.updated,
            "errors": _named(done.errors),
            "vault_dir": self.vault_dir,
            "completed_at_unix_ms": room.now(),
            "files_unchanged": done.unchanged,
            "conflicts": _named(done.conflicts),
        }
        if done.secrets:
            answer["secrets"] = dict(done.secrets)
        return answer


TOOLS: Final[tuple[type[AnyTool], ...]] = (VaultExport, VaultImport)


def _named(found: list[str]) -> list[str]:
    """The first of many, and how many more there are."""
    more = len(found) - _MOST_NAMED
    return found if more <= 0 else [*found[:_MOST_NAMED], f"and {more} more"]
