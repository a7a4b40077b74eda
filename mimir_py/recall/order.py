"""From what the arms found to one order: pool, neighbours, features, relevance.

The head of the order is rescored; how many memories are asked for does not change it. What comes
behind the head follows in the order of plain fusion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mimir_py.recall import fusion, store
from mimir_py.recall.dense import DenseArm
from mimir_py.recall.keywords import KeywordQuery
from mimir_py.recall.models import Explanation, Fusion, Mode, Query, Ranked
from mimir_py.recall.pool import Findings, gather
from mimir_py.storage.database import Reader

if TYPE_CHECKING:
    from mimir_py.recall.features import Floats
    from mimir_py.recall.ranking import Constants

RANKING_FILE: Final = Path(__file__).with_name("constants.json")
# Per arm; rescoring more finds hardly any right memory more, and costs time.
HEAD: Final = 64
_LINK_SOURCES: Final = 8
# A linked memory comes so far behind the one that links to it (log-odds), or where it is anyway.
_LINK_DROP: Final = 2.0
_NAMED_RELEVANCE: Final = 0.99
_BELOW_HEAD: Final = 0.999
_DIGITS: Final = 6


class Order:
    """Puts findings in order, by constants that were fitted."""

    def __init__(self, dense: DenseArm, ranking_file: Path) -> None:
        self._dense = dense
        self._ranking_file = ranking_file

    @property
    def _constants(self) -> "Constants":
        from mimir_py.recall.ranking import load_constants

        return load_constants(self._ranking_file)

    def rank(
        self,
        reader: Reader,
        query: Query,
        prepared: KeywordQuery,
        findings: Findings,
        vector: bytes | None,
    ) -> list[Ranked]:
        """One entry per memory, best first, down to the query's least relevance."""
        head = self._head(reader, query, prepared, findings, vector)
        if not head:
            return []
        ranking = head + _behind(query, findings, head)
        return [entry for entry in ranking if entry.relevance >= query.min_relevance]

    def measured(
        self,
        reader: Reader,
        query: Query,
        prepared: KeywordQuery,
        findings: Findings,
        vector: bytes | None,
    ) -> tuple[list[int], "Floats"]:
        """The rows of the head, and their features."""
        rows = list(_fused(findings, HEAD))
        links: Mapping[int, int] = {}
        if query.mode is Mode.HYBRID:
            links = self._links(reader, query, rows[:_LINK_SOURCES])
        return self._measured(reader, query, prepared, findings, vector, rows, links)

    def _head(
        self,
        reader: Reader,
        query: Query,
        prepared: KeywordQuery,
        findings: Findings,
        vector: bytes | None,
    ) -> list[Ranked]:
        fused = _fused(findings, HEAD)
        rows = list(fused)
        links: Mapping[int, int] = {}
        if query.mode is Mode.HYBRID:
            links = self._links(reader, query, rows[:_LINK_SOURCES])
        rows, measured = self._measured(reader, query, prepared, findings, vector, rows, links)
        if not rows:
            return []
        weights = self._constants.weights_for(measured)
        own = measured @ weights
        raw = own.copy()
        place = {row_id: number for number, row_id in enumerate(rows)}
        for row_id, source in links.items():
            if row_id in place and source in place:
                raw[place[row_id]] = max(own[place[row_id]], own[place[source]] - _LINK_DROP)
        relevance = self._constants.relevance(measured, raw, words_only=vector is None)
        named = {c.row_id: c.alias for c in findings.named}
        arms = _Arms(findings)
        entries = []
        for number, row_id in enumerate(rows):
            chance = float(relevance[number])
            if row_id in named:
                chance = max(chance, _NAMED_RELEVANCE)
            why = Explanation()
            if query.explain:
                why = arms.explain(row_id, links, float(raw[number]))
                why = replace(why, contributions=_contributions(measured[number], weights))
            score = _score(query, row_id, chance, fused, arms)
            span = arms.spans.get(row_id)
            entries.append(Ranked(row_id, score, chance, span, named.get(row_id), why))
        exact = {row_id: float(raw[number]) for row_id, number in place.items()}
        entries.sort(key=lambda e: (*_key(query, e, exact, e.row_id in named), e.row_id))
        return [
            replace(e, score=round(e.score, _DIGITS), relevance=round(e.relevance, _DIGITS))
            for e in entries
        ]

    def _links(self, reader: Reader, query: Query, sources: Sequence[int]) -> dict[int, int]:
        """Memories that the best candidates link to, each with the best that does."""
        place = {row_id: number for number, row_id in enumerate(sources)}
        links: dict[int, int] = {}
        for source, target in store.linked(reader, sources, query.filter):
            if target not in links or place[source] < place[links[target]]:
                links[target] = source
        return links

    def _measured(
        self,
        reader: Reader,
        query: Query,
        prepared: KeywordQuery,
        findings: Findings,
        vector: bytes | None,
        rows: list[int],
        links: Mapping[int, int],
    ) -> tuple[list[int], "Floats"]:
        import numpy as np

        from mimir_py.recall import features

        rows = [*rows, *(row_id for row_id in links if row_id not in rows)]
        rows, pool = gather(reader, self._dense, query, findings, vector, rows)
        if not rows:
            return [], np.zeros((0, len(features.NAMES)))
        return rows, features.measure(prepared, findings.frequencies, findings.memories, pool)


def _contributions(measured: "Floats", weights: "Floats") -> dict[str, tuple[float, float]]:
    from mimir_py.recall import features

    return {
        name: (round(float(value), 4), round(float(value * weight), 4))
        for name, value, weight in zip(features.NAMES, measured, weights, strict=True)
    }


class _Arms:
    """Ranks, spans and scores by memory."""

    def __init__(self, findings: Findings) -> None:
        self.spans = {c.row_id: c.span for c in findings.by_meaning}
        self.keyword_scores = {c.row_id: c.score for c in findings.by_words}
        self.cosines = {c.row_id: c.score for c in findings.by_meaning}
        self._keyword_ranks = {c.row_id: n for n, c in enumerate(findings.by_words, start=1)}
        self._dense_ranks = {c.row_id: n for n, c in enumerate(findings.by_meaning, start=1)}
        self._named = {c.row_id for c in findings.named}

    def explain(self, row_id: int, links: Mapping[int, int], raw: float) -> Explanation:
        return Explanation(
            keyword_rank=self._keyword_ranks.get(row_id),
            dense_rank=self._dense_ranks.get(row_id),
            is_named=row_id in self._named,
            is_linked=row_id in links,
            raw_score=round(raw, 4),
        )


def _fused(findings: Findings, most: int | None) -> dict[int, float]:
    """Scores of plain fusion over the first `most` of each arm, best first."""
    scores = fusion.fuse(
        [
            (fusion.NAME_WEIGHT, [c.row_id for c in findings.named]),
            (fusion.KEYWORD_WEIGHT, [c.row_id for c in findings.by_words[:most]]),
            (fusion.DENSE_WEIGHT, [c.row_id for c in findings.by_meaning[:most]]),
        ]
    )
    return dict(sorted(scores.items(), key=lambda entry: (-entry[1], entry[0])))


def _score(
    query: Query, row_id: int, chance: float, fused: Mapping[int, float], arms: _Arms
) -> float:
    if query.mode is Mode.DENSE:
        return max(0.0, arms.cosines.get(row_id, 0.0))
    if query.mode is Mode.KEYWORD:
        score = max(0.0, arms.keyword_scores.get(row_id, 0.0))
        return score / (1 + score)
    return fused.get(row_id, 0.0) if query.fusion is Fusion.RRF else chance


def _key(
    query: Query, entry: Ranked, raw: Mapping[int, float], is_named: bool
) -> tuple[float, float]:
    if query.mode is Mode.HYBRID and query.fusion is Fusion.RESCORED:
        return (-float(is_named), -round(raw[entry.row_id], 9))
    return (-float(is_named), -round(entry.score, _DIGITS))


def _behind(query: Query, findings: Findings, head: Sequence[Ranked]) -> list[Ranked]:
    """Everything else the arms found, in the order of plain fusion."""
    held = {entry.row_id for entry in head}
    rest = {r: s for r, s in _fused(findings, None).items() if r not in held}
    arms = _Arms(findings)
    lowest = min(entry.score for entry in head) * _BELOW_HEAD
    relevance = min(entry.relevance for entry in head)
    highest = max(rest.values(), default=1.0)
    return [
        Ranked(
            row_id,
            round(min(lowest, lowest * score / highest), _DIGITS),
            relevance,
            arms.spans.get(row_id),
        )
        for row_id, score in rest.items()
    ]
