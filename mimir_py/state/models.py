"""Where a value is kept, and what is kept there."""

from dataclasses import dataclass

from mimir_py.values import UnixMs


@dataclass(frozen=True)
class Slot:
    """A place for one value."""

    key: str
    workspace_hash: str
    agent_id: str


@dataclass(frozen=True)
class Held:
    """A value. It answers until `expires_at_unix_ms`, exclusive; `None` is for ever.

    `version` grows with every value that is set anywhere in the store.
    """

    version: int
    value_json: str
    expires_at_unix_ms: UnixMs | None
    created_at_unix_ms: UnixMs
