"""Finding memories that contradict each other, and letting the surer one win.

Only neighbours are compared: for each memory the nearest by meaning and those that share most of
its words, from the indexes. What is found depends on nothing but what is stored.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from mimir_py.entities import Entity, Identity, succession
from mimir_py.entities import store as entity_store
from mimir_py.entities.similarity import near_query, trigram_similarity
from mimir_py.entities.succession import Succession
from mimir_py.entities.text import body_text, load_json
from mimir_py.entities.writing import Rows
from mimir_py.journal import AUDIT, Entry, Journal
from mimir_py.quality import store
from mimir_py.quality.contradiction import Statement, contradict, statement
from mimir_py.recall import DenseArm
from mimir_py.recall.models import Filter
from mimir_py.recall.store import vectors_of
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.storage.vectors import Vectors
from mimir_py.values import MAX_UNIX_MS, Clock

SOURCE: Final = "mimir_conflicts"
MOST_COMPARED: Final = 2_000
_NEIGHBOURS: Final = 16
_AT_ONCE: Final = 8
# From the compatibility contract: what little is certain is sooner doubted.
_UNCERTAIN: Final = 0.4
_DOUBTFUL: Final = 0.3
_EASED: Final = 1.5
_LIKELY: Final = 0.6

Workspaces = tuple[str, ...] | None


@dataclass(frozen=True)
class Conflict:
    """Two live memories of one workspace that cannot both hold; the surer one is `one`.

    `similarity` is the cosine of their vectors, -1..1.
    """

    one: Entity
    other: Entity
    similarity: float

    @property
    def certainty(self) -> float:
        return min(self.one.certainty, self.other.certainty)

    @property
    def is_boosted(self) -> bool:
        return self.certainty < _UNCERTAIN

    @property
    def is_likely(self) -> bool:
        return self.similarity >= _LIKELY or self.certainty < _DOUBTFUL


@dataclass(frozen=True)
class Compared:
    """How many memories were compared, whether there are more, and what was found, best first."""

    count: int
    has_more: bool
    found: tuple[Conflict, ...]


@dataclass(frozen=True)
class Resolved:
    """Conflicts that were, or would be, settled, and how many were too close to call."""

    compared: int
    settled: tuple[Conflict, ...]
    skipped_ambiguous: int


class Conflicts:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        vectors: Vectors,
        dense: DenseArm,
        rows: Rows,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._dense = dense
        self._rows = rows
        self._journal = journal
        self._clock = clock

    async def find(
        self, category: str, threshold: float, offset: int, workspaces: Workspaces
    ) -> Compared:
        """Conflicts among up to `MOST_COMPARED` memories of a category, the likest pairs first.

        `threshold` is the least similarity; less will do where a memory is hardly certain.
        """
        await self._database.indexed()
        rows = await self._database.read(
            lambda reader: store.in_force(
                reader, category, workspaces, MOST_COMPARED + 1, min(offset, MAX_UNIX_MS)
            )
        )
        compared = rows[:MOST_COMPARED]
        seen = _Seen(threshold)
        for start in range(0, len(compared), _AT_ONCE):
            some = compared[start : start + _AT_ONCE]
            await self._database.read(partial(self._compare, some, seen))
        found = sorted(seen.found.values(), key=lambda c: (-c.similarity, c.one.id, c.other.id))
        return Compared(len(compared), len(rows) > len(compared), tuple(found))

    async def resolve(
        self,
        category: str,
        threshold: float,
        margin: float,
        limit: int,
        offset: int,
        workspaces: Workspaces,
        *,
        dry_run: bool,
    ) -> Resolved:
        """Let the surer memory of each conflict take the place of the other, up to `limit` times.

        What lost is kept, out of force; undoing its journal entry puts it back.
        """
        compared = await self.find(category, threshold, offset, workspaces)
        settled: list[Conflict] = []
        lost: set[str] = set()
        skipped = 0
        for conflict in compared.found:
            if len(settled) >= limit or {conflict.one.id, conflict.other.id} & lost:
                continue
            if not conflict.is_likely:
                continue
            if conflict.one.certainty - conflict.other.certainty < margin:
                skipped += 1
                continue
            settled.append(conflict)
            lost.add(conflict.other.id)
        if settled and not dry_run:
            settled = await self._database.write(partial(self._settle, settled))
        return Resolved(compared.count, tuple(settled), skipped)

    def _settle(self, conflicts: Sequence[Conflict], tx: Writer) -> list[Conflict]:
        settled = []
        for conflict in conflicts:
            winner = entity_store.by_id(tx, conflict.one.id)
            loser = entity_store.by_id(tx, conflict.other.id)
            if winner is None or loser is None or not _is_as_seen(conflict, winner, loser):
                continue
            how = Succession(f"contradicted by {winner.category}/{winner.key}")
            closed = succession.supersede(tx, self._rows, loser, winner, how, self._clock())
            said = {
                "by": winner.id,
                "reason": how.reason,
                "source": SOURCE,
                "history_id": closed.old.supersedes,
            }
            self._journal.append(
                tx,
                Entry(
                    "supersede",
                    kind=AUDIT,
                    category=loser.category,
                    key=loser.key,
                    entity_id=loser.id,
                    agent_id=loser.agent_id,
                    workspace_hash=loser.workspace_hash,
                    acted_json=json.dumps(said, ensure_ascii=False),
                ),
            )
            settled.append(conflict)
        return settled

    def _compare(self, row_ids: Sequence[int], seen: "_Seen", reader: Reader) -> None:
        memories = entity_store.by_row_ids(reader, row_ids)
        model_id = self._vectors.model_id(reader)
        held = [] if model_id is None else vectors_of(reader, model_id, row_ids)
        vectors: dict[int, bytes] = {}
        for row_id, vector in held:
            vectors.setdefault(row_id, vector)
        self._dense.prepare(reader)
        for row_id in row_ids:
            memory = memories.get(row_id)
            if memory is None or not memory.is_sound:
                continue
            near = self._near(reader, memory, vectors.get(row_id))
            others = entity_store.by_row_ids(reader, [r for r in near if r != row_id])
            for other in others.values():
                seen.judge(memory, other, near[other.row_id])

    def _near(
        self, reader: Reader, memory: Entity, vector: bytes | None
    ) -> Mapping[int, float | None]:
        """Rows of neighbours with their cosines, where there is one."""
        near: dict[int, float | None] = {}
        query = near_query(body_text(load_json(memory.body_json)))
        if query is not None:
            identity = Identity(memory.category, memory.key, memory.workspace_hash)
            for _, _, row_id, _ in entity_store.near_candidates(
                reader, identity, query, _NEIGHBOURS
            ):
                near[row_id] = None
        if vector is not None:
            where = Filter(category=memory.category, workspaces=(memory.workspace_hash,))
            near |= self._dense.cosines(reader, vector, list(near))
            for found in self._dense.nearest(reader, vector, where, _NEIGHBOURS):
                near[found.row_id] = found.score
        return near


class _Seen:
    """The pairs that were judged, and what came of it."""

    def __init__(self, threshold: float) -> None:
        self.found: dict[tuple[str, str], Conflict] = {}
        self._threshold = threshold
        self._judged: set[tuple[str, str]] = set()
        self._statements: dict[str, Statement] = {}

    def judge(self, one: Entity, other: Entity, cosine: float | None) -> None:
        pair = (min(one.id, other.id), max(one.id, other.id))
        if pair in self._judged or not _are_comparable(one, other):
            return
        self._judged.add(pair)
        if cosine is None:
            cosine = trigram_similarity(one.body_json, other.body_json)
        surer, less = sorted(
            (one, other), key=lambda e: (-e.certainty, -e.recorded_at_unix_ms, e.id)
        )
        conflict = Conflict(surer, less, round(cosine, 4))
        least = self._threshold / _EASED if conflict.is_boosted else self._threshold
        if cosine < least or not contradict(self._statement(one), self._statement(other)):
            return
        self.found[pair] = conflict

    def _statement(self, memory: Entity) -> Statement:
        if memory.id not in self._statements:
            self._statements[memory.id] = statement(memory.body_json, memory.key)
        return self._statements[memory.id]


def _are_comparable(one: Entity, other: Entity) -> bool:
    """Whether both are in force in one workspace, and at some time both."""
    if one.workspace_hash != other.workspace_hash or one.category != other.category:
        return False
    if not other.is_sound or other.archived or other.superseded_by:
        return False
    first, second = sorted(
        (one, other), key=lambda memory: memory.valid_from_unix_ms or memory.recorded_at_unix_ms
    )
    start = second.valid_from_unix_ms or second.recorded_at_unix_ms
    return first.valid_to_unix_ms is None or start < first.valid_to_unix_ms


def _is_as_seen(conflict: Conflict, winner: Entity, loser: Entity) -> bool:
    now = (winner.recorded_at_unix_ms, winner.archived, winner.superseded_by)
    then = (conflict.one.recorded_at_unix_ms, False, "")
    same = (loser.recorded_at_unix_ms, loser.archived, loser.superseded_by) == (
        conflict.other.recorded_at_unix_ms,
        False,
        "",
    )
    return now == then and same
