"""The table `journal`; the only one to write it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from mimir_py.journal.chain import FIELDS
from mimir_py.journal.models import GENESIS, Entry, Filter, Head, Recorded
from mimir_py.storage.database import Reader, Row, Writer
from mimir_py.values import UnixMs

_HEAD: Final = "SELECT seq, hash FROM main.journal ORDER BY seq DESC LIMIT 1"
_HASH: Final = "SELECT hash FROM main.journal WHERE seq = :seq"
_COLUMNS: Final = ", ".join(f"j.{name}" for name in ("seq", "id", "created_at_unix_ms", "kind"))
# Names are compared as the table itself holds them; only the page that is read is opened.
_PAGE: Final = f"""
    SELECT {_COLUMNS}, {", ".join(f"j.{name}" for name in FIELDS)}
    FROM main.journal held CROSS JOIN journal j ON j.seq = held.seq
"""  # noqa: S608  # column names are our own constants
_BY_ID: Final = f"{_PAGE} WHERE held.id = :id"
_BY_SEQS: Final = f"""
    {_PAGE} WHERE held.seq IN (SELECT value FROM json_each(:seqs)) ORDER BY held.seq
"""  # noqa: S608  # column names are our own constants
_NEWEST_FIRST: Final = """
    ORDER BY held.created_at_unix_ms DESC, held.seq DESC LIMIT :limit OFFSET :offset
"""
# A value that is no UTF-8 is still one to compare, so values are read as bytes.
_SLICE: Final = f"""
    SELECT seq, created_at_unix_ms, CAST(kind AS BLOB), CAST(id AS BLOB), commitments, hash, salts,
        {", ".join(f"CAST({name} AS BLOB)" for name in FIELDS)}
    FROM journal WHERE seq > :after ORDER BY seq LIMIT :limit
"""  # noqa: S608  # column names are our own constants
_TO_ERASE: Final = "SELECT salts, commitments FROM journal WHERE seq = :seq"
_OF_ENTITY: Final = "SELECT seq FROM main.journal WHERE entity_id = :entity_id AND entity_id <> ''"
_OF_NAME: Final = """
    SELECT seq FROM main.journal
    WHERE category = :category AND key = :key AND workspace_hash = :workspace_hash
      AND kind = 'event' AND key <> ''
"""
_KNOWN_IDS: Final = """
    SELECT j.id FROM json_each(:ids) wanted CROSS JOIN main.journal j ON j.id = wanted.value
"""
_TIMES: Final = "SELECT created_at_unix_ms FROM main.journal WHERE seq > :after"
_EVENTS: Final = "SELECT count(*) FROM main.journal WHERE kind = 'event'"

_CLAUSES: Final[Mapping[str, str]] = {
    "from_ms": "held.created_at_unix_ms >= :from_ms",
    "to_ms": "held.created_at_unix_ms <= :to_ms",
    "event_type": "held.event_type = :event_type",
    "category": "held.category = :category",
    "entity_id": "held.entity_id = :entity_id AND held.entity_id <> ''",
}
_NAMES: Final = ("event_type", "category", "entity_id")


def head(reader: Reader) -> Head:
    """The last entry; the start of the chain when there is none."""
    row = reader.one(_HEAD)
    return GENESIS if row is None else Head(row["seq"], bytes(row["hash"]))


def hash_at(reader: Reader, seq: int) -> bytes | None:
    """The hash of an entry; of the start of the chain for 0."""
    if seq == GENESIS.seq:
        return GENESIS.hash
    held = reader.value(_HASH, {"seq": seq})
    return None if held is None else bytes(held)


def insert(tx: Writer, recorded: Recorded, salts: bytes, commitments: bytes, hash: bytes) -> None:
    """Store an entry at its place."""
    tx.insert_row(
        "journal",
        {
            "seq": recorded.seq,
            "id": recorded.id,
            "created_at_unix_ms": recorded.created_at_unix_ms,
            **vars(recorded.entry),
            "salts": salts,
            "commitments": commitments,
            "hash": hash,
        },
    )


def page(reader: Reader, wanted: Filter, limit: int, offset: int) -> list[Recorded]:
    """Entries, the newest first; of one time, the last written first."""
    clauses, values = _where(reader, wanted)
    statement = f"{_PAGE} WHERE {' AND '.join(clauses)} {_NEWEST_FIRST}"
    return [
        _recorded(row)
        for row in reader.all(statement, {**values, "limit": limit, "offset": offset})
    ]


def by_id(reader: Reader, journal_id: str) -> Recorded | None:
    """An entry by its id."""
    row = reader.one(_BY_ID, {"id": journal_id})
    return None if row is None else _recorded(row)


def by_seqs(reader: Reader, seqs: Sequence[int]) -> list[Recorded]:
    """Entries by their numbers."""
    return [_recorded(row) for row in reader.all(_BY_SEQS, {"seqs": json.dumps(list(seqs))})]


def slice_after(reader: Reader, after: int, limit: int) -> list[tuple[Any, ...]]:
    """Rows to verify: (seq, time, kind, id, commitments, hash, salts, values of `FIELDS`...)."""
    return reader.tuples(_SLICE, {"after": after, "limit": limit})


def to_erase(reader: Reader, seq: int) -> tuple[bytes, bytes]:
    """An entry's salts and commitments."""
    [(salts, commitments)] = reader.tuples(_TO_ERASE, {"seq": seq})
    return salts, commitments


def replace_fields(tx: Writer, seq: int, values: Mapping[str, str], salts: bytes) -> None:
    """Put what is left of an erased entry in its place."""
    tx.update_row("journal", seq, {**values, "salts": salts})


def about_entity(reader: Reader, entity_id: str) -> list[int]:
    """Numbers of the entries that name a memory by its id."""
    names = reader.stored_names("journal", {"entity_id": entity_id})
    return [seq for (seq,) in reader.tuples(_OF_ENTITY, names)]


def about_name(reader: Reader, category: str, key: str, workspace_hash: str) -> list[int]:
    """Numbers of the events that name a memory by category and key, in one workspace."""
    names = {"category": category, "key": key, "workspace_hash": workspace_hash}
    return [seq for (seq,) in reader.tuples(_OF_NAME, reader.stored_names("journal", names))]


def known_ids(reader: Reader, ids: Sequence[str]) -> set[str]:
    """Those of the ids that entries have."""
    return {id for (id,) in reader.tuples(_KNOWN_IDS, {"ids": json.dumps(list(ids))})}


def times_after(reader: Reader, after: int) -> list[UnixMs]:
    """The times of the entries after one."""
    return [at for (at,) in reader.tuples(_TIMES, {"after": after})]


def count_events(reader: Reader) -> int:
    """Entries that callers recorded; audit entries are not among them."""
    number: int = reader.value(_EVENTS)
    return number


def _where(reader: Reader, wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    values = {name: value for name, value in asdict(wanted).items() if name in _CLAUSES}
    given = {name: value for name, value in values.items() if value is not None}
    clauses = [_CLAUSES[name] for name in given]
    clauses.append("1" if wanted.include_audit else "held.kind = 'event'")
    names: dict[str, Any] = {name: given[name] for name in _NAMES if name in given}
    given.update(reader.stored_names("journal", names))
    if wanted.workspaces is not None:
        stored = [
            reader.stored_names("journal", {"workspace_hash": name})["workspace_hash"]
            for name in wanted.workspaces
        ]
        places = [f":workspace_{number}" for number in range(len(stored))]
        clauses.append(f"held.workspace_hash IN ({', '.join(places)})")
        given.update({f"workspace_{number}": name for number, name in enumerate(stored)})
    return clauses, given


def _recorded(row: Row) -> Recorded:
    entry = Entry(kind=row["kind"], **{name: row[name] for name in FIELDS})
    return Recorded(row["seq"], row["id"], row["created_at_unix_ms"], entry)
