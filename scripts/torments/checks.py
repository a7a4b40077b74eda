"""Looking at a store from outside, with the SQLite that Mimir brings along and none of its code."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from mimir_py.storage.engine import load_engine
from torments.workload import CATEGORY, Kept, Operation, State, Workload

ENGINE: Final = load_engine("auto")
SqliteError: Final = ENGINE.dbapi.Error

_MEMORIES: Final = """
    SELECT e.key, e.body_json, e.archived, e.archive_reason,
           (SELECT count(*) FROM entity_history h WHERE h.id = e.id)
    FROM entities e WHERE e.category = ?
"""
# Each counts memories whose parts do not agree.
_PARTS: Final = {
    "a memory without its search text": """
        SELECT count(*) FROM entities WHERE row_id NOT IN (SELECT row_id FROM entity_text)""",
    "a search text without its memory": """
        SELECT count(*) FROM entity_text WHERE row_id NOT IN (SELECT row_id FROM entities)""",
    "a search text of another version": """
        SELECT count(*) FROM entities e JOIN entity_text t USING (row_id)
        WHERE e.category = 'torture'
          AND instr(t.body, json_extract(e.body_json, '$.text')) = 0""",
    "a memory with neither a vector nor a chunk that waits for one": """
        SELECT count(*) FROM entities WHERE row_id NOT IN (SELECT row_id FROM chunks)""",
    "a chunk without its memory": """
        SELECT count(*) FROM chunks WHERE row_id NOT IN (SELECT row_id FROM entities)""",
    "a chunk whose vector is not there": """
        SELECT count(*) FROM chunks WHERE model_id <> 0 AND vector IS NULL""",
    "a memory the change feed does not name": """
        SELECT count(*) FROM entities WHERE row_id NOT IN (SELECT entity_row_id FROM changes)""",
}
_UNRECORDED: Final = {
    "a memory the journal does not name": """
        SELECT count(*) FROM entities WHERE id NOT IN (SELECT entity_id FROM journal)""",
}
_MATCHING: Final = """
    SELECT count(*) FROM entities_fts f JOIN entities e ON e.row_id = f.rowid
    WHERE entities_fts MATCH ? AND e.key = ?
"""


@contextlib.contextmanager
def opened(store: Path) -> Iterator[Any]:
    """A connection to a store that nobody may be writing to for long."""
    connection = ENGINE.dbapi.connect(str(store), timeout=10, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def has_tables(connection: Any) -> bool:
    """Whether the store got as far as its first schema."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'entities'").fetchone()
    return found is not None


def held(connection: Any) -> State:
    """What the workload finds stored."""
    state = {}
    for key, body, archived, reason, versions in connection.execute(_MEMORIES, (CATEGORY,)):
        forgotten_by = int(reason.split()[-1]) if archived else 0
        state[key] = Kept(json.loads(body)["number"], forgotten_by, versions)
    return state


def where(state: State) -> int:
    """The number of the last operation whose effect is in a state."""
    return max((max(kept.written_by, kept.forgotten_by) for kept in state.values()), default=0)


def parts_disagree(connection: Any, *, in_slices: bool = False) -> list[str]:
    """Faults between the parts of memories: text, words, chunks, change feed, journal.

    Of memories that came `in_slices` the journal names none by itself.
    """
    parts = _PARTS if in_slices else _PARTS | _UNRECORDED
    counts = {fault: connection.execute(sql).fetchone()[0] for fault, sql in parts.items()}
    return [f"{fault} ({count})" for fault, count in counts.items() if count]


def unfindable(connection: Any, operations: Sequence[Operation]) -> list[str]:
    """Operations whose text is stored but whose words the index does not have."""
    return [
        f"the words of operation {operation.number} are not in the index"
        for operation in operations
        if connection.execute(_MATCHING, (f'"{operation.token}"', operation.key)).fetchone()[0] != 1
    ]


def broken(connection: Any) -> list[str]:
    """Faults of the file's structure and of the full-text index; reads the whole file."""
    faults = [row[0] for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    try:
        connection.execute(
            "INSERT INTO entities_fts (entities_fts, rank) VALUES ('integrity-check', 1)"
        )
    except SqliteError as error:
        faults.append(f"full-text index: {error}")
    return faults


def not_a_prefix(state: State, workload: Workload, acknowledged: int) -> list[str]:
    """Why a state is not that after some number of operations, with all acknowledged ones."""
    reached = where(state)
    if reached < acknowledged:
        return [f"acknowledged up to {acknowledged}, stored up to {reached}"]
    wanted = workload.after(reached)
    if state == wanted:
        return []
    return [
        f"{key} is {state.get(key)} and should be {wanted.get(key)} after operation {reached}"
        for key in sorted({*state, *wanted})
        if state.get(key) != wanted.get(key)
    ]
