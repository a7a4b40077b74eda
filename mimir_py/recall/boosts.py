"""Adjust an order by what the caller weighs beside relevance. Pure; scores stay in 0..1."""

import math
from collections.abc import Sequence
from dataclasses import replace

from mimir_py.recall.models import Boosts, Hit
from mimir_py.values import UnixMs

_LENGTH_SCALE = 5_000
_SHORTEST_KEYWORD_BYTES = 3


def reorder(hits: Sequence[Hit], boosts: Boosts, query: str, now: UnixMs, limit: int) -> list[Hit]:
    """`hits` rescored, best first; trimmed where diversity asks for it."""
    rescored = [replace(hit, score=_score(hit, boosts, query, now)) for hit in hits]
    # Stable: equal scores stay in the order they came in.
    rescored.sort(key=lambda hit: -hit.score)
    # Scaled, not clipped: at the top of the range a boost must still tell hits apart.
    top = max([1.0, *(hit.score for hit in rescored[:1])])
    rescored = [replace(hit, score=round(hit.score / top, 6)) for hit in rescored]
    if 0 < boosts.diversity_halving < 1:
        return _diversified(rescored, boosts.diversity_halving, query, limit)
    return rescored


def _score(hit: Hit, boosts: Boosts, query: str, now: UnixMs) -> float:
    score = hit.score
    entity = hit.entity
    half_life = boosts.recency_half_life_s
    if half_life is not None and half_life > 0 and entity.created_at_unix_ms > 0:
        age_s = max(0, now - entity.created_at_unix_ms) / 1000
        score *= 0.5 ** (age_s / half_life)
    if boosts.content_weight > 0 and query.lower() in entity.body_json.lower():
        length = len(entity.body_json)
        score += boosts.content_weight / (1 + math.log10(1 + length / _LENGTH_SCALE))
    if boosts.trust_weight > 0:
        trust = 1.0 if entity.verified else entity.certainty
        score += boosts.trust_weight * trust
    return score


def _diversified(hits: Sequence[Hit], halving: float, query: str, limit: int) -> list[Hit]:
    """Keep at most ceil(limit * halving^n) hits of the n-th query word met, in order."""
    words = [
        word for word in query.lower().split() if len(word.encode()) >= _SHORTEST_KEYWORD_BYTES
    ]
    order: dict[str, int] = {}
    taken: dict[str, int] = {}
    kept: list[Hit] = []
    for hit in hits:
        body = hit.entity.body_json.lower()
        word = next((word for word in words if word in body), None)
        if word is not None:
            place = order.setdefault(word, len(order))
            if taken.get(word, 0) >= math.ceil(limit * halving**place):
                continue
            taken[word] = taken.get(word, 0) + 1
        kept.append(hit)
    return kept
