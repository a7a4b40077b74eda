"""Examples of the tools that let memories fade, merge and be archived."""

from typing import Final

from tests.contract.promises.kinds import TIME, Call, Promise, Refusal, fact

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
)
REFUSALS: Final = (
    Refusal("5.15", ("prune", {}), "at least one of min_decay, older_than_days"),
    Refusal("5.15", ("prune", {"scope": "history"}), "is required"),
    Refusal("5.15", ("prune", {"min_decay": 0.1, "limit": -1}), "limit"),
)
