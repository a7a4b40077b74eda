"""Which part of a long body holds the query's words."""

import re
from collections.abc import Sequence
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
