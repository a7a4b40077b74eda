"""What was said under a name, when it was believed, and of when it holds."""

from dataclasses import dataclass
from enum import Enum

from mimir_py.entities import Entity
from mimir_py.values import UnixMs


class Place(Enum):
    """Where a version is kept: as the present one, as an earlier one, or under another key."""

    PRESENT = "present"
    EARLIER = "earlier"
    ALIAS = "alias"


@dataclass(frozen=True)
class Version:
    """One version of what was said under a name in a workspace, without its words.

    It was believed in [recorded_at, ended_at), what it says held in [valid_from, valid_to); `None`
    is an open end. `was_forgotten` tells an end by being forgotten from one by a newer version.
    """

    place: Place
    row: int
    recorded_at: UnixMs
    ended_at: UnixMs | None
    valid_from: UnixMs
    valid_to: UnixMs | None
    was_forgotten: bool

    @property
    def is_live(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True)
class Answer:
    """The version that answers, whole, and whether it is the present one."""

    entity: Entity
    is_live: bool


@dataclass(frozen=True)
class Trail:
    """A page of the earlier versions of a name as (history id, version), newest first."""

    workspace: str
    versions: tuple[tuple[str, Entity], ...]
    total: int
