"""Examples of the tools that move memories in."""

from typing import Final

from tests.contract.promises.kinds import MEMORY_ID, QUEUE, TEXT, TIME, Promise, Refusal

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
    Promise(
        "5.45",
        "a memory is copied into another workspace",
        ("share", {"category": "decision", "key": "queue", "to_workspace": "team-b"}),
        {
            "shared_id": MEMORY_ID,
            "action": "created",
            "from_workspace": "",
            "to_workspace": "team-b",
        },
        before=(QUEUE,),
    ),
    Promise(
        "5.46",
        "a workspace is copied into another one",
        ("federate", {"from_workspace": "", "to_workspace": "team-b"}),
        {"exported": 1, "remapped": 1, "imported": 1, "import_errors": []},
        before=(QUEUE,),
    ),
)
REFUSALS: Final[tuple[Refusal, ...]] = (
    Refusal(
        "5.45",
        ("share", {"category": "c", "key": "k", "to_workspace": "team-b"}),
        "Entity not found: c/k",
    ),
)
