"""The tools that read files."""

from typing import Annotated, Any, ClassVar, Final, NotRequired, TypedDict

from pydantic import Field

from mimir_py.documents.models import CATEGORY, Wish
from mimir_py.documents.service import Documents
from mimir_py.documents.watching import Watching
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Category, Workspace

_MOST_DELETED: Final = 100


class IngestFileAnswer(TypedDict):
    id: str
    action: str
    category: str
    key: str
    chars: int
    source_path: str
    parts: NotRequired[int]
    problems: NotRequired[list[str]]
    pending_chunks: NotRequired[int]
    redacted: NotRequired[list[dict[str, Any]]]
    secrets: NotRequired[list[dict[str, Any]]]


class IngestFile(Tool[Documents]):
    """Remember what a file says: text, source code, HTML, PDF, DOCX. Only files in the project (or
    the folders the user allows). The same file again updates it; recall finds any part of it and
    says where."""

    spec: ClassVar = ToolSpec(
        name="mimir_ingest_file",
        title="Read a file in",
        effect=Effect.WRITES,
        idempotent=True,
        room=Documents,
        failure="Ingest failed",
        long=True,
        # Its words are in the file, where the room looks for secrets, and in the others as well.
        words=(),
        example={"path": "README.md"},
    )

    path: Annotated[str, Field(min_length=1)]
    category: Category = CATEGORY
    key: str | None = Field(None, description="Default: the file's name")
    tags: list[str] | None = None
    workspace_hash: Workspace = None

    async def run(self, room: Documents, call: Call) -> IngestFileAnswer:
        wish = Wish(
            self.category,
            self.key or None,
            None if self.tags is None else tuple(self.tags),
            call.scope.writes(self.workspace_hash),
        )
        stored = await room.ingest_file(self.path, wish)
        answer: IngestFileAnswer = {
            "id": stored.id,
            "action": stored.action,
            "category": stored.category,
            "key": stored.key,
            "chars": stored.chars,
            "source_path": stored.path,
        }
        if stored.parts > 1:
            answer["parts"] = stored.parts
        if stored.problems:
            answer["problems"] = list(stored.problems)
        if stored.pending_chunks:
            answer["pending_chunks"] = stored.pending_chunks
        if stored.secrets:
            found = [{"field": f, "kind": kind, "count": n} for f, kind, n in stored.secrets]
            answer["redacted" if stored.is_redacted else "secrets"] = found
        return answer


class IngestAnswer(TypedDict):
    ingested: int
    dry_run: bool
    errors: list[str]
    unchanged: int
    deleted: NotRequired[list[str]]


class Ingest(Tool[Watching]):
    """Remember what is new or changed in the folders that the user lets Mimir watch. The server
    does so by itself, too."""

    spec: ClassVar = ToolSpec(
        name="mimir_ingest",
        title="Read watched folders",
        effect=Effect.WRITES,
        idempotent=True,
        room=Watching,
        failure="Ingest failed",
        long=True,
        words=(),
        example={"connector": "file_watcher"},
    )

    connector: str | None = Field(None, description="Default: all")
    dry_run: bool = False

    async def run(self, room: Watching, call: Call) -> IngestAnswer:
        done = await room.ingest(self.connector, dry_run=self.dry_run, report=call.report)
        answer: IngestAnswer = {
            "ingested": done.created + done.updated,
            "dry_run": self.dry_run,
            "errors": [f"{place}: {why}" for place, why in done.problems.items()],
            "unchanged": done.unchanged,
        }
        if done.deleted:
            answer["deleted"] = done.deleted[:_MOST_DELETED]
        return answer


TOOLS: Final[tuple[type[AnyTool], ...]] = (IngestFile, Ingest)
