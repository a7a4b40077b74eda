"""The pool that is put in order: what the arms found, and the memories around it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimir_py.recall import store
from mimir_py.recall.dates import Period, days_off
from mimir_py.recall.dense import DenseArm
from mimir_py.recall.keywords import KeywordQuery
from mimir_py.recall.models import Candidate, Query
from mimir_py.storage.database import Reader
from mimir_py.values import UnixMs

if TYPE_CHECKING:
    from mimir_py.recall.features import Pool
    from mimir_py.recall.runs import Runs


@dataclass(frozen=True)
class Findings:
    """What the arms found, each best first."""

    named: Sequence[Candidate] = ()
    by_words: Sequence[Candidate] = ()
    by_meaning: Sequence[Candidate] = ()
    frequencies: Mapping[str, int] = field(default_factory=dict)
    memories: int = 0


@dataclass(frozen=True)
class Search:
    """A query with all that was found of it; `vector` is `None` where meaning was not asked for.

    `periods` are the times it names.
    """

    query: Query
    prepared: KeywordQuery
    vector: bytes | None
    findings: Findings
    periods: Sequence[Period] = ()


def gather(
    reader: Reader, dense: DenseArm, runs: "Runs", search: Search, rows: Sequence[int]
) -> tuple[dict[int, str], "Pool"]:
    """The candidates that may answer, with their ids, and what is known of them and those around.

    In a rescored search the memories before and after a candidate in its topic are candidates too:
    an answer often stands beside what has the words of the question.
    """
    import numpy as np

    from mimir_py.recall.features import Pool

    around = store.neighbours(reader, rows)
    known = set(rows)
    others = sorted({n for entry in around for n in entry.neighbours if n not in known})
    standings = store.candidates(reader, [*rows, *others], search.query.filter)
    held = runs.of(reader, list(standings))
    may_answer = held if search.query.is_rescored else known
    kept = [row_id for row_id in held if standings[row_id].may_answer and row_id in may_answer]
    rest = set(held).difference(kept)
    everyone = [*kept, *(row_id for row_id in held if row_id in rest)]
    place = {row_id: number for number, row_id in enumerate(everyone)}
    before, after, topic = np.full((3, len(everyone)), -1, dtype=np.intp)
    topics: dict[str, int] = {}
    further = store.neighbours(reader, others) if others else ()
    for entry in (*around, *further):
        number = place.get(entry.row_id)
        if number is not None:
            before[number] = place.get(entry.before or 0, -1)
            after[number] = place.get(entry.after or 0, -1)
            topic[number] = topics.setdefault(entry.topic, len(topics))
    return {row_id: standings[row_id].id for row_id in kept}, Pool(
        candidates=len(kept),
        cosines=np.array(_cosines(reader, dense, search, everyone)),
        runs=[held[row_id] for row_id in everyone],
        days_off=np.array([_days_off(standings[row_id].since, search) for row_id in kept]),
        before=before,
        after=after,
        topic=topic,
    )


def _days_off(moment: UnixMs, search: Search) -> float:
    return days_off(moment, search.periods) if search.periods else math.nan


def _cosines(reader: Reader, dense: DenseArm, search: Search, rows: Sequence[int]) -> list[float]:
    # Not those the arm has found: an item must not move because more of them were asked for.
    known = {} if search.vector is None else dense.cosines(reader, search.vector, rows)
    return [known.get(row_id, 0.0) for row_id in rows]
