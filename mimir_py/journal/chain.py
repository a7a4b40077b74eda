"""How entries are chained, so that whoever changes one afterwards is found out: pure rules.

Each field that says something has a commitment, SHA-256(salt ‖ field name ‖ 0 ‖ value), with a salt
of its own. The hash of an entry is SHA-256, or with a key HMAC-SHA-256, over the hash before it,
its number, time, kind and id, and its commitments - never over values. So a field can be erased,
value and salt, and the chain still holds; without the salt its commitment tells nothing.

Commitments are stored as one blob: a byte for each field that says something (its place in
`FIELDS`), then 32 bytes of digest for each. Salts are 16 bytes each in the same order; zeros say
that the field was erased.
"""

import hmac
import json
import secrets
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
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
_DIGEST_BYTES: Final = 32
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
    return salts, bytes(said) + _digests(bytes(said), [v.encode() for v in values], salts)


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
    for index, place in enumerate(commitments[: len(commitments) // (1 + _DIGEST_BYTES)]):
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
        before = self.head
        last, hash_before = before.seq, before.hash
        try:
            for row in rows:
                seq, created_at, kind, id, commitments, hash, salts = row[:7]
                if seq != last + 1:
                    return _gap(last + 1, seq)
                content = (seq, created_at, kind, id, commitments)
                if hash != entry_hash(hash_before, *content, self._key):
                    return Fault(seq, "its hash is not that of its content", _text(id))
                problem, erased = examine(row[7:], salts, commitments)
                if problem:
                    return Fault(seq, problem, _text(id))
                if erased:
                    self.erased.add(seq)
                elif (kind, row[7]) == _RECORD:
                    self._recorded.update(json.loads(row[7 + _ACTED])["erased"])
                last, hash_before = seq, hash
        finally:
            self.head = Head(last, hash_before)
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


def _gap(expected: int, found: int) -> Fault:
    gone = f"entry {expected}" if found == expected + 1 else f"{expected} to {found - 1}"
    return Fault(expected, f"{gone} is gone")


def _text(id: bytes) -> str:
    return id.decode(errors="replace")


def examine(values: Sequence[bytes], salts: bytes, commitments: bytes) -> tuple[str, bool]:
    """What is wrong with an entry's fields ("" when nothing is), and whether any was erased."""
    count, odd = divmod(len(commitments), 1 + _DIGEST_BYTES)
    said = commitments[:count]
    if odd or max(said, default=0) >= len(FIELDS):
        return "its commitments were changed", False
    if len(salts) != count * _SALT_BYTES:
        return "its salts were changed", False
    unsaid, blank = _unsaid(said)
    if unsaid(values) == blank and _digests(said, values, salts) == commitments[count:]:
        return "", False
    return _examine_each(said, values, salts, commitments[count:])


def _examine_each(
    said: bytes, values: Sequence[bytes], salts: bytes, digests: bytes
) -> tuple[str, bool]:
    """As `examine`, of an entry that is not whole: something was changed, or erased."""
    erased = False
    for place, value in enumerate(values):
        if place not in said:
            if value != _BLANK_BYTES[place]:
                return f"its {FIELDS[place]} was added", erased
            continue
        index = said.index(place)
        salt = salts[index * _SALT_BYTES : (index + 1) * _SALT_BYTES]
        digest = digests[index * _DIGEST_BYTES : (index + 1) * _DIGEST_BYTES]
        if salt == _NO_SALT:
            erased = True
            if value == _ERASED_BYTES[place]:
                continue
        elif sha256(salt + _TAGS[place] + value).digest() == digest:
            continue
        return f"its {FIELDS[place]} was changed", erased
    return "", erased


def _digests(said: bytes, values: Sequence[bytes], salts: bytes) -> bytes:
    starts = range(0, len(salts), _SALT_BYTES)
    return b"".join(
        [
            sha256(salts[at : at + _SALT_BYTES] + _TAGS[place] + values[place]).digest()
            for at, place in zip(starts, said, strict=True)
        ]
    )


@lru_cache(maxsize=512)
def _unsaid(said: bytes) -> tuple[Callable[[Sequence[bytes]], Any], Any]:
    """What gives the values of the fields that say nothing, and what it has to give."""
    places = [place for place in range(len(FIELDS)) if place not in said]
    if not places:
        return (lambda values: None), None
    give = itemgetter(*places)
    return give, give(_BLANK_BYTES)
