"""J1: ways to change a journal behind Mimir's back, and the entry that each must be found at.

A forger works on the table of a plain store with SQL; the head file beside it is not his.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

_TEXTS: Final = (
    "event_type", "category", "key", "entity_id", "agent_id", "workspace_hash", "evaluated_json",
    "acted_json", "forward_json",
)  # fmt: skip
_BLOBS: Final = ("commitments", "hash", "salts")
_COLUMNS: Final = ("id", "kind", "created_at_unix_ms", *_TEXTS, *_BLOBS)


def _value(connection: Any, seq: int, column: str) -> Any:
    query = f"SELECT {column} FROM journal WHERE seq = ?"  # noqa: S608  # our own names
    return connection.execute(query, (seq,)).fetchone()[0]


def _put(connection: Any, seq: int, column: str, value: Any) -> None:
    statement = f"UPDATE journal SET {column} = ? WHERE seq = ?"  # noqa: S608  # our own names
    connection.execute(statement, (value, seq))


def change_a_text(connection: Any, last: int, chance: random.Random) -> int:
    seq, column = chance.randint(1, last), chance.choice(_TEXTS)
    old = _value(connection, seq, column)
    _put(connection, seq, column, old[:-1] if old and chance.random() < 0.5 else old + "x")
    return seq


def clear_a_text(connection: Any, last: int, chance: random.Random) -> int:
    seq = chance.randint(1, last)
    _put(connection, seq, "event_type", "")
    return seq


def put_text_that_is_none(connection: Any, last: int, chance: random.Random) -> int:
    seq, column = chance.randint(1, last), chance.choice(_TEXTS)
    statement = f"UPDATE journal SET {column} = CAST(x'c328' AS TEXT) WHERE seq = ?"  # noqa: S608
    connection.execute(statement, (seq,))
    return seq


def flip_a_bit(connection: Any, last: int, chance: random.Random) -> int:
    seq, column = chance.randint(1, last), chance.choice(_BLOBS)
    blob = bytearray(_value(connection, seq, column))
    blob[chance.randrange(len(blob))] ^= 1 << chance.randrange(8)
    _put(connection, seq, column, bytes(blob))
    return seq


def cut_a_blob(connection: Any, last: int, chance: random.Random) -> int:
    seq, column = chance.randint(1, last), chance.choice(_BLOBS)
    blob = _value(connection, seq, column)
    _put(connection, seq, column, blob[: chance.randrange(len(blob))])
    return seq


def shift_the_time(connection: Any, last: int, chance: random.Random) -> int:
    seq = chance.randint(1, last)
    shifted = _value(connection, seq, "created_at_unix_ms") + chance.choice((-1, 1, 86_400_000))
    _put(connection, seq, "created_at_unix_ms", shifted)
    return seq


def change_the_kind(connection: Any, last: int, chance: random.Random) -> int:
    seq = chance.randint(1, last)
    kind = _value(connection, seq, "kind")
    _put(connection, seq, "kind", "audit" if kind == "event" else "event")
    return seq


def change_the_id(connection: Any, last: int, chance: random.Random) -> int:
    seq = chance.randint(1, last)
    _put(connection, seq, "id", f"jrn-{chance.randbytes(6).hex()}")
    return seq


def erase_without_a_record(connection: Any, last: int, chance: random.Random) -> int:
    seq = chance.randint(1, last)
    for column in _TEXTS[:4]:
        _put(connection, seq, column, "redacted" if column == "event_type" else "")
    for column in _TEXTS[6:]:
        if _value(connection, seq, column) != "null":
            _put(connection, seq, column, "{}")
    for column in ("agent_id", "workspace_hash"):
        _put(connection, seq, column, "")
    _put(connection, seq, "salts", bytes(len(_value(connection, seq, "salts"))))
    return seq


def delete(connection: Any, last: int, chance: random.Random) -> int:
    first = chance.randint(1, last)
    through = chance.choice((first, chance.randint(first, last)))
    connection.execute("DELETE FROM journal WHERE seq BETWEEN ? AND ?", (first, through))
    return first


def delete_and_close_the_gap(connection: Any, last: int, chance: random.Random) -> int:
    seq = chance.randint(1, last)
    connection.execute("DELETE FROM journal WHERE seq = ?", (seq,))
    for later in range(seq + 1, last + 1):
        _put(connection, later, "seq", later - 1)
    return seq


def cut_the_end(connection: Any, last: int, chance: random.Random) -> int:
    first = chance.randint(1, last)
    connection.execute("DELETE FROM journal WHERE seq >= ?", (first,))
    return first


def insert_a_copy(connection: Any, last: int, chance: random.Random) -> int:
    seq, copied = chance.randint(1, last), chance.randint(1, last)
    values = [_value(connection, copied, column) for column in _COLUMNS]
    values[0] = f"jrn-{chance.randbytes(6).hex()}"
    for later in range(last, seq - 1, -1):
        _put(connection, later, "seq", later + 1)
    places = ", ".join("?" * (1 + len(_COLUMNS)))
    statement = f"INSERT INTO journal (seq, {', '.join(_COLUMNS)}) VALUES ({places})"  # noqa: S608
    connection.execute(statement, (seq, *values))
    return seq


def exchange_two(connection: Any, last: int, chance: random.Random) -> int:
    first, second = sorted(chance.sample(range(1, last + 1), 2))
    for old, new in ((first, 0), (second, first), (0, second)):
        _put(connection, old, "seq", new)
    return first


Forge = Callable[[Any, int, random.Random], int]

# Each changes a journal of entries 1 to `last` and returns the first that is not as it was written.
FORGERIES: Final[Mapping[str, Forge]] = {
    forge.__name__: forge
    for forge in (
        change_a_text, clear_a_text, put_text_that_is_none, flip_a_bit, cut_a_blob, shift_the_time,
        change_the_kind, change_the_id, erase_without_a_record, delete, delete_and_close_the_gap,
        cut_the_end, insert_a_copy, exchange_two,
    )
}  # fmt: skip
