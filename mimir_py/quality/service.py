"""Judging memories, and remembering corrections."""

import json
from typing import Final

from mimir_py.entities import Draft, Identity, Memories, Remembered
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.models import Worth
from mimir_py.errors import InvalidInput
from mimir_py.journal import Entry, Journal
from mimir_py.quality.efficacy import VERIFIED_SCORE, clamped, efficacy
from mimir_py.quality.models import Benchmark, Correction, Efficacy, Learned
from mimir_py.storage.database import Database, Writer
from mimir_py.values import Clock, IdSource

CORRECTION: Final = "correction"
BENCHMARK: Final = "benchmark"
_SOURCE: Final = "mimir_correct"
_SCORER: Final = Draft.source
_BENCH_SOURCE: Final = "mimir_bench"
_BENCH_IMPORTANCE: Final = 0.5

Workspaces = tuple[str, ...] | None


class Quality:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        memories: Memories,
        journal: Journal,
        clock: Clock,
        new_id: IdSource,
    ) -> None:
        self._database = database
        self._memories = memories
        self._journal = journal
        self._clock = clock
        self._new_id = new_id

    async def score(self, category: str, key: str, score: float, workspaces: Workspaces) -> bool:
        """Say what a memory is worth: its freshness and the least it fades to; is there one?

        Forgotten ones are scored too. Among workspaces the first that has the name counts; with
        `None` all do. A score from .7 verifies, a lower one takes that back.
        """
        value = clamped(score)

        def work(tx: Writer) -> bool:
            found = entity_store.named(tx, category, key, workspaces, archived=True)
            for memory in found if workspaces is None else found[:1]:
                given = Worth(value, value, value >= VERIFIED_SCORE)
                used = max(self._clock(), memory.last_accessed_unix_ms)
                entity_store.set_worth(tx, memory, given, used)
                said = {
                    "score": value,
                    "source": _SCORER,
                    "before": memory.worth._asdict(),
                    "history_id": memory.supersedes,
                }
                self._journal.append(tx, audit("score", memory, said))
            return bool(found)

        return await self._database.write(work)

    async def follow(
        self, category: str, key: str, followed: bool, workspaces: Workspaces
    ) -> Efficacy | None:
        """Count that a live memory's advice was followed, or was not; `None` without such one.

        The first workspace that has the name counts, the global one first with `None`.
        """

        def work(tx: Writer) -> Efficacy | None:
            found = entity_store.named(tx, category, key, workspaces)
            if not found:
                return None
            memory = found[0]
            seen = efficacy(memory.follow_count + followed, memory.miss_count + (not followed))
            entity_store.set_efficacy(
                tx, memory, seen.follow_count, seen.miss_count, seen.rate, seen.status
            )
            return seen

        return await self._database.write(work)

    async def correct(self, correction: Correction, workspace: str) -> Learned:
        """Remember a correction and enter it in the journal, both or neither.

        A correction that is stored already is answered with the memory that holds it.

        Raises:
            InvalidInput: a text or name is over its limit, or the period is empty.
        """
        key = self._new_id(CORRECTION)
        entered: list[str] = []

        def enter(tx: Writer, remembered: Remembered) -> None:
            acted = {"key": key, "session_id": correction.session_id}
            entry = Entry(
                CORRECTION,
                category=correction.category,
                key=key,
                entity_id=remembered.id,
                workspace_hash=workspace,
                acted_json=json.dumps(acted, ensure_ascii=False),
            )
            entered.append(self._journal.append(tx, entry).id)

        now = self._clock()
        try:
            remembered = await self._memories.remember(_draft(correction, key, workspace), enter)
        except InvalidInput as error:
            if error.field != "body_json":
                raise
            raise InvalidInput(
                _longest(correction), "and the other texts: " + error.problem
            ) from None
        if not entered:
            # The client has just been shown the same; that it happened again is news.
            await self._database.write(lambda tx: enter(tx, remembered))
        return Learned(remembered.id, entered[-1], key, now)

    async def bench(self, benchmark: Benchmark, workspace: str) -> Learned:
        """Remember how a task went; two that went alike are two.

        Raises:
            InvalidInput: a text or name is over its limit.
        """
        key = self._new_id(BENCHMARK)
        now = self._clock()
        remembered = await self._memories.remember(_bench_draft(benchmark, key, workspace))
        return Learned(remembered.id, "", key, now)


def _bench_draft(benchmark: Benchmark, key: str, workspace: str) -> Draft:
    body = {name: value for name, value in vars(benchmark).items() if name not in ("tags", "trust")}
    body["tokens_per_turn"] = benchmark.tokens_per_turn
    return Draft(
        Identity(BENCHMARK, key, workspace),
        json.dumps(body, ensure_ascii=False),
        entity_id=f"bch{key.removeprefix(BENCHMARK)}",
        type=BENCHMARK,
        tags=benchmark.tags,
        importance=_BENCH_IMPORTANCE,
        trust=benchmark.trust,
        source=_BENCH_SOURCE,
        is_distinct=True,
    )


def _longest(correction: Correction) -> str:
    """The name of the text that takes up most of the body."""
    texts = ("wrong_approach", "user_correction", "task_context", "session_id")
    return max(texts, key=lambda name: len(getattr(correction, name)))


def _draft(correction: Correction, key: str, workspace: str) -> Draft:
    body = {
        "wrong_approach": correction.wrong_approach,
        "user_correction": correction.user_correction,
        "task_context": correction.task_context,
        "session_id": correction.session_id,
        "lesson": correction.lesson,
    }
    return Draft(
        Identity(correction.category, key, workspace),
        json.dumps(body, ensure_ascii=False),
        entity_id=f"cor{key.removeprefix(CORRECTION)}",
        type=CORRECTION,
        tags=correction.tags,
        importance=1.0,
        certainty=1.0,
        layer="working",
        visibility=correction.visibility,
        trust=correction.trust,
        valid_from_unix_ms=correction.valid_from_unix_ms,
        valid_to_unix_ms=correction.valid_to_unix_ms,
        source=_SOURCE,
    )
