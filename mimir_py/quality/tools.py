"""Tools that judge memories and learn from corrections."""

from typing import Annotated, ClassVar, Final, TypedDict

from pydantic import Field

from mimir_py.quality.efficacy import efficacy
from mimir_py.quality.models import Benchmark, Correction
from mimir_py.quality.service import CORRECTION, Quality
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.fields import Category, Key, UnixMsField, Workspace, WorkspaceFilter
from mimir_py.values import MAX_UNIX_MS

_Text = Annotated[str, Field(min_length=1)]


class ScoreAnswer(TypedDict):
    found: bool
    category: str
    key: str
    score: float


class Score(Tool[Quality]):
    """Say what a memory is worth, 0 to 1; it never fades below. From 0.7 on it is verified."""

    spec: ClassVar = ToolSpec(
        name="mimir_score",
        title="Score a memory",
        effect=Effect.WRITES,
        idempotent=True,
        room=Quality,
        failure="Score failed",
        soft_errors=True,
        words=(),
        example={"category": "decision", "key": "queue", "score": 0.9},
    )

    category: Category
    key: Key
    score: Annotated[float, Field(allow_inf_nan=False)]
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Quality, call: Call) -> ScoreAnswer:
        workspaces = call.scope.reads(self.workspace_hash)
        found = await room.score(self.category, self.key, self.score, workspaces)
        return {"found": found, "category": self.category, "key": self.key, "score": self.score}


class FollowAnswer(TypedDict):
    found: bool
    category: str
    key: str
    follow_count: int
    miss_count: int
    follow_rate: float
    efficacy_status: str


class Follow(Tool[Quality]):
    """Say whether the advice of a memory was followed. After five times it is useful or dead, which
    decides how fast it fades."""

    spec: ClassVar = ToolSpec(
        name="mimir_follow",
        title="Note use of advice",
        effect=Effect.WRITES,
        room=Quality,
        failure="Follow failed",
        words=(),
        example={"category": "decision", "key": "queue", "followed": True},
    )

    category: Category
    key: Key
    followed: bool
    context: str | None = None
    workspace_hash: WorkspaceFilter = None

    async def run(self, room: Quality, call: Call) -> FollowAnswer:
        workspaces = call.scope.reads(self.workspace_hash)
        counted = await room.follow(self.category, self.key, self.followed, workspaces)
        seen = efficacy(0, 0) if counted is None else counted
        return {
            "found": counted is not None,
            "category": self.category,
            "key": self.key,
            "follow_count": seen.follow_count,
            "miss_count": seen.miss_count,
            "follow_rate": seen.rate,
            "efficacy_status": seen.status,
        }


class CorrectAnswer(TypedDict):
    entity_id: str
    journal_id: str
    category: str
    key: str
    created_at_unix_ms: int


class Correct(Tool[Quality]):
    """Remember a correction by the user, so that the same mistake does not happen again."""

    spec: ClassVar = ToolSpec(
        name="mimir_correct",
        title="Learn from a correction",
        effect=Effect.WRITES,
        room=Quality,
        failure="Correct failed",
        words=("wrong_approach", "user_correction", "task_context", "tags"),
        example={
            "wrong_approach": "edited the generated file",
            "user_correction": "change the template and run make",
            "task_context": "fixing a typo in the API docs",
        },
    )

    wrong_approach: _Text
    user_correction: _Text
    task_context: _Text
    session_id: str = ""
    tags: list[str] = Field(default_factory=list)
    category: str = Field("", description=f"Default: {CORRECTION}")
    visibility: str = "workspace"
    valid_from_unix_ms: UnixMsField = None
    valid_to_unix_ms: UnixMsField = None
    workspace_hash: Workspace = None

    async def run(self, room: Quality, call: Call) -> CorrectAnswer:
        correction = Correction(
            self.wrong_approach,
            self.user_correction,
            self.task_context,
            self.session_id,
            tuple(self.tags),
            self.category or CORRECTION,
            self.visibility,
            call.trust,
            self.valid_from_unix_ms,
            self.valid_to_unix_ms,
        )
        learned = await room.correct(correction, call.scope.writes(self.workspace_hash))
        return {
            "entity_id": learned.entity_id,
            "journal_id": learned.journal_id,
            "category": correction.category,
            "key": learned.key,
            "created_at_unix_ms": learned.created_at_unix_ms,
        }


class BenchAnswer(TypedDict):
    entity_id: str
    created_at_unix_ms: int


_Count = Annotated[int, Field(ge=0, le=MAX_UNIX_MS)]


class Bench(Tool[Quality]):
    """Record how a task went, to compare work with and without memory."""

    spec: ClassVar = ToolSpec(
        name="mimir_bench",
        title="Record how a task went",
        effect=Effect.WRITES,
        room=Quality,
        failure="Bench failed",
        words=("task_description", "tags"),
        example={
            "task_description": "add a field to the orders API",
            "turns_taken": 4,
            "tokens_used": 9000,
            "memory_recall_used": True,
        },
    )

    task_description: _Text
    turns_taken: _Count
    tokens_used: _Count
    memory_recall_used: bool
    recall_count: _Count = 0
    task_success: bool = False
    session_id: str = ""
    tags: list[str] = Field(default_factory=list)
    workspace_hash: Workspace = None

    async def run(self, room: Quality, call: Call) -> BenchAnswer:
        benchmark = Benchmark(
            self.task_description,
            self.turns_taken,
            self.tokens_used,
            self.memory_recall_used,
            self.recall_count,
            self.task_success,
            self.session_id,
            tuple(self.tags),
            call.trust,
        )
        noted = await room.bench(benchmark, call.scope.writes(self.workspace_hash))
        return {"entity_id": noted.entity_id, "created_at_unix_ms": noted.created_at_unix_ms}


TOOLS: Final[tuple[type[AnyTool], ...]] = (Score, Follow, Correct, Bench)
