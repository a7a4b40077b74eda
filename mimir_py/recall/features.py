"""What is measured of each candidate, as one matrix: a row a memory, a column a feature.

`W(t)` is the inverse document frequency of a query term, ln(1 + (N - df + .5) / (df + .5)) as in
Robertson and Zaragoza 2009; a term is distinct when it is in at most a fifth of the store. All
features of context are 0 where a memory has none, so a store without topics ranks by the rest.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mimir_py.recall.keywords import KeywordQuery
from mimir_py.storage.terms import QUESTION, word_terms

Floats = NDArray[np.float64]

TIME_TERMS: Final = frozenset(
    word_terms(word)[0][0]
    for word in """
    yesterday today tomorrow tonight last next ago week month year weekend monday tuesday wednesday
    thursday friday saturday sunday january february march april june july august september october
    november december since recently summer winter spring autumn morning night day soon
    """.split()
) | frozenset(str(year) for year in range(1990, 2050))
NUMBER_TERMS: Final = frozenset(
    word_terms(word)[0][0]
    for word in """
    one two three four five six seven eight nine ten twelve twenty hundred thousand twice once
    couple several dozen
    """.split()
)

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
    "passage",  # the most distinct_coverage within any 40 of its terms
    "tells_when",  # the query asks for a time: how many words of time it has, 2 at most
    "tells_time_unasked",  # the same where the query does not
    "tells_number",  # the query asks how many: how many numbers it has, 2 at most
    "label",  # coverage by key, category, tags and topic alone
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
    "in_topic",  # there is one before or after it in its topic
    "is_long",  # over 150 terms
)
NAMES: Final = MEMORY + CONTEXT + KINDS

_K1: Final = 1.2
_B: Final = 0.75
_COMMON: Final = 0.2
_COMMON_FROM: Final = 20
_RANK_DAMPING: Final = 5
_OPENINGS: Final = 3
_PASSAGE: Final = 40
_MOST_CUES: Final = 2
_LONG: Final = 150
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Pool:
    """The candidates, then the memories around them; arrays have one entry each.

    `before`, `after` are positions of neighbours, -1 where there is none or it was not read;
    `topic` numbers the topic of a candidate, -1 for none.
    """

    candidates: int
    cosines: Floats
    labels: Sequence[str]
    bodies: Sequence[str]
    before: NDArray[np.intp]
    after: NDArray[np.intp]
    topic: NDArray[np.intp]


def measure(
    query: KeywordQuery, frequencies: Mapping[str, int], memories: int, pool: Pool
) -> Floats:
    """The features of the pool's candidates, in the order of `NAMES`."""
    words = _Words(query, frequencies, memories, pool)
    count = pool.candidates
    columns = _of_memories(words, pool, count)
    columns |= _of_context(words, pool, count)
    columns["in_topic"] = ((pool.before >= 0) | (pool.after >= 0))[:count].astype(np.float64)
    columns["is_long"] = (words.lengths[:count] > _LONG).astype(np.float64)
    return np.stack([columns[name] for name in NAMES], axis=1)


class _Words:
    """Which query terms each memory holds, and what they weigh."""

    def __init__(
        self, query: KeywordQuery, frequencies: Mapping[str, int], memories: int, pool: Pool
    ) -> None:
        stems = query.stems
        known_extras = [term for term in query.extras if frequencies.get(term)]
        terms = [*stems, *known_extras]
        weights = np.array([weight(frequencies.get(t, 0), memories) for t in terms] or [0.0])
        self._split = len(stems)
        self.most = math.log(1 + memories) or 1.0
        self.lengths, counts, label_counts, self.openings, self.cues = _counts(terms, pool)
        self.weights = weights[: self._split]
        self.held = counts[:, : self._split] > 0
        common = np.array([frequencies.get(t, 0) for t in stems]) > _COMMON * memories
        self.distinct = ~common if memories >= _COMMON_FROM and not common.all() else ~(common & 0)
        self.bm25 = self._bm25(counts[:, : self._split])
        extra_weights = weights[self._split : len(terms)]
        self.exact = _share(counts[:, self._split : len(terms)] > 0, extra_weights)
        self.coverage = _share(self.held, self.weights)
        self.label = _share(label_counts[:, : self._split] > 0, self.weights)
        self.distinct_coverage = _share(self.held, self.weights * self.distinct)
        self.stems = stems
        self.passage = _passages(pool, terms[: self._split], self.weights * self.distinct)
        self.asks_when, self.asks_number = query.asks_when, query.asks_number
        self.opening_terms = _named_openings(self.openings, stems)

    def _bm25(self, counts: Floats) -> Floats:
        """BM25 of each memory and term (Robertson and Zaragoza 2009, k1 = 1.2, b = .75)."""
        damping = _K1 * (1 - _B + _B * self.lengths / max(self.lengths.mean(), 1.0))
        score: Floats = self.weights * counts * (_K1 + 1) / (counts + damping[:, np.newaxis])
        return score


def weight(frequency: int, memories: int) -> float:
    """W of a term that `frequency` of the memories hold; the most for one nobody holds."""
    if frequency == 0:
        return math.log(1 + memories)
    return math.log(1 + max(0.0, memories - frequency + 0.5) / (frequency + 0.5))


def _counts(
    terms: Sequence[str], pool: Pool
) -> tuple[Floats, Floats, Floats, list[str], tuple[Floats, Floats]]:
    """Lengths, counts of the terms in whole memories and in their labels, first words, cues."""
    place = {term: number for number, term in enumerate(terms)}
    width = max(1, len(terms))
    lengths, openings, times, numbers = [], [], [], []
    in_bodies: list[int] = []
    in_labels: list[int] = []
    for row, (label, body) in enumerate(zip(pool.labels, pool.bodies, strict=True)):
        tokens, label_tokens = body.split(), label.split()
        openings.append(tokens[0] if tokens else "")
        lengths.append(len(tokens) + len(label_tokens))
        times.append(len(TIME_TERMS.intersection(tokens)))
        numbers.append(len(NUMBER_TERMS.intersection(tokens)) + sum(map(str.isdigit, tokens)))
        first = row * width
        in_bodies += [first + place[token] for token in tokens if token in place]
        in_labels += [first + place[token] for token in label_tokens if token in place]
    of_labels = _table(in_labels, len(lengths), width)[:, : len(terms)]
    of_bodies = _table(in_bodies, len(lengths), width)[:, : len(terms)]
    cues = (np.minimum(times, _MOST_CUES), np.minimum(numbers, _MOST_CUES))
    return np.array(lengths, dtype=np.float64), of_bodies + of_labels, of_labels, openings, cues


def _passages(pool: Pool, stems: Sequence[str], weights: Floats) -> Floats:
    """The most weight of distinct terms within a passage, over the weight of all."""
    weight_of = {s: w for s, w in zip(stems, weights.tolist(), strict=True) if w > 0}
    total = sum(weight_of.values())
    return np.array([_best_passage(b, weight_of) for b in pool.bodies]) / (total or 1.0)


def _best_passage(body: str, weight_of: Mapping[str, float]) -> float:
    found = [(at, token) for at, token in enumerate(body.split()) if token in weight_of]
    best = 0.0
    start = 0
    held: Counter[str] = Counter()
    weight = 0.0
    for at, token in found:
        if not held[token]:
            weight += weight_of[token]
        held[token] += 1
        while found[start][0] <= at - _PASSAGE:
            left = found[start][1]
            held[left] -= 1
            if not held[left]:
                weight -= weight_of[left]
            start += 1
        best = max(best, weight)
    return best


def _table(cells: Sequence[int], rows: int, width: int) -> Floats:
    counts = np.bincount(np.array(cells, dtype=np.intp), minlength=rows * width)
    return counts.reshape(rows, width).astype(np.float64)


def _named_openings(openings: Sequence[str], stems: Sequence[str]) -> set[str]:
    """Query terms that several memories open with."""
    return {stem for stem in stems if openings.count(stem) >= _OPENINGS}


def _share(held: Any, weights: Floats) -> Floats:
    total = float(weights.sum())
    share: Floats = held @ weights / total if total > 0 else np.zeros(len(held))
    return share


def _of_memories(words: _Words, pool: Pool, count: int) -> dict[str, Floats]:
    cosine = pool.cosines[:count]
    all_words = words.bm25[:count].sum(axis=1)
    distinct = words.bm25[:count] @ words.distinct.astype(np.float64)
    total = float(words.weights.sum()) or 1.0
    distinct_total = float(words.weights @ words.distinct) or 1.0
    cosine_scaled = (cosine - cosine.min()) / (np.ptp(cosine) + _TINY)
    distinct_scaled = distinct / (distinct.max() + _TINY)
    coverage = words.distinct_coverage[:count]
    held_weights = words.held[:count] * (words.weights * words.distinct)
    openings = words.openings[:count]
    named = words.opening_terms
    return {
        "cosine": cosine,
        "cosine_scaled": cosine_scaled,
        "words_scaled": all_words / (all_words.max() + _TINY),
        "words_share": all_words / total,
        "distinct_scaled": distinct_scaled,
        "distinct_share": distinct / distinct_total,
        "coverage": words.coverage[:count],
        "distinct_coverage": coverage,
        "rarest": held_weights.max(axis=1, initial=0.0) / words.most,
        "rank_meaning": 1 / (_ranks(cosine) + _RANK_DAMPING),
        "rank_words": (distinct > 0) / (_ranks(distinct) + _RANK_DAMPING),
        "pairs": _pairs(words.stems, pool.bodies[:count]),
        "length": np.log1p(words.lengths[:count]),
        "opening": np.array([float(o in named) for o in openings]),
        "other_opening": np.array([float(bool(named) and o not in named) for o in openings]),
        "meaning_and_words": cosine_scaled * distinct_scaled,
        "meaning_and_coverage": cosine * coverage,
        "meaning_without_words": cosine_scaled * (1 - coverage.max(initial=0.0)),
        "asks": _asks(pool.bodies[:count]),
        "exact": words.exact[:count],
        "passage": words.passage[:count],
        "tells_when": words.asks_when * words.cues[0][:count],
        "tells_time_unasked": (not words.asks_when) * words.cues[0][:count],
        "tells_number": words.asks_number * words.cues[1][:count],
        "label": words.label[:count],
    }


def _of_context(words: _Words, pool: Pool, count: int) -> dict[str, Floats]:
    before, after = pool.before[:count], pool.after[:count]
    topic = pool.topic[:count]
    cosine = np.maximum(0.0, pool.cosines - np.median(pool.cosines[:count]))
    distinct = words.bm25 @ words.distinct.astype(np.float64)
    share = distinct / (float(words.weights @ words.distinct) or 1.0)
    asks = _asks(pool.bodies)
    coverage = words.distinct_coverage
    before_asks = _at(asks, before)
    window = words.held[:count].copy()
    for neighbour in (before, after):
        window |= words.held[neighbour] & (neighbour >= 0)[:, np.newaxis]
    scaled = distinct[:count] / (distinct[:count].max(initial=0.0) + _TINY)
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
        "window_gain": _share(window, words.weights * words.distinct) - coverage[:count],
        "topic_cosine": _above_own(pool.cosines[:count], topic),
        "topic_words": _above_own(scaled, topic),
    }


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


def _pairs(stems: Sequence[str], bodies: Sequence[str]) -> Floats:
    pairs = [f" {one} {other} " for one, other in itertools.pairwise(stems)]
    if not pairs:
        return np.zeros(len(bodies))
    return np.array([sum(pair in f" {body} " for pair in pairs) for body in bodies]) / len(pairs)


def _asks(bodies: Sequence[str]) -> Floats:
    return np.array([float(body.endswith(QUESTION)) for body in bodies])
