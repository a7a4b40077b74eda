"""Which memories say nearly the same, and what they are merged into: pure rules."""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mimir_py.entities import Entity
from mimir_py.entities.echo import telling
from mimir_py.entities.similarity import trigrams
from mimir_py.entities.text import body_text

OBSERVATION: Final = "observation"
# What is derived from memories is not merged again.
DERIVED: Final = frozenset({OBSERVATION, "insight", "synthesis", "community_summary"})
_LOWEST_FRESHNESS: Final = 0.5
# Products of fractions come out a little off.
_ROUNDING: Final = 1e-9


class Pair(NamedTuple):
    """Two texts, by their places, the first before the second; similarity in 0..1."""

    first: int
    second: int
    similarity: float


class Texts(NamedTuple):
    """Texts to compare, and how much a pair of them must overlap."""

    texts: Sequence[str]
    threshold: float


@dataclass(frozen=True)
class Observation:
    """What a cluster is merged into. Its id and key follow from its sources, so that merging the
    same ones again finds it there."""

    sources: tuple[Entity, ...]
    best: Entity
    entity_id: str
    key: str
    certainty: float
    freshness: float

    @property
    def body_json(self) -> str:
        return json.dumps(
            {
                "summary": json.loads(self.best.body_json),
                "source_ids": [source.id for source in self.sources],
                "proof_count": len(self.sources),
                "merged_from_category": self.best.category,
            },
            ensure_ascii=False,
        )


def similar_pairs(texts: Sequence[str], threshold: float) -> list[Pair]:
    """Texts whose trigrams overlap (Jaccard) by `threshold` or more, and by something at all.

    Every two that are long enough for each other are compared, as sets of bits: that takes less
    than to find out which could be left out.
    """
    sets = _as_bits(trigrams(text) for text in texts)
    by_size = sorted(range(len(sets)), key=lambda place: -sets[place][0])
    found = []
    for number, place in enumerate(by_size):
        size, bits = sets[place]
        for other in by_size[number + 1 :]:
            smaller, others = sets[other]
            if smaller < threshold * size - _ROUNDING:
                break
            shared = (bits & others).bit_count()
            if shared and shared / (size + smaller - shared) >= threshold:
                ends = min(place, other), max(place, other)
                found.append(Pair(*ends, shared / (size + smaller - shared)))
    return sorted(found)


def alike(texts: Texts) -> list[Pair]:
    """`similar_pairs`, for another process."""
    return similar_pairs(*texts)


def _as_bits(sets: Iterable[set[str]]) -> list[tuple[int, int]]:
    """Of each set its size, and a number with a bit for each member."""
    places: dict[str, int] = {}
    packed = []
    for members in sets:
        numbers = [places.setdefault(member, len(places)) for member in members]
        bits = bytearray(max(numbers, default=0) // 8 + 1)
        for number in numbers:
            bits[number // 8] |= 1 << number % 8
        packed.append((len(numbers), int.from_bytes(bits, "little")))
    return packed


def clusters(pairs: Iterable[Pair]) -> list[list[int]]:
    """Places that pairs join, however many pairs apart; by their lowest member."""
    roots: dict[int, int] = {}

    def root(place: int) -> int:
        while roots.setdefault(place, place) != place:
            roots[place] = place = roots[roots[place]]
        return place

    for first, second, _ in pairs:
        one, other = sorted((root(first), root(second)))
        roots[other] = one
    joined: dict[int, list[int]] = defaultdict(list)
    for place in sorted(roots):
        joined[root(place)].append(place)
    return [joined[lowest] for lowest in sorted(joined)]


def observation(sources: Sequence[Entity]) -> Observation:
    """What a cluster of memories is merged into: the one that is most certain speaks for all."""
    best = min(sources, key=lambda source: (-source.certainty, source.id))
    ids = "\n".join(sorted(source.id for source in sources))
    digest = hashlib.sha256(ids.encode()).hexdigest()
    return Observation(
        tuple(sources),
        best,
        entity_id=f"obs-{digest[:12]}",
        key=f"{best.category}-{digest[:8]}",
        certainty=_mean(source.certainty for source in sources),
        freshness=max(_mean(source.decay_score for source in sources), _LOWEST_FRESHNESS),
    )


def says_no_more(source: Entity, best: Entity) -> bool:
    """Whether a memory has no number, name or negation that the one speaking for it lacks."""
    return not Counter(telling(text_of(source))) - Counter(telling(text_of(best)))


def text_of(memory: Entity) -> str:
    """The words of a memory's body."""
    body: Any = json.loads(memory.body_json)
    return body_text(body)


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return math.fsum(values) / len(values)
