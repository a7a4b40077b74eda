"""Examples of the tools that judge memories and learn from corrections."""

from typing import Final

from tests.contract.promises.kinds import (
    MEMORY_ID,
    NUMBER,
    QUEUE,
    QUEUE_NAME,
    TEXT,
    TIME,
    Kind,
    Promise,
    Refusal,
    fact,
)

_CONVENTION: Final = {"category": "convention", "key": "tabs"}
_CORRECTION: Final = {
    "wrong_approach": "rebased a shared branch",
    "user_correction": "merge instead",
    "task_context": "updating a pull request",
}
_PRICES: Final = (
    fact("price", "basic", "the basic plan costs 10 dollars a month", certainty=0.9),
    fact("price", "basic-plan", "the basic plan costs 8 dollars a month"),
)
_BENCH: Final = {
    "task_description": "add a field",
    "turns_taken": 4,
    "tokens_used": 9001,
    "memory_recall_used": True,
}
_TABS: Final = ("remember", {**_CONVENTION, "body_json": "we indent with tabs"})
_FOLLOWED: Final = ("follow", {**_CONVENTION, "followed": True})

PROMISES: Final = (
    Promise(
        "5.33",
        "a score is echoed",
        ("score", {**QUEUE_NAME, "score": 0.9}),
        {"found": True, **QUEUE_NAME, "score": 0.9},
        before=(QUEUE,),
    ),
    Promise(
        "5.33",
        "an unknown name is not found, which is no error",
        ("score", {**QUEUE_NAME, "score": 0.9}),
        {"found": False, **QUEUE_NAME, "score": 0.9},
    ),
    Promise(
        "5.33",
        "a score is how fresh the memory is from then on",
        ("recall", {"query": "NATS"}),
        {"items": [{"decay_score": 0.9, "verified": True}], "total": 1},
        before=(QUEUE, ("score", {**QUEUE_NAME, "score": 0.9})),
    ),
    Promise(
        "5.34",
        "what is followed four times in five is useful",
        ("follow", {**_CONVENTION, "followed": False, "context": "a rush"}),
        {
            "found": True,
            **_CONVENTION,
            "follow_count": 4,
            "miss_count": 1,
            "follow_rate": 0.8,
            "efficacy_status": "useful",
        },
        before=(_TABS, *[_FOLLOWED] * 4),
    ),
    Promise(
        "5.34",
        "an unknown name is not found, with zeros",
        _FOLLOWED,
        {
            "found": False,
            **_CONVENTION,
            "follow_count": 0,
            "miss_count": 0,
            "follow_rate": 0.0,
            "efficacy_status": "unverified",
        },
    ),
    Promise(
        "5.47",
        "a correction is a memory and a journal entry",
        ("correct", _CORRECTION),
        {
            "entity_id": Kind((str,), "cor-[0-9a-f]{12}"),
            "journal_id": Kind((str,), "jrn-[0-9a-f]{12}"),
            "category": "correction",
            "key": Kind((str,), "correction-[0-9a-f]{12}"),
            "created_at_unix_ms": TIME,
        },
    ),
    Promise(
        "5.47",
        "the memory holds the three inputs and a lesson",
        ("recall", {"query": "shared branch"}),
        {
            "items": [{**_CORRECTION, "lesson": TEXT, "type": "correction", "layer": "working"}],
            "total": 1,
        },
        before=(("correct", _CORRECTION),),
    ),
    Promise(
        "5.35",
        "two that say different things of one subject",
        ("conflicts", {"category": "price"}),
        {
            "category": "price",
            "entities_compared": 2,
            "conflicts_found": 1,
            "threshold": 0.4,
            "conflicts": [
                {
                    "entity_a": {"id": MEMORY_ID, "key": "basic", "certainty": 0.9},
                    "entity_b": {"id": MEMORY_ID, "key": "basic-plan", "certainty": 0.5},
                    "similarity": NUMBER,
                    "conflict_likely": True,
                    "certainty_boosted": False,
                }
            ],
        },
        before=_PRICES,
    ),
    Promise(
        "5.35",
        "the surer one would win",
        ("conflicts", {"category": "price", "resolve": True}),
        {
            "category": "price",
            "entities_compared": 2,
            "resolved": 1,
            "skipped_ambiguous": 0,
            "dry_run": True,
            "certainty_margin": 0.2,
            "invalidations": [
                {
                    "winner": {"id": MEMORY_ID, "key": "basic", "certainty": 0.9},
                    "loser": {"id": MEMORY_ID, "key": "basic-plan", "certainty": 0.5},
                    "similarity": NUMBER,
                }
            ],
        },
        before=_PRICES,
    ),
    Promise(
        "5.49",
        "how a task went is a memory",
        ("bench", _BENCH),
        {"entity_id": Kind((str,), "bch-[0-9a-f]{12}"), "created_at_unix_ms": TIME},
    ),
    Promise(
        "5.49",
        "the memory holds the inputs and whole tokens a turn",
        ("recall", {"query": "add a field", "category": "benchmark"}),
        {
            "items": [
                {
                    **_BENCH,
                    "recall_count": 0,
                    "task_success": False,
                    "session_id": "",
                    "tokens_per_turn": 2250,
                    "decay_score": 0.5,
                }
            ],
            "total": 1,
        },
        before=(("bench", _BENCH),),
    ),
    Promise(
        "design",
        "what a source made is forgotten again, once that was looked at",
        ("undo", {"source": "agent", "since_unix_ms": 0}),
        {
            "dry_run": True,
            "undone": [{"entity_id": MEMORY_ID, **QUEUE_NAME, "action": "archived"}],
            "skipped": [],
            "total": 1,
            "journal_ids": [],
        },
        before=(QUEUE,),
    ),
)

REFUSALS: Final = (
    Refusal("5.33", ("score", {**QUEUE_NAME, "score": "high"}), "score"),
    Refusal("5.34", ("follow", QUEUE_NAME), "followed"),
    Refusal("5.35", ("conflicts", {"threshold": 0.4}), "category"),
    Refusal("5.49", ("bench", {**_BENCH, "turns_taken": -1}), "turns_taken"),
    Refusal("5.47", ("correct", {"wrong_approach": "x"}), "user_correction"),
)
