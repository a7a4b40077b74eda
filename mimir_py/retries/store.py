"""SQL of the answers kept for calls that may be sent again."""

import json
from collections.abc import Mapping
from typing import Any, Final

from mimir_py.retries.models import KeyedCall, Record
from mimir_py.storage.database import Reader, Writer
from mimir_py.values import UnixMs

_TABLE: Final = "idempotency"

_BY_KEY: Final = """
    SELECT row_id, call_hash, answer, complete, created_at_unix_ms
    FROM idempotency WHERE key_hash = :key_hash
"""
_DELETE_KEY: Final = "DELETE FROM main.idempotency WHERE key_hash = :key_hash"
_DELETE_OLD: Final = "DELETE FROM main.idempotency WHERE created_at_unix_ms < :oldest_unix_ms"
_DELETE_BEYOND: Final = "DELETE FROM main.idempotency WHERE row_id <= :row_id"
_DELETE_ALL: Final = "DELETE FROM main.idempotency"


def find(reader: Reader, key_hash: bytes, oldest_unix_ms: UnixMs) -> Record | None:
    """What is kept under a key, unless it is older than that."""
    row = reader.one(_BY_KEY, {"key_hash": key_hash})
    if row is None or row["created_at_unix_ms"] < oldest_unix_ms:
        return None
    return Record(
        row["row_id"],
        bytes(row["call_hash"]),
        json.loads(row["answer"]),
        bool(row["complete"]),
        row["created_at_unix_ms"],
    )


def insert(
    tx: Writer, call: KeyedCall, answer: Mapping[str, Any], *, complete: bool, now: UnixMs
) -> int:
    """Keep what came of a call, in place of anything older under its key; its row."""
    tx.run(_DELETE_KEY, {"key_hash": call.key_hash})
    return tx.insert_row(
        _TABLE,
        {
            "key_hash": call.key_hash,
            "tool": call.tool,
            "call_hash": call.call_hash,
            "answer": json.dumps(answer),
            "complete": int(complete),
            "created_at_unix_ms": now,
        },
    )


def update(tx: Writer, row_id: int, answer: Mapping[str, Any], *, complete: bool) -> None:
    """Replace the answer of a record; a no-op when that is gone."""
    tx.update_row(_TABLE, row_id, {"answer": json.dumps(answer), "complete": int(complete)})


def trim(tx: Writer, oldest_unix_ms: UnixMs, last_row_id: int) -> None:
    """Drop records that are older, or whose row is not above that one."""
    tx.run(_DELETE_OLD, {"oldest_unix_ms": oldest_unix_ms})
    tx.run(_DELETE_BEYOND, {"row_id": last_row_id})


def erase(tx: Writer) -> None:
    """Drop every record: answers may quote what is being erased."""
    tx.run(_DELETE_ALL)
