"""What a judgement of a memory says, and what comes of it."""

from dataclasses import dataclass

from mimir_py.security import Trust
from mimir_py.values import UnixMs


@dataclass(frozen=True)
class Efficacy:
    """How often a memory's advice was followed. `rate` is in 0..1.

    `status` is `useful`, `dead` or `unverified`.
    """

    follow_count: int
    miss_count: int
    rate: float
    status: str


@dataclass(frozen=True)
class Correction:
    """What a person corrected: what was tried, what is right, and in which task."""

    wrong_approach: str
    user_correction: str
    task_context: str
    session_id: str = ""
    tags: tuple[str, ...] = ()
    category: str = "correction"
    visibility: str | None = None
    trust: Trust = Trust.AGENT
    valid_from_unix_ms: UnixMs | None = None
    valid_to_unix_ms: UnixMs | None = None

    @property
    def lesson(self) -> str:
        """The correction as advice for the next time."""
        return f"{self.user_correction} (not: {self.wrong_approach}; task: {self.task_context})"


@dataclass(frozen=True)
class Benchmark:
    """How a task went: turns, tokens, and whether memory was asked."""

    task_description: str
    turns_taken: int
    tokens_used: int
    memory_recall_used: bool
    recall_count: int = 0
    task_success: bool = False
    session_id: str = ""
    tags: tuple[str, ...] = ()
    trust: Trust = Trust.AGENT

    @property
    def tokens_per_turn(self) -> int:
        """Whole tokens a turn; of no turns, 0."""
        return self.tokens_used // self.turns_taken if self.turns_taken else 0


@dataclass(frozen=True)
class Learned:
    """The memory, and the journal entry if there is one, that keep what was learned."""

    entity_id: str
    journal_id: str
    key: str
    created_at_unix_ms: UnixMs
