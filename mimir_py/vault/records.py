"""Records that another module has read, a slice at a time, ready to store."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mimir_py.aside import PROCESSES, Aside
from mimir_py.entities.models import Entity
from mimir_py.entities.store import NewRow
from mimir_py.entities.writing import Prepared
from mimir_py.errors import InvalidInput
from mimir_py.limits import Limits
from mimir_py.storage import fts
from mimir_py.values import unstorable_character, walk_strings
from mimir_py.vault.jsonl import Record
from mimir_py.vault.lines import Incoming, Slice, is_many, prepare, ready

# Makes a record that can be stored of one that cannot.
Mend = Callable[[Record], Record]


class _Understood(NamedTuple):
    """What some records come to: those that can be stored, each with its place among them.

    A record that was mended comes along, the others are known to whoever gave them.
    """

    places: list[int]
    mended: dict[int, Record]
    derived: list[tuple[Prepared, NewRow, fts.Analysed]]
    secrets: Counter[str]
    refused: dict[str, str]


@dataclass(frozen=True)
class RecordReader:
    """Understands records. It only computes, and can be sent to another process."""

    limits: Limits
    mend: Mend | None
    seek_secrets: bool

    def __call__(self, records: list[Record]) -> _Understood:
        """What the records come to, those left out that cannot be stored."""
        read: list[tuple[Record, Prepared]] = []
        places: list[int] = []
        refused: dict[str, str] = {}
        for place, record in enumerate(records):
            try:
                read.append(self._prepared(record))
                places.append(place)
            except InvalidInput as error:
                refused[record.entity.id] = str(error)
        memories, secrets = ready(read, seek_secrets=self.seek_secrets)
        found = list(zip(places, memories, strict=True))
        mended = {place: one.record for place, one in found if one.record is not records[place]}
        derived = [(one.prepared, one.row, one.text) for _, one in found]
        return _Understood(places, mended, derived, secrets, refused)

    def _prepared(self, record: Record) -> tuple[Record, Prepared]:
        _refuse_unstorable(record)
        try:
            return record, prepare(record, self.limits)
        except InvalidInput:
            if self.mend is None:
                raise
        mended = self.mend(record)
        return mended, prepare(mended, self.limits)


class Records:
    """Records of one source. Close it.

    What cannot be stored is named in `refused`, and the rest goes on. Many are understood by other
    processes.
    """

    def __init__(
        self, records: Iterable[Record], reader: RecordReader, refused: dict[str, str]
    ) -> None:
        self._records = iter(records)
        self._reader = Aside(reader)
        self._refused = refused
        self._taken = 0
        self.side_by_side = 1

    def take(self, most: int) -> list[Record]:
        """The next records."""
        taken = list(itertools.islice(self._records, most))
        self._taken += len(taken)
        if is_many(self._taken) and self.side_by_side < PROCESSES:
            self._reader.start()
            self.side_by_side = PROCESSES
        return taken

    def understand(self, records: list[Record]) -> Slice:
        """What the records say, those left out that cannot be stored."""
        read = self._reader(records)
        self._refused |= read.refused
        memories = [
            Incoming(read.mended.get(place, records[place]), *derived)
            for place, derived in zip(read.places, read.derived, strict=True)
        ]
        return Slice(memories, read.secrets, None, is_end=not records)

    def close(self) -> None:
        self._reader.close()


def _refuse_unstorable(record: Record) -> None:
    for entity in (record.entity, *(version.entity for version in record.history)):
        if unstorable_character("".join(_texts(entity))) is None:
            continue
        words = {name: value for name, value in vars(entity).items() if name != "links"}
        words["tags"] = list(entity.tags)
        words["links"] = [vars(link) for link in entity.links]
        for path, text in walk_strings(words, ""):
            fault = unstorable_character(text)
            if fault is not None:
                raise InvalidInput(path, f"holds {fault}, which cannot be stored")


def _texts(entity: Entity) -> Iterator[str]:
    yield from (value for value in vars(entity).values() if isinstance(value, str))
    yield from entity.tags
    for link in entity.links:
        yield from (link.target_id, link.relationship, link.note)
