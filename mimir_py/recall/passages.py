"""Which part of a long body holds the query's words, and how to rank what is no word at all."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_LABEL_SHARE: Final = 0.01


def best_span(
    words: Sequence[str],
    body: str,
    spans: Sequence[tuple[int, int]],
    otherwise: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """The span that BM25 (Okapi) ranks first for the words.

    If none holds any, `otherwise`, or the first.
    """
    from rank_bm25 import BM25Okapi

    parts = [_WORD.findall(body[start:stop].lower()) or [""] for start, stop in spans]
    query = [part for word in words for part in _WORD.findall(word.lower())]
    if not query:
        return otherwise or spans[0]
    scores = BM25Okapi(parts).get_scores(query)
    # With few spans Okapi's idf can be negative; then presence decides.
    held = [sum(word in part for word in query) for part in parts]
    best = max(range(len(spans)), key=lambda n: (held[n], scores[n], -n))
    return spans[best] if held[best] else otherwise or spans[0]


def best_line(words: Sequence[str], body: str, span: tuple[int, int]) -> int:
    """Where the line of a span begins that holds most of the words; the first of equals."""
    query = {part for word in words for part in _WORD.findall(word.lower())}
    begin, best, most = span[0], span[0], 0
    for line in body[span[0] : span[1]].splitlines(keepends=True):
        held = len(query.intersection(_WORD.findall(line.lower())))
        if held > most:
            best, most = begin, held
        begin += len(line)
    return best


def rank_symbols(
    symbols: Sequence[str], texts: Mapping[int, tuple[str, str]]
) -> list[tuple[int, float]]:
    """Texts, as (label, body) by row, by their BM25+ for the symbols, each counted as a word.

    One that only the label holds counts for very little. Scores are positive.
    """
    from rank_bm25 import BM25Plus

    if not texts:
        return []
    corpus = [[*_occurrences(symbols, body), *body.split()] or [""] for _, body in texts.values()]
    scores = BM25Plus(corpus).get_scores(list(symbols))
    ranked = [
        (row_id, float(score) + _LABEL_SHARE * len(_occurrences(symbols, label)))
        for (row_id, (label, _)), score in zip(texts.items(), scores, strict=True)
    ]
    return sorted(ranked, key=lambda entry: (-entry[1], entry[0]))


def _occurrences(symbols: Sequence[str], text: str) -> list[str]:
    return [symbol for symbol in symbols for _ in range(text.count(symbol))]
