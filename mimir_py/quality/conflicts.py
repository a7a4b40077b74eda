"""Finding memories that contradict each other, and letting the surer one win.

Only neighbours are compared: for each memory the nearest by meaning or, while it has no vector,
those that share most of its words. What is found depends on nothing but what is stored.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from mimir_py.entities import Entity, Identity, succession
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.similarity import near_query, trigram_similarity
from mimir_py.entities.succession import Succession
from mimir_py.entities.text import body_text, load_json
from mimir_py.entities.writing import Rows
from mimir_py.journal import Journal
from mimir_py.quality import store
from mimir_py.quality.neighbours import Chunk, Near, Neighbours
from mimir_py.recall.store import vectors_of
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.storage.vectors import Vectors
from mimir_py.values import Clock

if TYPE_CHECKING:
    from mimir_py.quality.contradiction import Statement

SOURCE: Final = "mimir_conflicts"
MOST_COMPARED: Final = 2_000
_NEIGHBOURS: Final = 16
# So many take a few milliseconds each.
_READ_AT_ONCE: Final = 128
_VECTORS_AT_ONCE: Final = 2_048
_WORDS_AT_ONCE: Final = 8
_JUDGED_AT_ONCE: Final = 256
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
        rows: Rows,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._rows = rows
        self._journal = journal
        self._clock = clock

    async def find(
        self, category: str, threshold: float, offset: int, workspaces: Workspaces
    ) -> Compared:
        """Conflicts among up to `MOST_COMPARED` memories of a category, the likest pairs first.

        `threshold` is the least similarity; less will do where a memory is hardly certain.
        """
        held = dict(
            await self._database.read(
                partial(store.in_force, category=category, workspaces=workspaces)
            )
        )
        offset = min(offset, len(held))
        compared = list(held)[offset : offset + MOST_COMPARED]
        seen = _Seen(threshold)
        near, embedded = await self._by_meaning(compared, held, threshold / _EASED)
        near += await self._by_words([row for row in compared if row not in embedded])
        rows = {row_id for pair in near for row_id in (pair.row_id, pair.other)}
        await self._load(sorted(rows), seen)
        for start in range(0, len(near), _JUDGED_AT_ONCE):
            await asyncio.to_thread(seen.judge, near[start : start + _JUDGED_AT_ONCE])
        found = sorted(seen.found.values(), key=lambda c: (-c.similarity, c.one.id, c.other.id))
        return Compared(len(compared), offset + len(compared) < len(held), tuple(found))

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
            self._journal.append(tx, audit("supersede", loser, said))
            settled.append(conflict)
        return settled

    async def _by_meaning(
        self, compared: Sequence[int], among: Mapping[int, str], least: float
    ) -> tuple[list[Near], set[int]]:
        """The neighbours by meaning of some memories, and which of these have a vector at all."""
        wanted: dict[int, Chunk] = {}
        for some in _parts(compared, _VECTORS_AT_ONCE):
            for chunk in await self._chunks(some, among):
                wanted.setdefault(chunk.row_id, chunk)
        neighbours = Neighbours(list(wanted.values()), _NEIGHBOURS)
        for some in _parts(list(among), _VECTORS_AT_ONCE):
            await asyncio.to_thread(neighbours.add, await self._chunks(some, among))
        return list(neighbours.pairs(least)), set(wanted)

    async def _chunks(self, row_ids: Sequence[int], among: Mapping[int, str]) -> list[Chunk]:
        def work(reader: Reader) -> list[tuple[int, bytes]]:
            model_id = self._vectors.model_id(reader)
            return [] if model_id is None else vectors_of(reader, model_id, row_ids)

        held = await self._database.read(work)
        return [Chunk(row_id, among[row_id], vector) for row_id, vector in held]

    async def _by_words(self, row_ids: Sequence[int]) -> list[Near]:
        """The neighbours by words of some memories, as near as their letters are."""
        if row_ids:
            await self._database.indexed()
        return [
            near
            for some in _parts(row_ids, _WORDS_AT_ONCE)
            for near in await self._database.read(partial(_near_by_words, row_ids=some))
        ]

    async def _load(self, row_ids: Sequence[int], seen: "_Seen") -> None:
        for some in _parts(row_ids, _READ_AT_ONCE):
            seen.memories |= await self._database.read(
                partial(entity_store.by_row_ids, row_ids=some)
            )


class _Seen:
    """The pairs that were judged, and what came of it."""

    def __init__(self, threshold: float) -> None:
        self.memories: dict[int, Entity] = {}
        self.found: dict[tuple[str, str], Conflict] = {}
        self._threshold = threshold
        self._judged: set[tuple[int, int]] = set()
        self._statements: dict[str, Statement] = {}

    def judge(self, pairs: Sequence[Near]) -> None:
        for pair in pairs:
            one, other = self.memories.get(pair.row_id), self.memories.get(pair.other)
            rows = (min(pair.row_id, pair.other), max(pair.row_id, pair.other))
            if one is not None and other is not None and rows not in self._judged:
                self._judged.add(rows)
                self._judge(one, other, pair.similarity)

    def _judge(self, one: Entity, other: Entity, similarity: float) -> None:
        is_boosted = min(one.certainty, other.certainty) < _UNCERTAIN
        least = self._threshold / _EASED if is_boosted else self._threshold
        if similarity < least or not _are_comparable(one, other):
            return
        # Its words are stemmed when it is imported: not at every start of the program.
        from mimir_py.quality.contradiction import contradict

        if contradict(self._statement(one), self._statement(other)):
            surer, less = sorted(
                (one, other), key=lambda e: (-e.certainty, -e.recorded_at_unix_ms, e.id)
            )
            self.found[surer.id, less.id] = Conflict(surer, less, round(similarity, 4))

    def _statement(self, memory: Entity) -> "Statement":
        from mimir_py.quality.contradiction import statement

        if memory.id not in self._statements:
            self._statements[memory.id] = statement(memory.body_json, memory.key)
        return self._statements[memory.id]


def _parts(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _near_by_words(reader: Reader, row_ids: Sequence[int]) -> list[Near]:
    found = []
    for memory in entity_store.by_row_ids(reader, row_ids).values():
        text = body_text(load_json(memory.body_json)) if memory.is_sound else ""
        query = near_query(text)
        if query is not None:
            identity = Identity(memory.category, memory.key, memory.workspace_hash)
            found += [
                Near(memory.row_id, row_id, trigram_similarity(text, other))
                for _, _, row_id, other in entity_store.near_candidates(
                    reader, identity, query, _NEIGHBOURS
                )
                if row_id != memory.row_id
            ]
    return found


def _are_comparable(one: Entity, other: Entity) -> bool:
    """Whether both are in force in one workspace, and at some time both."""
    if one.workspace_hash != other.workspace_hash or one.category != other.category:
        return False
    if any(
        not memory.is_sound or memory.archived or memory.superseded_by for memory in (one, other)
    ):
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
