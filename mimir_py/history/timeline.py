"""Which version answers for a moment: pure rules on two independent axes.

The first axis is belief, from when a version was recorded to when a newer one, or being forgotten,
ended it. The second is validity, of which time the version speaks. Every interval is half-open.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from mimir_py.history.models import Version
from mimir_py.values import UnixMs


def as_of(versions: Iterable[Version], at: UnixMs) -> Version | None:
    """What was believed at a moment."""
    believed = [
        version
        for version in versions
        if version.recorded_at <= at and (version.ended_at is None or at < version.ended_at)
    ]
    return max(believed, key=attrgetter("recorded_at"), default=None)


def bitemporal(versions: Sequence[Version], tx_at: UnixMs | None, at: UnixMs) -> Version | None:
    """What was believed at `tx_at` (`None`: is believed now) to hold at the moment `at`.

    A newer version only speaks of its own period: of the time before that, the version it took the
    place of still does, up to where the newer one's period begins. Being forgotten takes back all
    that was said until then, whatever is remembered later.
    """
    known = sorted(
        (version for version in versions if tx_at is None or version.recorded_at <= tx_at),
        key=attrgetter("recorded_at"),
        reverse=True,
    )
    earliest: UnixMs | None = None
    for version in known:
        if version.was_forgotten and _has_ended(version, tx_at):
            return None
        until = _sooner(version.valid_to, earliest)
        if version.valid_from <= at and (until is None or at < until):
            return version
        earliest = _sooner(version.valid_from, earliest)
    return None


def _has_ended(version: Version, tx_at: UnixMs | None) -> bool:
    return version.ended_at is not None and (tx_at is None or version.ended_at <= tx_at)


def _sooner(one: UnixMs | None, other: UnixMs | None) -> UnixMs | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
