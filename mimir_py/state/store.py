"""The table `state`; the only one to write it."""

from collections.abc import Mapping
from typing import Any, Final

from mimir_py.state.expiry import after_prefix
from mimir_py.state.models import Held, Slot
from mimir_py.storage.database import Reader, Writer
from mimir_py.values import UnixMs

_HELD: Final = """
    SELECT s.version, s.value_json, s.expires_at_unix_ms, s.created_at_unix_ms
    FROM main.state held CROSS JOIN state s ON s.version = held.version
    WHERE held.key = :key AND held.workspace_hash = :workspace_hash AND held.agent_id = :agent_id
"""
_DELETE: Final = """
    DELETE FROM main.state
    WHERE key = :key AND workspace_hash = :workspace_hash AND agent_id = :agent_id
"""
_DELETE_EXPIRED: Final = """
    DELETE FROM main.state WHERE version IN (
        SELECT version FROM main.state WHERE expires_at_unix_ms <= :now LIMIT :limit
    )
"""
# Names of a sealed store are tokens, which have another order: the view has the names themselves.
_KEYS: Final = """
    SELECT key FROM state
    WHERE key >= :prefix AND (:after IS NULL OR key < :after) AND agent_id = :agent_id
      AND (:workspace_hash IS NULL OR workspace_hash = :workspace_hash)
      AND (expires_at_unix_ms IS NULL OR expires_at_unix_ms > :now)
    ORDER BY key LIMIT :limit OFFSET :offset
"""
_COUNT_KEYS: Final = """
    SELECT count(*) FROM state
    WHERE key >= :prefix AND (:after IS NULL OR key < :after) AND agent_id = :agent_id
      AND (:workspace_hash IS NULL OR workspace_hash = :workspace_hash)
      AND (expires_at_unix_ms IS NULL OR expires_at_unix_ms > :now)
"""
_COUNT: Final = """
    SELECT count(*) FROM main.state
    WHERE expires_at_unix_ms IS NULL OR expires_at_unix_ms > :now
"""


def held_in(reader: Reader, slot: Slot, now: UnixMs) -> Held | None:
    """The value in a slot, unless it has expired."""
    row = reader.one(_HELD, _stored(reader, slot))
    if row is None:
        return None
    held = Held(**{name: row[name] for name in Held.__dataclass_fields__})
    expired = held.expires_at_unix_ms is not None and held.expires_at_unix_ms <= now
    return None if expired else held


def put(tx: Writer, slot: Slot, value_json: str, expires_at: UnixMs | None, now: UnixMs) -> int:
    """Put a value in the place of any that is there; its version."""
    tx.run(_DELETE, _stored(tx, slot))
    return tx.insert_row(
        "state",
        {
            **vars(slot),
            "value_json": value_json,
            "expires_at_unix_ms": expires_at,
            "created_at_unix_ms": now,
        },
    )


def delete(tx: Writer, slot: Slot) -> None:
    tx.run(_DELETE, _stored(tx, slot))


def delete_expired(tx: Writer, now: UnixMs, limit: int) -> int:
    """Remove up to `limit` values that have expired; how many."""
    return tx.run(_DELETE_EXPIRED, {"now": now, "limit": limit})


def keys(
    reader: Reader, prefix: str, scope: Slot, now: UnixMs, limit: int, offset: int
) -> tuple[list[str], int]:
    """Keys that begin with `prefix`, in order, and how many there are in all.

    `scope` gives the agent and the workspace, `"*"` being every one.
    """
    values = {
        "prefix": prefix,
        "after": after_prefix(prefix),
        "agent_id": scope.agent_id,
        "workspace_hash": None if scope.workspace_hash == "*" else scope.workspace_hash,
        "now": now,
    }
    total: int = reader.value(_COUNT_KEYS, values)
    rows = reader.tuples(_KEYS, {**values, "limit": limit, "offset": offset})
    return [key for (key,) in rows], total


def count(reader: Reader, now: UnixMs) -> int:
    """Values that answer."""
    number: int = reader.value(_COUNT, {"now": now})
    return number


def _stored(reader: Reader, slot: Slot) -> Mapping[str, Any]:
    return reader.stored_names("state", vars(slot))
