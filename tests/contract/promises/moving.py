"""Examples of the tools that move memories in."""

from typing import Final

from tests.contract.promises.kinds import TEXT, TIME, Promise, Refusal

PROMISES: Final = (
    Promise(
        "5.29",
        "where there is nothing to copy, nothing is, and one error says so",
        ("migrate", {"from_path": "no-such-file.db"}),
        {
            "total_old_memories": 0,
            "entities_created": 0,
            "entities_updated": 0,
            "errors": [TEXT],
            "completed_at_unix_ms": TIME,
        },
    ),
)
REFUSALS: Final[tuple[Refusal, ...]] = ()
