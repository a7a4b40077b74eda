"""The lines of an import file, a slice at a time: read, understood, checked, and ready to store."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mimir_py.aside import PROCESSES, Aside
from mimir_py.entities.checking import check_limits
from mimir_py.entities.models import Draft, Entity, Identity
from mimir_py.entities.store import NewRow, to_row
from mimir_py.entities.text import parse_body
from mimir_py.entities.writing import Prepared, derive
from mimir_py.errors import InvalidInput, TransferError
from mimir_py.limits import Limits, check_name
from mimir_py.security import Trust, count_secrets
from mimir_py.storage import fts
from mimir_py.values import Clock, IdSource
from mimir_py.vault import jsonl
from mimir_py.vault.jsonl import Record

# A slice of long lines has fewer: it keeps other processes waiting as long as it has text.
_MOST_CHARS: Final = 1_000_000
# Starting a process takes as long as storing some thousand memories.
_MANY: Final = 2_000


class Incoming(NamedTuple):
    """A memory of the file with all that is derived from it."""

    record: Record
    prepared: Prepared
    row: NewRow
    text: fts.Analysed


@dataclass(frozen=True)
class Unread:
    """Numbered lines of a file, and the fault that kept more from being had."""

    lines: list[tuple[int, str]]
    fault: TransferError | None


@dataclass(frozen=True)
class Slice:
    """Memories of a file, the secrets in them, and the fault of the line after them.

    `is_end` says that nothing was left: there may be memories none of which can be stored.
    """

    memories: list[Incoming]
    secrets: Counter[str]
    fault: TransferError | None
    is_end: bool


@dataclass(frozen=True)
class LineReader:
    """Understands lines. It only computes, and can be sent to another process."""

    limits: Limits
    clock: Clock
    new_id: IdSource
    trust: Trust
    seek_secrets: bool

    def __call__(self, unread: Unread) -> Slice:
        """What the lines say, up to the first faulty one."""
        read: list[tuple[Record, Prepared]] = []
        fault = unread.fault
        try:
            for number, line in unread.lines:
                read.append(self._read(line, number))
        except TransferError as found:
            fault = found
        memories, secrets = ready(read, seek_secrets=self.seek_secrets)
        return Slice(memories, secrets, fault, is_end=not unread.lines)

    def _read(self, line: str, number: int) -> tuple[Record, Prepared]:
        record = jsonl.read_memory(line, number, self.new_id, self.clock, self.trust)
        # No text takes more bytes than the line it is on: on a shorter one, none is over a limit.
        short = len(line.encode()) <= min(self.limits.name_bytes, self.limits.body_bytes)
        try:
            return record, prepare(record, self.limits, short=short)
        except InvalidInput as error:
            raise TransferError(f"line {number}: {error}") from None


class Lines:
    """The lines of one file. Close it.

    Getting them may wait for whoever writes them; understanding them only computes, and may run on
    another thread. Those of a long file are understood by another process.

    Raises:
        TransferError: the file is empty, or its header is of another format.
    """

    def __init__(self, lines: Iterable[str], reader: LineReader) -> None:
        self._numbered = _numbered(lines)
        self._reader = Aside(reader)
        self._taken = 0
        self.side_by_side = 1

    def take(self, most: int) -> Unread:
        """The next lines that are not blank."""
        taken: list[tuple[int, str]] = []
        chars = 0
        try:
            for number, line in itertools.islice(self._numbered, most):
                taken.append((number, line))
                chars += len(line)
                if chars > _MOST_CHARS:
                    break
        except UnicodeDecodeError as fault:
            return Unread(taken, _not_utf8(fault))
        self._taken += len(taken)
        if is_many(self._taken) and self.side_by_side < PROCESSES:
            self._reader.start()
            self.side_by_side = PROCESSES
        return Unread(taken, None)

    def understand(self, unread: Unread) -> Slice:
        """What the lines say, up to the first faulty one."""
        return self._reader(unread)

    def close(self) -> None:
        self._reader.close()


def is_many(taken: int) -> bool:
    """Whether so many memories have come that other processes are worth starting."""
    return taken > _MANY


def prepare(record: Record, limits: Limits, *, short: bool = False) -> Prepared:
    """What is derived from a record; `short` if no text of it can be over a limit.

    Raises:
        InvalidInput: a text is over its limit, or the key is empty.
    """
    for version in record.history:
        _checked(version.entity, limits, short=short)
        check_name("history_id", version.history_id, limits.name_bytes)
    for identity, _ in record.aliases:
        check_name("key", identity.key, limits.name_bytes)
    return derive(*_checked(record.entity, limits, short=short))


def ready(
    read: Sequence[tuple[Record, Prepared]], *, seek_secrets: bool
) -> tuple[list[Incoming], Counter[str]]:
    """Records that are ready to store, and the secrets in them."""
    # Step by step, not one by one: that keeps each step's code and tables in the cache.
    rows = [to_row(record.entity, prepared.text_hash) for record, prepared in read]
    texts = [fts.analysed(prepared.label, prepared.body) for _, prepared in read]
    secrets: Counter[str] = Counter()
    if seek_secrets:
        for record, prepared in read:
            secrets.update(secrets_in(record, prepared))
    zipped = zip(read, rows, texts, strict=True)
    return [Incoming(*both, row, text) for both, row, text in zipped], secrets


def _checked(entity: Entity, limits: Limits, *, short: bool) -> tuple[Draft, Any]:
    draft = _as_draft(entity)
    if not entity.key:
        raise InvalidInput("key", "is empty")
    if not short or len(entity.tags) > limits.tags:
        check_limits(draft, limits)
        for field in ("id", "source", "archive_reason"):
            check_name(field, getattr(entity, field), limits.name_bytes)
        for link in entity.links:
            for text in (link.target_id, link.relationship, link.note):
                check_name("links", text, limits.name_bytes)
    return draft, parse_body(entity.body_json)


def secrets_in(record: Record, prepared: Prepared) -> Counter[str]:
    """The secrets in a memory and its versions, by kind."""
    found = count_secrets(record.entity.body_json, prepared.label.replace("\n", " "))
    for version in record.history:
        found += count_secrets(version.entity.body_json, "")
    return found


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, without the header."""
    numbered = ((n, line) for n, line in enumerate(lines, start=1) if line.strip())
    try:
        first = next(numbered, None)
    except UnicodeDecodeError as fault:
        raise _not_utf8(fault) from None
    if first is None:
        raise TransferError("the file is empty")
    if jsonl.check_header(first[1]):
        return numbered
    return itertools.chain([first], numbered)


def _not_utf8(fault: UnicodeDecodeError) -> TransferError:
    return TransferError(f"the file is not UTF-8 ({fault.reason})")


def _as_draft(entity: Entity) -> Draft:
    return Draft(
        Identity(entity.category, entity.key, entity.workspace_hash),
        entity.body_json,
        tags=entity.tags,
        topic_path=entity.topic_path,
        agent_id=entity.agent_id,
        type=entity.type,
        status=entity.status,
        layer=entity.layer,
        visibility=entity.visibility,
    )
