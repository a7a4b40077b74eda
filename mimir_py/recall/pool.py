"""The pool that is put in order: what the arms found, and the memories around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimir_py.recall import store
from mimir_py.recall.dense import DenseArm
from mimir_py.recall.models import Candidate, Mode, Query
from mimir_py.storage.database import Reader

if TYPE_CHECKING:
    from mimir_py.recall.features import Pool


@dataclass(frozen=True)
class Findings:
    """What the arms found, each best first."""

    named: Sequence[Candidate] = ()
    by_words: Sequence[Candidate] = ()
    by_meaning: Sequence[Candidate] = ()
    frequencies: Mapping[str, int] = field(default_factory=dict)
    memories: int = 0


def gather(
    reader: Reader,
    dense: DenseArm,
    query: Query,
    findings: Findings,
    vector: bytes | None,
    rows: Sequence[int],
) -> tuple[list[int], "Pool"]:
    """The candidates that may answer, and what is known of them and of those around them.

    In a hybrid search the memories before and after a candidate in its topic are candidates too:
    an answer often stands beside what has the words of the question.
    """
    import numpy as np

    from mimir_py.recall.features import Pool

    around = store.neighbours(reader, rows)
    known = set(rows)
    others = sorted({n for entry in around for n in entry.neighbours if n not in known})
    terms = store.terms(reader, [*rows, *others], query.filter)
    may_answer = terms if query.mode is Mode.HYBRID else known
    kept = [row_id for row_id, held in terms.items() if held.allowed and row_id in may_answer]
    rest = set(terms).difference(kept)
    everyone = [*kept, *(row_id for row_id in terms if row_id in rest)]
    place = {row_id: number for number, row_id in enumerate(everyone)}
    before, after, topic = np.full((3, len(everyone)), -1, dtype=np.intp)
    topics: dict[str, int] = {}
    for entry in (*around, *store.neighbours(reader, others)):
        number = place.get(entry.row_id)
        if number is not None:
            before[number] = place.get(entry.before or 0, -1)
            after[number] = place.get(entry.after or 0, -1)
            topic[number] = topics.setdefault(entry.topic, len(topics))
    return kept, Pool(
        candidates=len(kept),
        cosines=np.array(_cosines(reader, dense, findings, vector, everyone)),
        labels=[terms[row_id].label for row_id in everyone],
        bodies=[terms[row_id].body for row_id in everyone],
        before=before,
        after=after,
        topic=topic,
    )


def _cosines(
    reader: Reader,
    dense: DenseArm,
    findings: Findings,
    vector: bytes | None,
    rows: Sequence[int],
) -> list[float]:
    known = {c.row_id: c.score for c in findings.by_meaning}
    if vector is not None:
        known |= dense.cosines(reader, vector, [row_id for row_id in rows if row_id not in known])
    return [known.get(row_id, 0.0) for row_id in rows]
