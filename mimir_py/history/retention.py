"""How long earlier versions are kept, and what is left of those that are not: pure rules.

Evicted versions of a name are always its oldest. Those that followed each other without a gap are
rolled up into one tombstone, which says how many there were and carries a digest of them; a time at
which the name was forgotten lies between two tombstones, so the gap stays a gap.
"""

import hashlib
import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from mimir_py.entities import Entity
from mimir_py.values import UnixMs

DAY_MS: Final = 86_400_000
TOMBSTONE: Final = "tombstone"
COMPACTED: Final = "compacted"
SOURCE: Final = "history_retention"
_GENESIS: Final = "genesis"


@dataclass(frozen=True)
class Bounds:
    """What is kept; `None` bounds nothing.

    Days since a version ended, versions of a name in a workspace, and bytes of all bodies together
    (those of tombstones do not count).
    """

    max_age_days: int | None = None
    max_versions_per_key: int | None = None
    max_bytes: int | None = None
    tombstones: bool = True


@dataclass(frozen=True)
class Stored:
    """An earlier version as retention sees it. `name` is equal for versions of one name."""

    name: Hashable
    row: int
    recorded_at: UnixMs
    ended_at: UnixMs
    body_bytes: int
    is_tombstone: bool
    was_forgotten: bool


@dataclass(frozen=True)
class Retained:
    """What retention did, or would do."""

    rows_evicted: int = 0
    bytes_evicted: int = 0
    tombstones_written: int = 0
    keys_affected: int = 0


Run = tuple[Stored, ...]


def evicted(stored: Iterable[Stored], bounds: Bounds, now: UnixMs) -> list[Run]:
    """The versions that go, as runs without a gap, oldest first within a name."""
    ordered = sorted(stored, key=lambda version: (version.ended_at, version.recorded_at))
    names: dict[Hashable, list[Stored]] = {}
    for version in ordered:
        names.setdefault(version.name, []).append(version)
    cuts = {name: _cut(versions, bounds, now) for name, versions in names.items()}
    if bounds.max_bytes is not None:
        if bounds.tombstones:
            ordered = [replace(v, body_bytes=0) if v.is_tombstone else v for v in ordered]
        _cut_to_size(ordered, cuts, bounds.max_bytes)
    runs = [run for name, versions in names.items() for run in _runs(versions[: cuts[name]])]
    if bounds.tombstones:
        # A tombstone alone has nothing to be rolled up with.
        runs = [run for run in runs if len(run) > 1 or not run[0].is_tombstone]
    return runs


def retained(runs: Sequence[Run], bounds: Bounds) -> Retained:
    """What evicting the runs comes to."""
    return Retained(
        rows_evicted=sum(len(run) for run in runs),
        bytes_evicted=sum(version.body_bytes for run in runs for version in run),
        tombstones_written=len(runs) if bounds.tombstones else 0,
        keys_affected=len({run[0].name for run in runs}),
    )


def rolled_up(versions: Sequence[tuple[str, Entity]], now: UnixMs) -> Entity:
    """The tombstone of a run of versions, each with its history id, oldest first."""
    count, digest = 0, _GENESIS
    for history_id, version in versions:
        known = summary(version)
        count += known["versions"] if known else 1
        digest = _chained(digest, history_id, known["digest"] if known else None, version)
    entities = [version for _, version in versions]
    last = entities[-1]
    recorded = min(version.recorded_at_unix_ms for version in entities)
    ended = max(version.believed_until or recorded + 1 for version in entities)
    valid_from = min(_valid_from(version) for version in entities)
    ends = [version.valid_to_unix_ms for version in entities]
    body = {
        "compacted": True,
        "versions": count,
        "digest": digest,
        "first_recorded_at_unix_ms": recorded,
        "last_invalidated_at_unix_ms": ended,
        "first_valid_from_unix_ms": valid_from,
        "compacted_at_unix_ms": now,
    }
    return replace(
        last,
        type=TOMBSTONE,
        status=COMPACTED,
        source=SOURCE,
        tags=(),
        links=(),
        supersedes="",
        created_at_unix_ms=min(version.created_at_unix_ms for version in entities),
        recorded_at_unix_ms=recorded,
        invalidated_at_unix_ms=ended,
        valid_from_unix_ms=valid_from,
        valid_to_unix_ms=None if None in ends else max(end for end in ends if end is not None),
        body_json=json.dumps(body),
    )


def summary(version: Entity) -> Mapping[str, Any] | None:
    """What a tombstone says of the versions it stands for; `None` of a version that is none."""
    if version.source != SOURCE or version.type != TOMBSTONE:
        return None
    body = json.loads(version.body_json)
    # An import can bring anything.
    if not isinstance(body, dict) or not isinstance(body.get("versions"), int):
        return None
    return body if isinstance(body.get("digest"), str) else None


def _cut(versions: Sequence[Stored], bounds: Bounds, now: UnixMs) -> int:
    """How many of the oldest versions of a name go by age and number."""
    count = 0
    if bounds.max_age_days is not None:
        oldest = now - bounds.max_age_days * DAY_MS
        count = sum(version.ended_at < oldest for version in versions)
    if bounds.max_versions_per_key is not None:
        count = max(count, len(versions) - bounds.max_versions_per_key)
    return count


def _cut_to_size(ordered: Sequence[Stored], cuts: dict[Hashable, int], most: int) -> None:
    """Let the oldest versions of all go until the bodies of the rest are within `most` bytes."""
    places: dict[Hashable, int] = {}
    left = []
    for version in ordered:
        place = places[version.name] = places.get(version.name, 0) + 1
        if place > cuts[version.name]:
            left.append((place, version))
    size = sum(version.body_bytes for _, version in left)
    for place, version in left:
        if size <= most:
            return
        size -= version.body_bytes
        cuts[version.name] = place


def _runs(versions: Sequence[Stored]) -> list[Run]:
    """Versions parted where the name was forgotten."""
    number = 0
    numbered = []
    for version in versions:
        numbered.append((number, version))
        number += version.was_forgotten
    grouped = groupby(numbered, key=lambda entry: entry[0])
    return [tuple(version for _, version in group) for _, group in grouped]


def _chained(previous: str, history_id: str, digest: str | None, version: Entity) -> str:
    """SHA-256 over the digest before, and what the version says and when."""
    said = [
        previous,
        history_id,
        version.body_json if digest is None else digest,
        version.recorded_at_unix_ms,
        version.believed_until,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _valid_from(version: Entity) -> UnixMs:
    start = version.valid_from_unix_ms
    return version.recorded_at_unix_ms if start is None else start
