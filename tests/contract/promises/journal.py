"""What the contract promises of the journal."""

from typing import Final

from tests.contract.promises.kinds import QUEUE, QUEUE_NAME, TIME, Kind, Promise, Refusal

JOURNAL_ID: Final = Kind((str,), "jrn-[0-9a-f]{12}")

_JOURNALED: Final = {
    "id": JOURNAL_ID,
    "event_type": "decision",
    "evaluated_json": "null",
    "acted_json": "null",
    "forward_json": "null",
    "category": "",
    "key": "",
    "entity_id": "",
    "agent_id": "",
    "created_at_unix_ms": TIME,
}

PROMISES: Final = (
    Promise(
        "5.18",
        "an entry is a decision unless it says otherwise",
        ("journal", {}),
        {"id": JOURNAL_ID, "event_type": "decision", "created_at_unix_ms": TIME},
    ),
    Promise(
        "5.19",
        "payloads come as JSON text, the newest entry first",
        ("timeline", {}),
        {
            "items": [
                {**_JOURNALED, "event_type": "review", "acted_json": "null"},
                {
                    **_JOURNALED,
                    "evaluated_json": '{"options":2}',
                    "acted_json": '{"chose":"NATS"}',
                    "category": "decision",
                    "key": "queue",
                    "agent_id": "planner",
                },
            ],
            "total": 2,
        },
        before=(
            QUEUE,
            (
                "journal",
                {
                    **QUEUE_NAME,
                    "evaluated": {"options": 2},
                    "acted": {"chose": "NATS"},
                    "agent_id": "planner",
                },
            ),
            ("journal", {"event_type": "review"}),
        ),
    ),
    Promise(
        "5.19",
        "an empty journal is no error",
        ("timeline", {"entity_id": "mem-000000000000"}),
        {"items": [], "total": 0},
    ),
)

REFUSALS: Final = (
    Refusal("5.18", ("journal", {"acted": "x" * 70_000}), "acted: is 70002 bytes"),
    Refusal("5.19", ("timeline", {"limit": "5"}), "limit"),
)
