"""Which part of a long body holds the query's words, and how to rank what the index cannot see."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")


def best_span(words: Sequence[str], body: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The span that BM25 (Okapi) ranks first for the words; the first if none holds any."""
    from rank_bm25 import BM25Okapi

    parts = [_WORD.findall(body[start:stop].lower()) or [""] for start, stop in spans]
    query = [part for word in words for part in _WORD.findall(word.lower())]
    if not query:
        return spans[0]
    scores = BM25Okapi(parts).get_scores(query)
    # With few spans Okapi's idf can be negative; then presence decides.
    held = [sum(word in part for word in query) for part in parts]
    best = max(range(len(spans)), key=lambda n: (held[n], scores[n], -n))
    return spans[best]


def rank_substrings(needles: Sequence[str], texts: Mapping[int, str]) -> list[tuple[int, float]]:
    """Texts by BM25+ over the letter pairs of the needles, best first; scores are positive."""
    from rank_bm25 import BM25Plus

    if not texts or not needles:
        return []
    row_ids = list(texts)
    corpus = [_pairs(texts[row_id].lower()) for row_id in row_ids]
    query = [pair for needle in needles for pair in _pairs(needle)]
    scores = BM25Plus(corpus).get_scores(query)
    ranked = zip(row_ids, (float(score) for score in scores), strict=True)
    return sorted(ranked, key=lambda item: (-item[1], -item[0]))


def _pairs(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(max(1, len(text) - 1))]
