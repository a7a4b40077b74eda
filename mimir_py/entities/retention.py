"""How a memory fades and how use keeps it: the one model that everything about ending asks.

Freshness is a number in 0..1. A use raises it; after that it is at most `exp(-idle / lifetime)`,
idle being the time since the last use. The lifetime is a week, the constant of the compatibility
contract, for a memory of the middle layer that nobody used or valued; layer, uses, importance and
verification make it longer or shorter. Fading never raises freshness, except to what a memory
never falls below: its importance, and .2 once verified. What is always on does not fade. Fading
twice is fading once, so it does not matter how often it is computed.
"""

import math
from typing import Final, NamedTuple

from mimir_py.entities.models import Entity
from mimir_py.values import UnixMs

LIFETIME_MS: Final = 604_800_000
REINFORCEMENT: Final = 0.25
NEAR_REINFORCEMENT: Final = 0.15
FADED: Final = 0.05
# Less of a change is not worth writing a row for, unless it crosses a limit.
NOTICEABLE: Final = 1e-4
IMPORTANT: Final = 0.5
LAYERS: Final = ("buffer", "working", "core")
WORKING_USES: Final = 5
CORE_USES: Final = 20

MIDDLE: Final = 1
# Unused and unvalued, a memory fades away in two weeks, three, or twelve.
LAYER_FACTORS: Final = (2 / 3, 1.0, 4.0)
USE_FACTOR: Final = 0.25
VERIFIED_FACTOR: Final = 2.0
VERIFIED_FLOOR: Final = 0.2
WORKING_FROM: Final = 0.2
_CORE_FROM: Final = 0.5
# On either side of these, different things become of a memory.
LIMITS: Final = (FADED, WORKING_FROM, _CORE_FROM)
USEFUL_SHARE: Final = 0.3
DEAD_SHARE: Final = 0.05
USEFUL: Final = "useful"
DEAD: Final = "dead"
_RANKS: Final = {layer: rank for rank, layer in enumerate(LAYERS)}


class Standing(NamedTuple):
    """What decides how long a memory is kept; `freshness` is as last stored."""

    row_id: int
    freshness: float
    last_used: UnixMs
    created: UnixMs
    layer: str
    uses: int
    importance: float
    verified: bool
    always_on: bool
    follow_rate: float
    efficacy: str


def standing(entity: Entity) -> Standing:
    """The standing of a memory."""
    return Standing(
        entity.row_id,
        entity.decay_score,
        entity.last_accessed_unix_ms,
        entity.created_at_unix_ms,
        entity.layer,
        entity.retrieval_count,
        entity.importance,
        entity.verified,
        entity.always_on,
        entity.follow_rate,
        entity.efficacy_status,
    )


def lifetime_ms(memory: Standing) -> float:
    """The idle time after which a fresh memory has 1/e of its freshness left."""
    # A layer lost by fading was earned by uses: it goes on counting, or losing it would cost twice.
    rank = max(_RANKS.get(memory.layer, MIDDLE), _earned(memory.uses))
    lifetime = LIFETIME_MS * LAYER_FACTORS[rank]
    lifetime *= (1 + USE_FACTOR * math.log2(1 + max(0, memory.uses))) * (1 + memory.importance)
    return lifetime * VERIFIED_FACTOR if memory.verified else lifetime


def freshness(memory: Standing, now: UnixMs) -> float:
    """How fresh a memory is at a time, in 0..1."""
    if memory.always_on:
        return memory.freshness
    idle = now - memory.last_used
    left = 1.0 if idle <= 0 else math.exp(-idle / lifetime_ms(memory))
    left = min(memory.freshness, left * _advice_factor(memory))
    return max(left, memory.importance, VERIFIED_FLOOR if memory.verified else 0.0)


def is_protected(memory: Standing) -> bool:
    """Whether nothing may take a memory away but a person: verified, always on or important."""
    return memory.verified or memory.always_on or memory.importance >= IMPORTANT


def settled_layer(memory: Standing, fresh: float) -> str:
    """The layer a memory belongs in when it is that fresh.

    Uses earn a layer and fading takes it back. A layer above what uses earn was asked for, and
    stays; so does one outside the vocabulary.
    """
    held, due = _RANKS.get(memory.layer), _earned(memory.uses)
    if held is None or held > due:
        return memory.layer
    if not (memory.verified or memory.always_on):
        due = min(due, (fresh >= WORKING_FROM) + (fresh >= _CORE_FROM))
    return LAYERS[due]


def worth(memory: Standing, now: UnixMs) -> tuple[float, int, UnixMs, int]:
    """A key that sorts the least valuable memory first: fresh, then used, then lately used."""
    return (freshness(memory, now), memory.uses, memory.last_used, memory.row_id)


def _earned(uses: int) -> int:
    return (uses >= WORKING_USES) + (uses >= CORE_USES)


def _advice_factor(memory: Standing) -> float:
    """Advice that helps stays longer, and advice that nobody follows goes at once."""
    if memory.efficacy == USEFUL:
        return 1 + USEFUL_SHARE * memory.follow_rate
    return DEAD_SHARE if memory.efficacy == DEAD and not memory.verified else 1.0
