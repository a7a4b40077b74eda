"""What is measured of each candidate, as one matrix: a row a memory, a column a feature.

`W(t)` is the inverse document frequency of a query term, ln(1 + (N - df + .5) / (df + .5)) as in
Robertson and Zaragoza 2009; a term is distinct when it is in at most a fifth of the store. All
features of context are 0 where a memory has none, so a store without topics ranks by the rest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mimir_py.recall.keywords import KeywordQuery
from mimir_py.recall.occurrences import Floats, count
from mimir_py.recall.runs import TIME_TERMS, TermRun
from mimir_py.storage.terms import EXTRA, word_terms

# Of the memory alone.
MEMORY: Final = (
    "cosine",  # of the query and the memory's nearest chunk
    "cosine_scaled",  # the same, 0 and 1 being the least and the most of the pool
    "words_scaled",  # BM25 of all query terms over the best of the pool
    "words_share",  # BM25 over the sum of W
    "distinct_scaled",  # the two again, for distinct terms only
    "distinct_share",
    "coverage",  # sum of W of the terms held over that of all
    "distinct_coverage",
    "rarest",  # the largest W held over the largest possible
    "rank_meaning",  # 1 / (rank + 5) by cosine
    "rank_words",  # 1 / (rank + 5) by BM25 of distinct terms
    "pairs",  # share of neighbouring query terms that stand together
    "length",  # ln(1 + terms)
    "opening",  # it opens with a name the query holds, as a speaker's turn does
    "other_opening",  # it opens with another one than the query's
    "meaning_and_words",  # cosine_scaled * distinct_scaled
    "meaning_and_coverage",  # cosine * distinct_coverage
    "meaning_without_words",  # cosine_scaled * (1 - best distinct_coverage of the pool)
    "asks",  # it ends with a question mark
    "exact",  # sum of W of the exact forms held over that of all the query has
    "identifier",  # 1 where nothing in the pool holds more of the query's identifiers
    "terms_scaled",  # BM25 of all terms and exact forms over the best of the pool
    "passage",  # the most distinct_coverage within any 40 of its terms
    "tells_when",  # the query asks for a time: how many words of time it has, 2 at most
    "tells_time_unasked",  # the same where the query does not
    "tells_number",  # the query asks how many: how many numbers it has, 2 at most
    "label",  # coverage by key, category, tags and topic alone
    "in_period",  # it holds since a time the query names
    "after_period",  # it came soon after, as a report does: 1 / (1 + weeks between)
    "before_period",  # it came shortly before
)
# Of the memories just before and after it in the same topic, and of the topic's best.
CONTEXT: Final = (
    "before_cosine",  # cosine of the one before over the pool's median, if more
    "after_cosine",
    "before_coverage",  # its distinct coverage
    "after_coverage",
    "before_words",  # its distinct_share
    "after_words",
    "before_asks",  # it answers a question
    "answers",  # before_asks * before_cosine
    "answers_words",  # before_asks * before_coverage
    "window_gain",  # coverage of the three together, over its own
    "topic_cosine",  # how far its topic's best cosine is above its own
    "topic_words",  # the same of distinct_scaled
)
# Which kind of memory it is, 0 or 1.
KINDS: Final = (
    "in_topic",  # its topic has four candidates or more, as a talk has, not a shelf of notes
    "is_long",  # over 150 terms
)
NAMES: Final = MEMORY + CONTEXT + KINDS

_K1: Final = 1.2
_B: Final = 0.75
_COMMON: Final = 0.2
_COMMON_FROM: Final = 20
_RANK_DAMPING: Final = 5
_OPENINGS: Final = 3
_MOST_CUES: Final = 2
_SHORTEST_NUMBER: Final = 3
_LONG: Final = 150
_TALK: Final = 4
_WEEK: Final = 7
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Pool:
    """The candidates, then the memories around them; arrays have one entry each.

    `days_off` tells of each candidate how long after the times that the query names it came, before
    if negative, NaN where none are named. `before`, `after` are positions of neighbours, -1 where
    there is none or it was not read; `topic` numbers the topic of a candidate, -1 for none.
    """

    candidates: int
    cosines: Floats
    runs: Sequence[TermRun]
    days_off: Floats
    before: NDArray[np.intp]
    after: NDArray[np.intp]
    topic: NDArray[np.intp]


def measure(
    query: KeywordQuery, frequencies: Mapping[str, int], memories: int, pool: Pool
) -> Floats:
    """The features of the pool's candidates, in the order of `NAMES`."""
    words = _Words(query, frequencies, memories, pool)
    size = pool.candidates
    columns = _of_memories(words, pool, size)
    columns |= _of_context(words, pool, size)
    columns["in_topic"] = _in_topic(pool.topic[:size])
    columns["is_long"] = (words.found.lengths[:size] > _LONG).astype(np.float64)
    return np.stack([columns[name] for name in NAMES], axis=1)


def no_candidates() -> Floats:
    """What `measure` gives of an empty pool."""
    return np.zeros((0, len(NAMES)))


class _Words:
    """Which query terms each memory holds, and what they weigh."""

    def __init__(
        self, query: KeywordQuery, frequencies: Mapping[str, int], memories: int, pool: Pool
    ) -> None:
        self.stems = query.stems
        self.query = query
        extras = [term for term in query.extras if frequencies.get(term)]
        self.most = math.log(1 + memories) or 1.0
        self.weights = _weights(self.stems, frequencies, memories)
        self.distinct = self.weights * _is_distinct(self.stems, frequencies, memories)
        found = count(self.stems, extras, pool.runs, self.distinct)
        split = len(self.stems)
        counts = found.in_body + found.in_label
        self.found = found
        self.held = counts[:, :split] > 0
        self.bm25 = _saturated(counts[:, :split], found.lengths)
        self.coverage = _share(self.held, self.weights)
        self.distinct_coverage = _share(self.held, self.distinct)
        self.label = _share(found.in_label[:, :split] > 0, self.weights)
        extra_weights = _weights(extras, frequencies, memories)
        self.exact = _share(counts[:, split:] > 0, extra_weights)
        self.exact_bm25 = _saturated(counts[:, split:], found.lengths) @ extra_weights
        named = [_is_name(stem) for stem in self.stems]
        named += [_is_identifier(term, query, frequencies) for term in extras]
        every_weight = np.concatenate([self.weights, extra_weights])
        self.identifiers = (counts > 0) @ (every_weight * np.array(named, dtype=np.float64))
        self.asks = np.array([float(run.asks) for run in pool.runs])
        self.openings = [run.opening for run in pool.runs]
        self.named = {s for s in self.stems if self.openings.count(s) >= _OPENINGS}


def _is_name(stem: str) -> bool:
    """Whether a word is looked up like an identifier.

    The model knows hardly any language but English, and no number: a port, an issue, a code.
    """
    is_number = stem.isdigit() and len(stem) >= _SHORTEST_NUMBER and stem not in TIME_TERMS
    return is_number or not stem.isascii()


def _is_identifier(extra: str, query: KeywordQuery, frequencies: Mapping[str, int]) -> bool:
    """Whether it is no plain word, or one that no text here has as a word."""
    if extra in query.identifiers:
        return True
    stems, _ = word_terms(extra.removeprefix(EXTRA))
    return not any(frequencies.get(stem) for stem in stems)


def _weights(terms: Sequence[str], frequencies: Mapping[str, int], memories: int) -> Floats:
    return np.array([weight(frequencies.get(term, 0), memories) for term in terms])


def _is_distinct(
    stems: Sequence[str], frequencies: Mapping[str, int], memories: int
) -> NDArray[np.bool_]:
    common = np.array([frequencies.get(term, 0) > _COMMON * memories for term in stems], dtype=bool)
    if memories < _COMMON_FROM or common.all():
        return np.ones(len(stems), dtype=bool)
    return ~common


def _saturated(counts: Floats, lengths: Floats) -> Floats:
    """BM25 of each memory and term but for its weight (k1 = 1.2, b = .75)."""
    damping = _K1 * (1 - _B + _B * lengths / max(lengths.mean(), 1.0))
    saturated: Floats = counts * (_K1 + 1) / (counts + damping[:, np.newaxis])
    return saturated


def weight(frequency: int, memories: int) -> float:
    """W of a term that `frequency` of the memories hold; the most for one nobody holds."""
    if frequency == 0:
        return math.log(1 + memories)
    return math.log(1 + max(0.0, memories - frequency + 0.5) / (frequency + 0.5))


def _share(held: Any, weights: Floats) -> Floats:
    total = float(weights.sum())
    share: Floats = held @ weights / total if total > 0 else np.zeros(len(held))
    return share


def _of_memories(words: _Words, pool: Pool, size: int) -> dict[str, Floats]:
    cosine = pool.cosines[:size]
    all_words = words.bm25[:size] @ words.weights
    distinct = words.bm25[:size] @ words.distinct
    cosine_scaled = (cosine - cosine.min()) / (np.ptp(cosine) + _TINY)
    distinct_scaled = distinct / (distinct.max() + _TINY)
    coverage = words.distinct_coverage[:size]
    openings = words.openings[:size]
    times = np.array([float(min(run.times, _MOST_CUES)) for run in pool.runs[:size]])
    numbers = np.array([float(min(run.numbers, _MOST_CUES)) for run in pool.runs[:size]])
    exact, held = words.exact[:size], words.identifiers[:size]
    all_terms = all_words + words.exact_bm25[:size]
    asks_when = float(words.query.asks_when)
    return {
        "cosine": cosine,
        "cosine_scaled": cosine_scaled,
        "words_scaled": all_words / (all_words.max() + _TINY),
        "words_share": all_words / (float(words.weights.sum()) or 1.0),
        "distinct_scaled": distinct_scaled,
        "distinct_share": distinct / (float(words.distinct.sum()) or 1.0),
        "coverage": words.coverage[:size],
        "distinct_coverage": coverage,
        "rarest": (words.held[:size] * words.distinct).max(axis=1, initial=0.0) / words.most,
        "rank_meaning": 1 / (_ranks(cosine) + _RANK_DAMPING),
        "rank_words": (distinct > 0) / (_ranks(distinct) + _RANK_DAMPING),
        "pairs": words.found.pairs[:size],
        "length": np.log1p(words.found.lengths[:size]),
        "opening": np.array([float(o in words.named) for o in openings]),
        "other_opening": np.array(
            [float(bool(words.named) and o not in words.named) for o in openings]
        ),
        "meaning_and_words": cosine_scaled * distinct_scaled,
        "meaning_and_coverage": cosine * coverage,
        "meaning_without_words": cosine_scaled * (1 - coverage.max(initial=0.0)),
        "asks": words.asks[:size],
        "exact": exact,
        "identifier": ((held > 0) & (held >= held.max() - _TINY)).astype(np.float64),
        "terms_scaled": all_terms / (all_terms.max() + _TINY),
        "passage": words.found.passages[:size] / (float(words.distinct.sum()) or 1.0),
        "tells_when": asks_when * times,
        "tells_time_unasked": (1 - asks_when) * times,
        "tells_number": float(words.query.asks_number) * numbers,
        "label": words.label[:size],
        "in_period": (pool.days_off == 0).astype(np.float64),
        "after_period": _nearness(pool.days_off),
        "before_period": _nearness(-pool.days_off),
    }


def _nearness(days: Floats) -> Floats:
    """1 / (1 + weeks) where days are more than none."""
    return np.where(days > 0, 1 / (1 + np.maximum(days, 0) / _WEEK), 0.0)


def _of_context(words: _Words, pool: Pool, size: int) -> dict[str, Floats]:
    before, after = pool.before[:size], pool.after[:size]
    topic = pool.topic[:size]
    cosine = np.maximum(0.0, pool.cosines - np.median(pool.cosines[:size]))
    distinct = words.bm25 @ words.distinct
    share = distinct / (float(words.distinct.sum()) or 1.0)
    coverage = words.distinct_coverage
    before_asks = _at(words.asks, before)
    window = words.held[:size].copy()
    for neighbour in (before, after):
        window |= words.held[neighbour] & (neighbour >= 0)[:, np.newaxis]
    scaled = distinct[:size] / (distinct[:size].max(initial=0.0) + _TINY)
    return {
        "before_cosine": _at(cosine, before),
        "after_cosine": _at(cosine, after),
        "before_coverage": _at(coverage, before),
        "after_coverage": _at(coverage, after),
        "before_words": _at(share, before),
        "after_words": _at(share, after),
        "before_asks": before_asks,
        "answers": before_asks * _at(cosine, before),
        "answers_words": before_asks * _at(coverage, before),
        "window_gain": _share(window, words.distinct) - coverage[:size],
        "topic_cosine": _above_own(pool.cosines[:size], topic),
        "topic_words": _above_own(scaled, topic),
    }


def _in_topic(topic: NDArray[np.intp]) -> Floats:
    sizes = np.bincount(topic + 1)
    sizes[0] = 0
    return (sizes[topic + 1] >= _TALK).astype(np.float64)


def _at(values: Floats, places: NDArray[np.intp]) -> Floats:
    return np.where(places >= 0, values[places], 0.0)


def _above_own(values: Floats, topic: NDArray[np.intp]) -> Floats:
    best = np.full(int(topic.max(initial=-1)) + 2, -np.inf)
    np.maximum.at(best, topic, values)
    return np.where(topic >= 0, best[topic] - values, 0.0)


def _ranks(values: Floats) -> Floats:
    ranks = np.empty(len(values))
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks
