"""Examples of the tools that let memories fade, merge and be archived."""

from typing import Final

from tests.contract.promises.kinds import (
    INT,
    MEMORY_ID,
    QUEUE,
    TEXT,
    TIME,
    Call,
    Kind,
    Promise,
    Refusal,
    fact,
)

_JUNK: Final[tuple[Call, ...]] = (
    fact("junk", "one", "left over from the import", importance=0.05),
    fact("junk", "two", "a half-finished thought", importance=0.05),
    fact("junk", "three", "somebody's lunch order", importance=0.05),
    fact("junk", "kept", "worth keeping", importance=0.9),
    fact("decision", "queue", "use NATS", importance=0.05),
)
_VERSIONS: Final[tuple[Call, ...]] = tuple(
    fact("decision", "queue", text) for text in ("use Kafka", "use RabbitMQ", "use NATS")
)
_REPEATS: Final[tuple[Call, ...]] = (
    fact("note", "vpn", "the staging database needs the vpn", tags=["ops"]),
    fact("note", "vpn-2", "the staging database needs the vpn too", tags=["ops"]),
    fact("note", "lunch", "lunch is at twelve", tags=["ops"]),
)
_OBSERVED: Final = {
    "entity_id": Kind((str,), "obs-[0-9a-f]{12}"),
    "key": Kind((str,), "note-[0-9a-f]{8}"),
    "summary": TEXT,
    "source_ids": [MEMORY_ID, MEMORY_ID],
    "proof_count": 2,
    "certainty": 0.5,
}
_REASON: Final = 'prune: cat=Some("junk") decay<Some(0.1) age>Noned'
_POLICY: Final = {
    "max_age_days": None,
    "max_versions_per_key": 1,
    "max_bytes": None,
    "tombstones": True,
}

PROMISES: Final = (
    Promise(
        "5.15",
        "what is stale in a category is archived",
        ("prune", {"category": "junk", "min_decay": 0.1}),
        {"archived": 3, "examined": 3, "dry_run": False, "reason": _REASON},
        before=_JUNK,
    ),
    Promise(
        "5.15",
        "a dry run archives nothing",
        ("prune", {"category": "junk", "min_decay": 0.1, "dry_run": True}),
        {"archived": 0, "examined": 3, "dry_run": True, "reason": _REASON, "would_archive": 3},
        before=_JUNK,
    ),
    Promise(
        "5.15",
        "earlier versions are rolled up",
        ("prune", {"scope": "history", "max_versions_per_key": 1}),
        {
            "rows_evicted": 1,
            "bytes_evicted": len('{"content":"use Kafka"}'),
            "tombstones_written": 1,
            "keys_affected": 1,
            "dry_run": False,
            "policy": _POLICY,
        },
        before=_VERSIONS,
    ),
    Promise(
        "5.26",
        "a dry run counts what would go",
        ("compact", {"dry_run": True}),
        {
            "entities_archived": 4,
            "entities_examined": 5,
            "dry_run": True,
            "completed_at_unix_ms": TIME,
        },
        before=_JUNK,
    ),
    Promise(
        "5.40",
        "what was used just now has not faded",
        ("decay", {}),
        {
            "entities_checked": 5,
            "entities_updated": 0,
            "auto_archived": 0,
            "completed_at_unix_ms": TIME,
        },
        before=_JUNK,
    ),
    Promise(
        "5.36",
        "what says the same is merged",
        ("consolidate", {"category": "note"}),
        {
            "category": "note",
            "entities_examined": 3,
            "observations_created": 1,
            "source_entities_merged": 2,
            "sources_archived": 0,
            "dry_run": False,
            "observations": [_OBSERVED],
        },
        before=_REPEATS,
    ),
    Promise(
        "5.44",
        "what is alike is linked",
        ("cohere", {}),
        {
            "promoted": 0,
            "decayed": 3,
            "linked": 1,
            "archived": 0,
            "entities_examined": 3,
            "dry_run": False,
            "completed_at_unix_ms": TIME,
        },
        before=_REPEATS,
    ),
    Promise(
        "5.50",
        "a whole pass",
        ("autocohere", {}),
        {
            "archived_entities": 0,
            "compact_archived_count": 0,
            "consolidate_sources_archived": 2,
            "db_size_delta_bytes": INT,
            "decay_updates": 0,
            "dry_run": False,
            "history_bytes_evicted": 0,
            "history_rows_evicted": 0,
            "history_tombstones_written": 0,
            "links_created": 1,
            "observations_created": 1,
            "promoted_entities": 0,
        },
        before=_REPEATS,
    ),
    Promise(
        "5.52",
        "all of it",
        ("maintenance", {"all": True}),
        {
            "dedup_archived": 0,
            "orphan_journal_entries_found": 0,
            "orphan_links_found": 0,
            "vacuum_reclaimed_bytes": INT,
            "reindex_rows_affected": 1,
            "history_rows_evicted": 0,
            "history_bytes_evicted": 0,
            "history_tombstones_written": 0,
            "dry_run": False,
            "errors": [],
        },
        before=(QUEUE,),
    ),
)
REFUSALS: Final = (
    Refusal("5.36", ("consolidate", {"category": "observation"}), "derived from memories"),
    Refusal("5.15", ("prune", {}), "at least one of min_decay, older_than_days"),
    Refusal("5.15", ("prune", {"scope": "history"}), "is required"),
    Refusal("5.15", ("prune", {"min_decay": 0.1, "limit": -1}), "limit"),
)
