"""What is written into the journal, what comes back, and what a verification finds."""

from dataclasses import dataclass
from typing import Final

from mimir_py.values import UnixMs

EVENT: Final = "event"
AUDIT: Final = "audit"

NO_PAYLOAD: Final = "null"


@dataclass(frozen=True)
class Entry:
    """Something that happened. Payloads are JSON texts; `null` is none.

    `kind` is `event` for what a caller records and `audit` for what Mimir itself does.
    """

    event_type: str
    kind: str = EVENT
    category: str = ""
    key: str = ""
    entity_id: str = ""
    agent_id: str = ""
    workspace_hash: str = ""
    evaluated_json: str = NO_PAYLOAD
    acted_json: str = NO_PAYLOAD
    forward_json: str = NO_PAYLOAD


@dataclass(frozen=True)
class Recorded:
    """An entry with its place: `seq` counts from 1 without a gap over the whole store."""

    seq: int
    id: str
    created_at_unix_ms: UnixMs
    entry: Entry


@dataclass(frozen=True)
class Filter:
    """Which entries to list. Bounds are inclusive; `None` leaves a thing open."""

    from_ms: UnixMs | None = None
    to_ms: UnixMs | None = None
    event_type: str | None = None
    category: str | None = None
    entity_id: str | None = None
    workspaces: tuple[str, ...] | None = None
    include_audit: bool = False


@dataclass(frozen=True)
class Head:
    """The last entry of a chain: its number, which is also how many there are, and its hash."""

    seq: int
    hash: bytes


GENESIS: Final = Head(0, bytes(32))


@dataclass(frozen=True)
class Fault:
    """The first entry that is not as it was written, and in what way."""

    seq: int
    problem: str
    id: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a verification found.

    `outside` says how the head kept outside the store compares: `agrees`, `behind` (its last
    update was lost, as in a crash; the chain goes on from it), `ahead`, `differs` or `missing`.
    """

    head: Head
    erased: int
    outside: str
    fault: Fault | None

    @property
    def intact(self) -> bool:
        return self.fault is None
