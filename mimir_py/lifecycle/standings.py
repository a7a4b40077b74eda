"""How memories stand, read and brought up to date without opening a row.

The freshness of `entities.retention` as an expression, so that the engine works it out where the
numbers are: for all rows in a tenth of the time it takes to fetch them. A test holds it against
the rule.
"""

from typing import Any, Final, NamedTuple

from mimir_py.entities.retention import (
    CORE_USES,
    DEAD,
    DEAD_SHARE,
    IMPORTANT,
    LAYER_FACTORS,
    LAYERS,
    LIFETIME_MS,
    LIMITS,
    NOTICEABLE,
    USE_FACTOR,
    USEFUL,
    USEFUL_SHARE,
    VERIFIED_FACTOR,
    VERIFIED_FLOOR,
    WORKING_USES,
    Standing,
)
from mimir_py.lifecycle.models import Within
from mimir_py.lifecycle.store import in_place, stored_word
from mimir_py.storage.database import Reader, Writer
from mimir_py.values import UnixMs

_BUFFER_FACTOR, _WORKING_FACTOR, _CORE_FACTOR = LAYER_FACTORS
_LIFETIME: Final = f"""(
    {float(LIFETIME_MS)!r}
    * CASE
        WHEN layer = :core OR retrieval_count >= {CORE_USES} THEN {_CORE_FACTOR!r}
        WHEN layer = :buffer AND retrieval_count < {WORKING_USES} THEN {_BUFFER_FACTOR!r}
        ELSE {_WORKING_FACTOR!r}
      END
    * ((1 + {USE_FACTOR!r} * log2(1 + max(0, retrieval_count))) * (1 + importance))
    * CASE WHEN verified THEN {VERIFIED_FACTOR!r} ELSE 1.0 END
)"""
_ADVICE: Final = f"""
    CASE
        WHEN efficacy_status = '{USEFUL}' THEN 1 + {USEFUL_SHARE!r} * follow_rate
        WHEN efficacy_status = '{DEAD}' AND NOT verified THEN {DEAD_SHARE!r}
        ELSE 1.0
    END
"""
_FRESH: Final = f"""max(
    min(decay_score, exp(-max(0, :now - last_accessed_unix_ms) / {_LIFETIME}) * {_ADVICE}),
    importance,
    CASE WHEN verified THEN {VERIFIED_FLOOR!r} ELSE 0.0 END
)"""
# A small change is at a limit only near it, which is sooner seen.
_CROSSES: Final = " OR ".join(
    f"(abs(decay_score - {limit!r}) < {NOTICEABLE!r}"
    f" AND (decay_score < {limit!r}) <> ({_FRESH} < {limit!r}))"
    for limit in LIMITS
)
_IS_WORTH_STORING: Final = (
    f"(always_on = 0 AND (abs({_FRESH} - decay_score) >= {NOTICEABLE!r} OR {_CROSSES}))"
)
_MEANT: Final = """
    row_id > :after AND row_id <= :upto AND archived = 0
    AND (:category IS NULL OR category = :category)
    AND (:workspaces IS NULL OR workspace_hash IN (SELECT value FROM json_each(:workspaces)))
"""
_COLUMNS: Final = """
    row_id, decay_score, last_accessed_unix_ms, created_at_unix_ms,
    CASE layer
        WHEN :buffer THEN 'buffer' WHEN :working THEN 'working' WHEN :core THEN 'core' ELSE ''
    END,
    retrieval_count, importance, verified, always_on, follow_rate, efficacy_status
"""
_UPTO: Final = """
    SELECT row_id FROM main.entities WHERE row_id > :after ORDER BY row_id LIMIT 1 OFFSET :more
"""
_LAST: Final = "SELECT max(row_id) FROM main.entities WHERE row_id > :after"
_STANDINGS: Final = f"SELECT {_COLUMNS} FROM main.entities WHERE {_MEANT} ORDER BY row_id"  # noqa: S608  # our own words
_COUNTS: Final = f"""
    SELECT count(*), count(*) FILTER (WHERE always_on = 0),
        count(*) FILTER (WHERE {_IS_WORTH_STORING})
    FROM main.entities WHERE {_MEANT}
"""  # noqa: S608  # our own words
# Those that may change their layer or end; whether they do is for the rules to say.
_IN_QUESTION: Final = f"""
    SELECT {_COLUMNS} FROM main.entities
    WHERE {_MEANT} AND (
        retrieval_count >= :promote_from OR (
            always_on = 0 AND verified = 0 AND importance < {IMPORTANT!r} AND {_FRESH} <= :below
        )
    )
    ORDER BY row_id
"""  # noqa: S608  # our own words
# What was used meanwhile is as it is then: the expression is worked out on what the row holds.
_STORE: Final = f"""
    UPDATE main.entities SET decay_score = {_FRESH} WHERE {_MEANT} AND {_IS_WORTH_STORING}
"""  # noqa: S608  # our own words
# The rule and the expression may differ in the last digits of a number.
_DIGITS: Final = 1e-9


class Slice(NamedTuple):
    """Some memories in order of their rows: those after one row, up to another."""

    after: int
    upto: int


class Counts(NamedTuple):
    """Of a slice: memories, those that fade at all, those whose freshness is to be stored."""

    checked: int
    fading: int
    scores: int


def next_slice(reader: Reader, after: int, limit: int) -> Slice | None:
    """The next `limit` rows of memories, or what is left of them."""
    values = {"after": after, "more": limit - 1}
    upto = reader.value(_UPTO, values) or reader.value(_LAST, {"after": after})
    return None if upto is None else Slice(after, upto)


def standings(reader: Reader, within: Within, some: Slice) -> list[Standing]:
    """How live memories stand, by row; a layer outside the vocabulary is "" here."""
    return _standings(reader, _STANDINGS, _values(reader, within, some))


def counts(reader: Reader, within: Within, some: Slice, now: UnixMs) -> Counts:
    """What bringing the freshness of live memories up to date comes to."""
    values = {**_values(reader, within, some), "now": now}
    return Counts._make(reader.tuples(_COUNTS, values)[0])


def in_question(
    reader: Reader, within: Within, some: Slice, now: UnixMs, promote_from: int, below: float
) -> list[Standing]:
    """Live memories used `promote_from` times, and those no fresher than `below`."""
    more = {"now": now, "promote_from": promote_from, "below": below + _DIGITS}
    return _standings(reader, _IN_QUESTION, {**_values(reader, within, some), **more})


def store_freshness(tx: Writer, within: Within, some: Slice, now: UnixMs) -> int:
    """Store how fresh live memories are at a time; how many changed enough for that."""
    return tx.run(_STORE, {**_values(tx, within, some), "now": now})


def _standings(reader: Reader, statement: str, values: dict[str, Any]) -> list[Standing]:
    return [Standing._make(row) for row in reader.tuples(statement, values)]


def _values(reader: Reader, within: Within, some: Slice) -> dict[str, Any]:
    return {
        **in_place(reader, within),
        **{layer: stored_word(reader, "layer", layer) for layer in LAYERS},
        "after": some.after,
        "upto": some.upto,
    }
