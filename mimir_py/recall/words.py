"""The keyword arm: which memories hold a query's terms, by BM25, at a bounded cost.

A memory scored costs some two microseconds, so the rarest terms are asked for first, up to a
budget. Where even the rarest is too common, the latest memories are scored; earlier ones only when
a filter leaves too few of those.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from mimir_py.recall import keywords, store
from mimir_py.recall.keywords import KeywordQuery
from mimir_py.recall.models import Candidate, Filter, Mode, Query
from mimir_py.recall.passages import rank_symbols
from mimir_py.storage.database import Reader

# At most so many memories are scored: never less than the least, a share of a larger store, and
# never more than the most, which is a hundredth of a second's work.
_LEAST_MATCHED: Final = 1_500
_MATCHED_SHARE: Final = 50
_MOST_MATCHED: Final = 5_000
# The same where everything that holds any term is wanted, page after page.
_MOST_MATCHED_BY_ANY: Final = 30_000
_MOST_SCANNED: Final = 1_000
_TERMS_HELD: Final = 8_192
# A frequency may be so much off before it is counted again.
_ONE_PERCENT: Final = 100


class Vocabulary(NamedTuple):
    """In how many memories each term of a query occurs, of about so many memories."""

    frequencies: Mapping[str, int]
    memories: int


class KeywordArm:
    """Finds memories by their words. Everything here runs on the reading connection's thread."""

    def __init__(self) -> None:
        self._counted: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def vocabulary(self, reader: Reader, terms: Sequence[str]) -> Vocabulary:
        """Counts of the terms.

        SQLite counts a term by reading all of its list. So a count is kept until there were enough
        changes to move it by a hundredth: rare terms are always exact.
        """
        now = store.last_change(reader)
        known = {}
        for term in terms:
            count, counted_at = self._counted.get(term, (0, -1))
            if 0 <= now - counted_at <= count // _ONE_PERCENT and counted_at >= 0:
                known[term] = count
        unknown = [term for term in terms if term not in known]
        if unknown:
            known |= dict.fromkeys(unknown, 0) | store.frequencies(reader, unknown)
        for term in terms:
            if term in unknown:
                self._counted[term] = (known[term], now)
            self._counted.move_to_end(term)
        while len(self._counted) > _TERMS_HELD:
            self._counted.popitem(last=False)
        return Vocabulary(known, store.count_memories(reader))

    def find(
        self,
        reader: Reader,
        query: Query,
        prepared: KeywordQuery,
        vocabulary: Vocabulary,
        head: int,
        pool: int,
    ) -> list[Candidate]:
        """The best `head` by the rarer terms; behind them, up to `pool`, the best by any."""
        if not prepared.stems:
            # No index has words for `"` or `*`.
            texts = store.substring(reader, prepared.words, query.filter, _MOST_SCANNED)
            symbols = rank_symbols(prepared.words, texts)
            return [Candidate(row_id, score) for row_id, score in symbols[:pool]]
        budget = _budget(vocabulary.memories)
        found = _matching(reader, prepared.terms, vocabulary, query.filter, budget, head)
        is_deep = pool > head or (query.mode is Mode.KEYWORD and len(found) < head)
        if not is_deep:
            return found
        held = {c.row_id for c in found}
        lowest = min((c.score for c in found), default=math.inf)
        by_any = _matching(
            reader, prepared.terms, vocabulary, query.filter, _MOST_MATCHED_BY_ANY, pool
        )
        return found + [
            replace(c, score=min(c.score, lowest)) for c in by_any if c.row_id not in held
        ]


def _budget(memories: int) -> int:
    return min(_MOST_MATCHED, max(_LEAST_MATCHED, memories // _MATCHED_SHARE))


def _matching(
    reader: Reader,
    terms: Sequence[str],
    vocabulary: Vocabulary,
    filter: Filter,
    budget: int,
    pool: int,
) -> list[Candidate]:
    expression = keywords.expression(terms, *vocabulary, budget)
    if expression is None:
        return []
    matched = max(1.0, expression.matched)
    # Rows are numbered as they come, so a share of the numbers holds about that share of matches.
    after = int(vocabulary.memories * max(0.0, 1 - budget / matched))
    found = store.keyword(reader, expression.text, filter, pool, after)
    if len(found) < pool and after:
        return store.keyword(reader, expression.text, filter, pool, 0)
    return found
