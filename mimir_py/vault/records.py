"""Records that another module has read, a slice at a time, ready to store."""

import itertools
from collections.abc import Callable, Iterable, Iterator

from mimir_py.entities.models import Entity
from mimir_py.entities.writing import Prepared
from mimir_py.errors import InvalidInput
from mimir_py.limits import Limits
from mimir_py.values import unstorable_character, walk_strings
from mimir_py.vault.jsonl import Record
from mimir_py.vault.lines import Slice, prepare, prepared_slice

# Makes a record that can be stored of one that cannot.
Mend = Callable[[Record], Record]


class Records:
    """Records of one source. What cannot be stored is named in `refused`, and the rest goes on."""

    side_by_side = 1

    def __init__(
        self,
        records: Iterable[Record],
        limits: Limits,
        refused: dict[str, str],
        mend: Mend | None = None,
        *,
        seek_secrets: bool,
    ) -> None:
        self._records = iter(records)
        self._limits = limits
        self._refused = refused
        self._mend = mend
        self._seek_secrets = seek_secrets

    def take(self, most: int) -> list[Record]:
        """The next records."""
        return list(itertools.islice(self._records, most))

    def understand(self, records: list[Record]) -> Slice:
        """What the records say, those left out that cannot be stored."""
        read: list[tuple[Record, Prepared]] = []
        for record in records:
            try:
                read.append(self._prepared(record))
            except InvalidInput as error:
                self._refused[record.entity.id] = str(error)
        if records and not read:
            # An empty slice is the end of a source.
            return self.understand(self.take(len(records)))
        return prepared_slice(read, seek_secrets=self._seek_secrets, fault=None)

    def _prepared(self, record: Record) -> tuple[Record, Prepared]:
        _refuse_unstorable(record)
        try:
            return record, prepare(record, self._limits)
        except InvalidInput:
            if self._mend is None:
                raise
        mended = self._mend(record)
        return mended, prepare(mended, self._limits)


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
