"""What is said about a store as a whole."""

from dataclasses import dataclass
from typing import Any, Literal

from mimir_py.values import UnixMs


@dataclass(frozen=True)
class Index:
    """How far the vectors of a large store are in memory: up to chunk `done` of `total`.

    It is `ready` when searches go through all of them, `building` until then.
    """

    state: Literal["ready", "building"]
    done: int
    total: int


@dataclass(frozen=True)
class Statistics:
    """Counts of a store. Totals include archived memories; `live` and `archived` part them.

    Journal events are those that callers recorded, state entries those that have not expired.
    Communities are what the contract counts; they are zero in a store that keeps none.
    """

    total_entities: int
    live_entities: int
    archived_entities: int
    by_category: dict[str, int]
    by_type: dict[str, int]
    by_layer: dict[str, int]
    db_file_size_bytes: int
    oldest_unix_ms: UnixMs | None
    newest_unix_ms: UnixMs | None
    total_history_rows: int
    history_bytes: int
    top_history_keys: tuple[dict[str, Any], ...]
    total_journal_events: int
    total_state_entries: int
    total_communities: int
    graph_modularity: float | None
    total_aliases: int
    chunks: int
    pending_chunks: int
    index: Index
    last_write_unix_ms: UnixMs | None
    last_recall_unix_ms: UnixMs | None


@dataclass(frozen=True)
class Embedded:
    """What an embedding run did."""

    embedded: int
    errors: tuple[str, ...] = ()
