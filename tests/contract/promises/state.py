"""What the contract promises of state."""

from typing import Final

from tests.contract.promises.kinds import TIME, Promise, Refusal

_SET: Final = ("state_set", {"key": "cursor", "value_json": '{"n":4}'})
_B: Final = ("state_set", {"key": "b", "value_json": "2"})
_A: Final = ("state_set", {"key": "a", "value_json": "1"})

PROMISES: Final = (
    Promise(
        "5.20",
        "a value with a time to live says when it ends",
        ("state_set", {"key": "cursor", "value_json": '{"n":4}', "ttl_seconds": 60}),
        {"key": "cursor", "ttl_seconds": 60, "expires_at_unix_ms": TIME},
    ),
    Promise(
        "5.20",
        "a value without one stays",
        _SET,
        {"key": "cursor", "ttl_seconds": None, "expires_at_unix_ms": None},
    ),
    Promise(
        "5.21",
        "a value comes back as the text it was",
        ("state_get", {"key": "cursor"}),
        {
            "found": True,
            "key": "cursor",
            "value": '{"n":4}',
            "expires_at_unix_ms": None,
            "created_at_unix_ms": TIME,
        },
        before=(_SET,),
    ),
    Promise(
        "5.21",
        "a key without a value is no error",
        ("state_get", {"key": "cursor"}),
        {"found": False, "key": "cursor"},
    ),
    Promise(
        "5.20",
        "a time to live that is no time ends at once",
        ("state_get", {"key": "cursor"}),
        {"found": False, "key": "cursor"},
        before=(("state_set", {"key": "cursor", "value_json": "x", "ttl_seconds": -5}),),
    ),
    Promise(
        "5.22",
        "deleting says whether there was a value",
        ("state_delete", {"key": "cursor"}),
        {"found": True, "key": "cursor"},
        before=(_SET,),
    ),
    Promise(
        "5.22",
        "deleting what is not there is no error",
        ("state_delete", {"key": "cursor"}),
        {"found": False, "key": "cursor"},
    ),
    Promise(
        "5.23",
        "keys are listed in order",
        ("state_list", {}),
        {"keys": ["a", "b"], "total": 2},
        before=(_B, _A),
    ),
    Promise(
        "5.23",
        "a prefix lets through what begins with it",
        ("state_list", {"prefix": "cur"}),
        {"keys": ["cursor"], "total": 1},
        before=(_A, _SET),
    ),
)

REFUSALS: Final = (
    Refusal("5.20", ("state_set", {"key": "cursor"}), "value_json"),
    Refusal("5.20", ("state_set", {"value_json": "x"}), "key"),
    Refusal("5.21", ("state_get", {}), "key"),
)
