"""The chain as a rule: whatever is changed is seen, whatever is erased still fits."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.journal import chain
from mimir_py.journal.models import GENESIS, Head

_TEXT = st.text(max_size=20)
_VALUES = st.tuples(*[_TEXT] * len(chain.FIELDS))
_ENTRIES = st.lists(_VALUES, min_size=1, max_size=6)
_KEYS = st.none() | st.binary(min_size=32, max_size=32)

Row = list[Any]


def _rows(entries: Sequence[Sequence[str]], key: bytes | None = None) -> list[Row]:
    rows: list[Row] = []
    before = GENESIS.hash
    for seq, values in enumerate(entries, start=1):
        salts, commitments = chain.commit(values)
        identity = (seq, 1_000 + seq, b"event", f"jrn-{seq}".encode())
        before = chain.entry_hash(before, *identity, commitments, key)
        rows.append([*identity, commitments, before, salts, *(value.encode() for value in values)])
    return rows


def _fault(rows: Sequence[Row], key: bytes | None = None) -> int | None:
    """Which entry is named; `None` when all are as they were written."""
    walk = chain.Walk(key)
    fault = walk.follow([tuple(row) for row in rows])
    last = rows[-1]
    fault = fault or walk.end(Head(last[0], last[5]), last[5])
    return None if fault is None else fault.seq


@given(_ENTRIES, _KEYS)
def test_a_chain_as_it_was_written_holds(entries: list[Any], key: bytes | None) -> None:
    assert _fault(_rows(entries, key), key) is None


@given(_ENTRIES, st.data())
def test_any_other_value_is_seen_at_its_entry(entries: list[Any], data: Any) -> None:
    rows = _rows(entries)
    seq = data.draw(st.integers(1, len(rows)))
    field = data.draw(st.integers(0, len(chain.FIELDS) - 1))
    old = rows[seq - 1][7 + field]
    rows[seq - 1][7 + field] = data.draw(_TEXT.map(str.encode).filter(lambda new: new != old))

    assert _fault(rows) == seq


@given(_ENTRIES, st.data())
def test_any_flipped_bit_of_what_holds_an_entry_is_seen_at_it(
    entries: list[Any], data: Any
) -> None:
    rows = _rows(entries)
    seq = data.draw(st.integers(1, len(rows)))
    column = data.draw(st.sampled_from([2, 3, 4, 5, 6]))
    held = bytearray(rows[seq - 1][column])
    if held:
        held[data.draw(st.integers(0, len(held) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        rows[seq - 1][column] = bytes(held)

        assert _fault(rows) == seq


@given(_ENTRIES, st.data())
def test_an_entry_that_is_gone_is_named(entries: list[Any], data: Any) -> None:
    rows = _rows([*entries, entries[0]])
    seq = data.draw(st.integers(1, len(rows) - 1))
    del rows[seq - 1]

    assert _fault(rows) == seq


@given(_ENTRIES, st.data())
def test_entries_that_changed_places_are_seen_at_the_first(entries: list[Any], data: Any) -> None:
    rows = _rows([*entries, entries[0]])
    first = data.draw(st.integers(1, len(rows) - 1))
    second = data.draw(st.integers(first + 1, len(rows)))
    one, other = rows[first - 1], rows[second - 1]
    one[1:], other[1:] = other[1:], one[1:]

    assert _fault(rows) == first


@given(_ENTRIES, st.binary(min_size=32, max_size=32))
def test_a_chain_made_without_the_key_does_not_hold(entries: list[Any], key: bytes) -> None:
    assert _fault(_rows(entries), key) == 1


@given(_ENTRIES, st.data())
def test_an_erased_entry_fits_where_a_record_of_it_follows(entries: list[Any], data: Any) -> None:
    seq = data.draw(st.integers(1, len(entries)))
    record = chain.erase_record([seq])
    rows = _rows([*entries, [getattr(record, name) for name in chain.FIELDS]])
    before = GENESIS.hash if len(rows) == 1 else rows[-2][5]
    # An audit entry, as the program makes them.
    rows[-1][2] = record.kind.encode()
    rows[-1][5] = chain.entry_hash(before, *rows[-1][:5], None)
    row = rows[seq - 1]
    left, row[6] = chain.erase(row[6], row[4])
    for name, value in left.items():
        row[7 + chain.FIELDS.index(name)] = value.encode()

    assert _fault(rows) is None
    assert _fault(rows[:-1]) == (seq if left else None)


def test_equal_values_have_commitments_that_differ() -> None:
    values = [""] * len(chain.FIELDS)
    values[0] = "decision"

    assert chain.commit(values)[1] != chain.commit(values)[1]


@pytest.mark.parametrize("salts", [b"", b"x" * 15, b"x" * 32])
def test_salts_of_another_length_are_seen(salts: bytes) -> None:
    [row] = _rows([["decision", *["null"] * 8]])
    [only] = _rows([["decision", *[""] * 5, *["null"] * 3]])
    only[6] = salts

    assert _fault([only]) == 1
    assert _fault([row]) is None
