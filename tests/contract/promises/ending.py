"""Examples of the tools that end memories."""

from typing import Any, Final

from tests.contract.promises.kinds import (
    INT,
    QUEUE,
    QUEUE_NAME,
    TIME,
    Call,
    Promise,
    Refusal,
    fact,
)

_FORGOTTEN: Final[tuple[Call, ...]] = (
    QUEUE,
    fact("decision", "queue", "use Kafka"),
    ("forget", QUEUE_NAME),
)


def _receipt(**more: Any) -> dict[str, Any]:
    return {
        "entities_deleted": 1,
        "history_rows_deleted": 1,
        "journal_rows_redacted": INT,
        "bytes_freed": INT,
        "dry_run": False,
        "completed_at_unix_ms": TIME,
        "aliases_deleted": 0,
        "backups_holding": [],
        "quoted_in": [],
        "linked_with": [],
        "finished": True,
        **more,
    }


PROMISES: Final = (
    Promise("5.27", "what was forgotten is erased", ("purge", {}), _receipt(), before=_FORGOTTEN),
    Promise(
        "5.27",
        "a dry run counts the same and frees nothing",
        ("purge", {"dry_run": True}),
        _receipt(dry_run=True, bytes_freed=0),
        before=_FORGOTTEN,
    ),
    Promise(
        "5.27",
        "what is not forgotten stays",
        ("purge", {}),
        _receipt(entities_deleted=0, history_rows_deleted=0, bytes_freed=0),
        before=(QUEUE,),
    ),
)
REFUSALS: Final[tuple[Refusal, ...]] = ()
