"""How entries are chained, so that whoever changes one afterwards is found out: pure rules.

Each field that says something has a commitment, SHA-256(salt ‖ field name ‖ 0 ‖ value), with a salt
of its own. The hash of an entry is SHA-256, or with a key HMAC-SHA-256, over the hash before it,
its number, time, kind and id, and its commitments - never over values. So a field can be erased,
value and salt, and the chain still holds; without the salt its commitment tells nothing.

Commitments are stored as one blob: per field a byte (its place in `FIELDS`) and 32 bytes of digest.
Salts are 16 bytes each in the same order; zeros say that the field was erased.
"""

import hmac
import json
import secrets
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from mimir_py.journal.models import AUDIT, GENESIS, NO_PAYLOAD, Entry, Fault, Head

FIELDS: Final = (
    "event_type",
    "category",
    "key",
    "entity_id",
    "agent_id",
    "workspace_hash",
    "evaluated_json",
    "acted_json",
    "forward_json",
)
_SALT_BYTES: Final = 16
_COMMITMENT_BYTES: Final = 33
_NO_SALT: Final = bytes(_SALT_BYTES)
_TAGS: Final = tuple(name.encode() + b"\x00" for name in FIELDS)
_PAYLOADS: Final = frozenset({"evaluated_json", "acted_json", "forward_json"})
_BLANK: Final = tuple(NO_PAYLOAD if name in _PAYLOADS else "" for name in FIELDS)
_BLANK_BYTES: Final = tuple(blank.encode() for blank in _BLANK)
# What a field holds once erased; who wrote and where is no part of what is erased.
ERASED: Final[Mapping[str, str]] = {
    "event_type": "redacted",
    "category": "",
    "key": "",
    "entity_id": "",
    "evaluated_json": "{}",
    "acted_json": "{}",
    "forward_json": "{}",
}
_ERASED_BYTES: Final = tuple(ERASED[name].encode() if name in ERASED else None for name in FIELDS)
_HEADER: Final = struct.Struct(">QqII")
_ERASE: Final = "erase"
_RECORD: Final = (AUDIT.encode(), _ERASE.encode())
_ACTED: Final = FIELDS.index("acted_json")


def commit(
    values: Sequence[str], random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[bytes, bytes]:
    """Salts and commitments of an entry's values, given in the order of `FIELDS`."""
    said = [place for place, value in enumerate(values) if value != _BLANK[place]]
    salts = random(_SALT_BYTES * len(said))
    commitments = b"".join(
        bytes((place,)) + _commitment(salts[at : at + _SALT_BYTES], place, values[place].encode())
        for at, place in zip(range(0, len(salts), _SALT_BYTES), said, strict=True)
    )
    return salts, commitments


def entry_hash(
    before: bytes,
    seq: int,
    created_at: int,
    kind: bytes,
    id: bytes,
    commitments: bytes,
    key: bytes | None,
) -> bytes:
    """The 32 bytes that stand for an entry and all before it."""
    header = _HEADER.pack(seq, created_at, len(kind), len(id))
    content = b"".join((before, header, kind, id, commitments))
    return sha256(content).digest() if key is None else hmac.digest(key, content, "sha256")


def erase(salts: bytes, commitments: bytes) -> tuple[dict[str, str], bytes]:
    """What an entry's columns hold once it is erased: values by field, and salts."""
    after: dict[str, str] = {}
    kept = bytearray(salts)
    for index, place in enumerate(commitments[::_COMMITMENT_BYTES]):
        name = FIELDS[place]
        if name in ERASED:
            after[name] = ERASED[name]
            kept[index * _SALT_BYTES : (index + 1) * _SALT_BYTES] = _NO_SALT
    return after, bytes(kept)


def erase_record(seqs: Iterable[int]) -> Entry:
    """The audit entry that says which entries are erased; without one an erasure is tampering."""
    return Entry(_ERASE, kind=AUDIT, acted_json=json.dumps({"erased": list(seqs)}))


class Walk:
    """Follows a chain from its start, and stops at the first entry that is not as it was written.

    `head` is the last entry that is.
    """

    def __init__(self, key: bytes | None) -> None:
        self.head = GENESIS
        self.erased: set[int] = set()
        self._key = key
        self._recorded: set[int] = set()

    def follow(self, rows: Iterable[Sequence[Any]]) -> Fault | None:
        """Take entries as (seq, time, kind, id, commitments, hash, salts, values of `FIELDS`...).

        Times are ints, everything else is bytes.
        """
        for seq, created_at, kind, id, commitments, hash, salts, *values in rows:
            expected = self.head.seq + 1
            if seq != expected:
                missing = f"entry {expected}" if seq == expected + 1 else f"{expected} to {seq - 1}"
                return Fault(expected, f"{missing} is gone")
            name = id.decode(errors="replace")
            if hash != entry_hash(
                self.head.hash, seq, created_at, kind, id, commitments, self._key
            ):
                return Fault(seq, "its hash is not that of its content", name)
            problem, erased = examine(tuple(values), salts, commitments)
            if problem:
                return Fault(seq, problem, name)
            if erased:
                self.erased.add(seq)
            elif (kind, values[0]) == _RECORD:
                self._recorded.update(json.loads(values[_ACTED])["erased"])
            self.head = Head(seq, hash)
        return None

    def end(self, outside: Head | None, hash_outside: bytes | None) -> Fault | None:
        """What is wrong although every entry fits the one before it.

        `outside` is the head kept outside, `hash_outside` the hash of the entry it speaks of.
        """
        unrecorded = self.erased - self._recorded
        if unrecorded:
            return Fault(min(unrecorded), "it was erased, but not by this program")
        if outside is None:
            return Fault(
                self.head.seq + 1,
                "the head file is gone, so the end may have been cut off. If you know why: "
                "mimir journal verify --accept WHY",
            )
        if outside.seq > self.head.seq:
            return Fault(
                self.head.seq + 1,
                f"the journal went on to entry {outside.seq}: its end was cut off, or an older "
                "copy of the store was put back",
            )
        if hash_outside != outside.hash:
            return Fault(
                outside.seq, "it is not the entry that was written: all of it was replaced"
            )
        return None


def examine(values: Sequence[bytes], salts: bytes, commitments: bytes) -> tuple[str, bool]:
    """What is wrong with an entry's fields ("" when nothing is), and whether any was erased."""
    count = len(commitments) // _COMMITMENT_BYTES
    if len(commitments) % _COMMITMENT_BYTES or len(salts) != count * _SALT_BYTES:
        return "its salts were changed", False
    said = commitments[::_COMMITMENT_BYTES]
    if max(said, default=0) >= len(FIELDS):
        return "its commitments were changed", False
    erased = False
    for index, place in enumerate(said):
        salt = salts[index * _SALT_BYTES : (index + 1) * _SALT_BYTES]
        value = values[place]
        if salt == _NO_SALT:
            erased = True
            if value != _ERASED_BYTES[place]:
                return f"its {FIELDS[place]} was changed", erased
        elif (
            _commitment(salt, place, value)
            != commitments[index * _COMMITMENT_BYTES + 1 : (index + 1) * _COMMITMENT_BYTES]
        ):
            return f"its {FIELDS[place]} was changed", erased
    if values != _BLANK_BYTES:
        for place, value in enumerate(values):
            if value != _BLANK_BYTES[place] and place not in said:
                return f"its {FIELDS[place]} was added", erased
    return "", erased


def _commitment(salt: bytes, place: int, value: bytes) -> bytes:
    return sha256(salt + _TAGS[place] + value).digest()
