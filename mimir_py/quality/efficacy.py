"""Whether following a memory's advice is worth it: pure rules, from the compatibility contract."""

from typing import Final

from mimir_py.quality.models import Efficacy

UNVERIFIED: Final = "unverified"
USEFUL: Final = "useful"
DEAD: Final = "dead"
VERIFIED_SCORE: Final = 0.7
_ATTEMPTS: Final = 5
_DEAD_BELOW: Final = 0.20
_USEFUL_FROM: Final = 0.75


def efficacy(follow_count: int, miss_count: int) -> Efficacy:
    """What the counts say; nothing before five attempts."""
    attempts = follow_count + miss_count
    rate = follow_count / attempts if attempts else 0.0
    status = UNVERIFIED
    if attempts >= _ATTEMPTS:
        status = DEAD if rate < _DEAD_BELOW else USEFUL if rate >= _USEFUL_FROM else UNVERIFIED
    return Efficacy(follow_count, miss_count, rate, status)


def clamped(score: float) -> float:
    """A score as memories keep it, in 0..1."""
    return min(1.0, max(0.0, score))
