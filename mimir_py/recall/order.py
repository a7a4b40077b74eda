"""From what the arms found to one order: candidates, features, relevance.

The head of the order is rescored; how many memories are asked for does not change it. What comes
behind the head follows in the order of plain fusion.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mimir_py.recall import fusion, store
from mimir_py.recall.dense import DenseArm
from mimir_py.recall.models import Explanation, Mode, Ranked
from mimir_py.recall.pool import Findings, Search, gather
from mimir_py.storage.database import Reader

if TYPE_CHECKING:
    from mimir_py.recall.occurrences import Floats
    from mimir_py.recall.ranking import Constants
    from mimir_py.recall.runs import Runs

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
    """Puts what was found in order, by constants that were fitted."""

    def __init__(self, dense: DenseArm, ranking_file: Path) -> None:
        self._dense = dense
        self._ranking_file = ranking_file
        self._runs: Runs | None = None

    def rank(self, reader: Reader, search: Search, most: int) -> list[Ranked]:
        """The first `most` memories, best first, down to the query's least relevance.

        Equal scores come in the order of their ids.
        """
        head = self._head(reader, search)
        if not head:
            return []
        least = search.query.min_relevance
        entries = [e for e in head.entries(None if least else most) if e.relevance >= least]
        if most > len(entries):
            entries += [e for e in _behind(search.findings, head) if e.relevance >= least]
        return entries[:most]

    def measure(self, reader: Reader, search: Search) -> tuple[list[int], "Floats"]:
        """The rows of the candidates, and their features."""
        rows, features, _ = self._measured(reader, search)
        return list(rows), features

    def _head(self, reader: Reader, search: Search) -> "_Head | None":
        rows, features, links = self._measured(reader, search)
        return _Head(self._constants, search, rows, features, links) if rows else None

    def _measured(
        self, reader: Reader, search: Search
    ) -> tuple[dict[int, str], "Floats", dict[int, int]]:
        """The candidates (row: id), their features, and which of them the best link to."""
        from mimir_py.recall import features
        from mimir_py.recall.runs import Runs

        self._runs = self._runs or Runs()
        rows = list(_fused(search.findings, HEAD))
        links: dict[int, int] = {}
        if search.query.is_rescored:
            links = _links(reader, search, rows[:_LINK_SOURCES])
            rows += [row_id for row_id in links if row_id not in rows]
        ids, pool = gather(reader, self._dense, self._runs, search, rows)
        if not ids:
            return {}, features.no_candidates(), {}
        findings = search.findings
        measured = features.measure(search.prepared, findings.frequencies, findings.memories, pool)
        return ids, measured, links

    @property
    def _constants(self) -> "Constants":
        from mimir_py.recall.ranking import load_constants

        return load_constants(self._ranking_file)


class _Head:
    """Candidates with their raw scores and relevances."""

    def __init__(
        self,
        constants: "Constants",
        search: Search,
        ids: Mapping[int, str],
        features: "Floats",
        links: Mapping[int, int],
    ) -> None:
        self.rows = list(ids)
        self._ids = list(ids.values())
        self._search = search
        self._features = features
        self._links = links
        self._weights = constants.weights_for(features)
        self._raw = self._with_links((features @ self._weights).tolist())
        words_only = search.vector is None
        relevance = constants.relevance(features, self._raw, words_only=words_only)
        self._named = {c.row_id: c.alias for c in search.findings.named}
        self._relevance = [
            max(chance, _NAMED_RELEVANCE) if row_id in self._named else chance
            for row_id, chance in zip(self.rows, relevance.tolist(), strict=True)
        ]
        # A query of symbols alone means nothing; what holds them comes first.
        by_words = search.findings.by_words if not search.prepared.stems else ()
        self._literal = {c.row_id: place for place, c in enumerate(by_words)}
        self._scores = self._scored()

    def entries(self, most: int | None) -> list[Ranked]:
        """The first of them, best first."""
        raw = self._raw if self._search.query.is_rescored else self._scores
        literal, last = self._literal, len(self._literal)
        keys = [
            (row_id not in self._named, literal.get(row_id, last), -round(value, _DIGITS), id)
            for row_id, value, id in zip(self.rows, raw, self._ids, strict=True)
        ]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        spans = {c.row_id: c.span for c in self._search.findings.by_meaning}
        return [
            Ranked(
                self.rows[n],
                round(max(0.0, self._scores[n]), _DIGITS),
                round(self._relevance[n], _DIGITS),
                spans.get(self.rows[n]),
                self._named.get(self.rows[n]),
                self._explain(n) if self._search.query.explain else Explanation(),
            )
            for n in order[:most]
        ]

    def _with_links(self, raw: list[float]) -> list[float]:
        place = {row_id: number for number, row_id in enumerate(self.rows)}
        linked = list(raw)
        for row_id, source in self._links.items():
            if row_id in place and source in place:
                linked[place[row_id]] = max(raw[place[row_id]], raw[place[source]] - _LINK_DROP)
        return linked

    def _scored(self) -> list[float]:
        """What callers see as score (0 where this is less), by what the query asked for."""
        query, findings = self._search.query, self._search.findings
        if query.is_rescored:
            return self._relevance
        if query.mode is Mode.HYBRID:
            fused = _fused(findings, HEAD)
            return [fused.get(row_id, 0.0) for row_id in self.rows]
        if query.mode is Mode.DENSE:
            cosines = {c.row_id: c.score for c in findings.by_meaning}
            return [cosines.get(row_id, 0.0) for row_id in self.rows]
        bm25 = {c.row_id: max(0.0, c.score) for c in findings.by_words}
        return [bm25.get(row_id, 0.0) / (1 + bm25.get(row_id, 0.0)) for row_id in self.rows]

    def _explain(self, number: int) -> Explanation:
        from mimir_py.recall.features import NAMES

        row_id, findings = self.rows[number], self._search.findings
        values = self._features[number].tolist()
        contributions = {
            name: (round(value, 4), round(value * weight, 4))
            for name, value, weight in zip(NAMES, values, self._weights.tolist(), strict=True)
        }
        lift = self._raw[number] - float(self._features[number] @ self._weights)
        if lift > 0:
            contributions["link"] = (1.0, round(lift, 4))
        return Explanation(
            keyword_rank=_rank_in([c.row_id for c in findings.by_words], row_id),
            dense_rank=_rank_in([c.row_id for c in findings.by_meaning], row_id),
            is_named=row_id in self._named,
            is_linked=row_id in self._links,
            raw_score=round(self._raw[number], 4),
            contributions=contributions,
        )


def _links(reader: Reader, search: Search, sources: Sequence[int]) -> dict[int, int]:
    """Memories that the best candidates link to, each with the best that does."""
    place = {row_id: number for number, row_id in enumerate(sources)}
    links: dict[int, int] = {}
    for source, target in store.linked(reader, sources, search.query.filter):
        if target not in links or place[source] < place[links[target]]:
            links[target] = source
    return links


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


def _rank_in(rows: Sequence[int], row_id: int) -> int | None:
    return rows.index(row_id) + 1 if row_id in rows else None


def _behind(findings: Findings, head: _Head) -> list[Ranked]:
    """Everything else the arms found, in the order of plain fusion."""
    held = set(head.rows)
    rest = {r: s for r, s in _fused(findings, None).items() if r not in held}
    spans = {c.row_id: c.span for c in findings.by_meaning}
    last = head.entries(None)[-1]
    lowest = last.score * _BELOW_HEAD
    highest = max(rest.values(), default=1.0)
    return [
        Ranked(row_id, round(lowest * score / highest, _DIGITS), last.relevance, spans.get(row_id))
        for row_id, score in rest.items()
    ]
