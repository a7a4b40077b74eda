"""Examples of the tools that ask about other times."""

from typing import Final

from tests.contract.promises.kinds import (
    MEMORY_ID,
    QUEUE,
    QUEUE_ITEM,
    QUEUE_NAME,
    TIME,
    Promise,
    Refusal,
    fact,
)

_LATER: Final = 9_000_000_000_000
_PRICE_NAME: Final = {"category": "price", "key": "basic"}
_PRICE: Final = fact(
    "price", "basic", "price 10", type="fact", valid_from_unix_ms=1_740_000_000_000
)
_PRICE_THEN: Final = {
    **_PRICE_NAME,
    "body_json": '{"content":"price 10"}',
    "entity_type": "fact",
    "found": True,
    "id": MEMORY_ID,
    "invalidated_at_unix_ms": None,
    "is_live_version": True,
    "recorded_at_unix_ms": TIME,
    "status": "active",
    "valid_from_unix_ms": 1_740_000_000_000,
    "valid_to_unix_ms": None,
}
_SUCCESSION: Final = {
    "from_category": "price",
    "from_key": "basic-2024",
    "to_category": "price",
    "to_key": "basic-2025",
}

PROMISES: Final = (
    Promise(
        "5.51",
        "the old memory is closed and deprecated in favour of the new one",
        ("supersede", _SUCCESSION),
        {
            "from_entity_category": "price",
            "from_entity_id": MEMORY_ID,
            "from_entity_key": "basic-2024",
            "from_valid_to_unix_ms": TIME,
            "relationship": "supersedes",
            "status_updated": "deprecated",
            "to_entity_category": "price",
            "to_entity_id": MEMORY_ID,
            "to_entity_key": "basic-2025",
        },
        before=(fact("price", "basic-2024", "10"), fact("price", "basic-2025", "12")),
    ),
    Promise(
        "5.7",
        "earlier versions are listed, whole, without the present one",
        ("history", QUEUE_NAME),
        {
            **QUEUE_NAME,
            "limit": 20,
            "offset": 0,
            "returned": 1,
            "total": 1,
            "versions": [QUEUE_ITEM],
        },
        before=(QUEUE, fact("decision", "queue", "use Kafka")),
    ),
    Promise(
        "5.7",
        "a limit of nothing counts",
        ("history", {**QUEUE_NAME, "limit": 0, "offset": -3}),
        {"limit": 0, "offset": 0, "returned": 0, "total": 1, "versions": []},
        before=(QUEUE, fact("decision", "queue", "use Kafka")),
    ),
    Promise(
        "5.7",
        "an unknown name has no versions, which is no error",
        ("history", QUEUE_NAME),
        {**QUEUE_NAME, "versions": [], "total": 0, "returned": 0},
    ),
    Promise(
        "5.8",
        "a memory is what it was believed to be then",
        ("as_of", {**QUEUE_NAME, "as_of_unix_ms": _LATER}),
        {
            **QUEUE_NAME,
            "as_of_unix_ms": _LATER,
            "body_json": '{"content":"use NATS"}',
            "entity_type": "insight",
            "found": True,
            "id": MEMORY_ID,
            "status": "active",
        },
        before=(QUEUE,),
    ),
    Promise(
        "5.8",
        "a time before it was known finds nothing, which is no error",
        ("as_of", {**QUEUE_NAME, "as_of_unix_ms": 1}),
        {**QUEUE_NAME, "as_of_unix_ms": 1, "found": False},
        before=(QUEUE,),
    ),
    Promise(
        "5.9",
        "what is known now is true since the time it was said to be",
        ("valid_at", {**_PRICE_NAME, "valid_at_unix_ms": 1_750_000_000_000}),
        {**_PRICE_THEN, "valid_at_unix_ms": 1_750_000_000_000},
        before=(_PRICE,),
    ),
    Promise(
        "5.9",
        "a time before that finds nothing, which is no error",
        ("valid_at", {**_PRICE_NAME, "valid_at_unix_ms": 1_739_999_999_999}),
        {**_PRICE_NAME, "valid_at_unix_ms": 1_739_999_999_999, "found": False},
        before=(_PRICE,),
    ),
    Promise(
        "5.10",
        "both times are asked for at once",
        (
            "bitemporal",
            {**_PRICE_NAME, "tx_at_unix_ms": _LATER, "valid_at_unix_ms": 1_750_000_000_000},
        ),
        {**_PRICE_THEN, "tx_at_unix_ms": _LATER, "valid_at_unix_ms": 1_750_000_000_000},
        before=(_PRICE,),
    ),
    Promise(
        "5.10",
        "what was not known then is not found, which is no error",
        ("bitemporal", {**_PRICE_NAME, "tx_at_unix_ms": 1, "valid_at_unix_ms": 1_750_000_000_000}),
        {
            **_PRICE_NAME,
            "tx_at_unix_ms": 1,
            "valid_at_unix_ms": 1_750_000_000_000,
            "found": False,
        },
        before=(_PRICE,),
    ),
)

REFUSALS: Final = (
    Refusal("5.7", ("history", {"category": "c"}), "key"),
    Refusal("5.8", ("as_of", QUEUE_NAME), "as_of_unix_ms"),
    Refusal("5.9", ("valid_at", QUEUE_NAME), "valid_at_unix_ms"),
    Refusal("5.10", ("bitemporal", {**QUEUE_NAME, "tx_at_unix_ms": 1}), "valid_at_unix_ms"),
    Refusal("5.51", ("supersede", _SUCCESSION), "'From' entity not found: price/basic-2024"),
)
