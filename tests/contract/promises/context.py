"""What the contract promises of contexts."""

from typing import Final

from tests.contract.promises.kinds import INT, TEXT, Promise, Refusal

_REMEMBERED: Final = (
    "remember",
    {"category": "decision", "key": "queue", "body_json": '{"content":"I prefer NATS"}'},
)
_TRIGGERED: Final = (
    "remember",
    {
        "category": "decision",
        "key": "db",
        "body_json": '{"content":"check the replicas"}',
        "recall_when": ["postgres migration"],
    },
)

PROMISES: Final = (
    Promise(
        "5.30",
        "a block has its mode, budget, count and warnings",
        ("context", {"query": "queue"}),
        {
            "markdown": TEXT,
            "total_chars": INT,
            "mode": "on_demand",
            "budget_chars": 1500,
            "entities_injected": INT,
            "warnings": [],
        },
        before=(_REMEMBERED,),
    ),
    Promise(
        "4.21",
        "a large model has a larger budget",
        ("context", {"model": "claude-OPUS-4"}),
        {"mode": "on_demand", "budget_chars": 6000},
    ),
    Promise(
        "5.43",
        "a trigger fires on one of its two words and the context is echoed",
        ("recall_when", {"context": "postgres"}),
        {"total": 1, "context": "postgres"},
        before=(_TRIGGERED, _REMEMBERED),
    ),
    Promise(
        "5.31",
        "a preference is extracted",
        ("extract", {"text": "I prefer tabs"}),
        {
            "items": [{"kind": "preference", "text": "I prefer tabs"}],
            "total": 1,
            "strategy": "rule_based",
        },
    ),
    Promise(
        "5.31",
        "another strategy extracts nothing",
        ("extract", {"text": "I prefer tabs", "strategy": "llm"}),
        {"items": [], "total": 0, "strategy": "llm"},
    ),
)

REFUSALS: Final = (
    Refusal("5.31", ("extract", {}), "text"),
    Refusal("5.31", ("extract", {"category": "c", "key": "k"}), "Entity not found: c/k"),
    Refusal("5.30", ("context", {"mode": "sometimes"}), "mode"),
)
