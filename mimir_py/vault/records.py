"""Records that another module has read, a slice at a time, ready to store."""

import itertools
from collections.abc import Iterable

from mimir_py.entities.writing import Prepared
from mimir_py.errors import InvalidInput
from mimir_py.limits import Limits
from mimir_py.values import unstorable_character, walk_strings
from mimir_py.vault.jsonl import Record
from mimir_py.vault.lines import Slice, prepare, prepared_slice


class Records:
    """Records of one source. What cannot be stored is named in `refused`, and the rest goes on."""

    side_by_side = 1

    def __init__(
        self,
        records: Iterable[Record],
        limits: Limits,
        refused: dict[str, str],
        *,
        seek_secrets: bool,
    ) -> None:
        self._records = iter(records)
        self._limits = limits
        self._refused = refused
        self._seek_secrets = seek_secrets

    def take(self, most: int) -> list[Record]:
        """The next records."""
        return list(itertools.islice(self._records, most))

    def understand(self, records: list[Record]) -> Slice:
        """What the records say, those left out that cannot be stored."""
        read: list[tuple[Record, Prepared]] = []
        for record in records:
            try:
                _refuse_unstorable(record)
                read.append((record, prepare(record, self._limits)))
            except InvalidInput as error:
                self._refused[record.entity.id] = str(error)
        if records and not read:
            # An empty slice is the end of a source.
            return self.understand(self.take(len(records)))
        return prepared_slice(read, seek_secrets=self._seek_secrets, fault=None)


def _refuse_unstorable(record: Record) -> None:
    for entity in (record.entity, *(version.entity for version in record.history)):
        words = {name: value for name, value in vars(entity).items() if name != "links"}
        words["tags"] = list(entity.tags)
        words["links"] = [vars(link) for link in entity.links]
        for path, text in walk_strings(words, ""):
            fault = unstorable_character(text)
            if fault is not None:
                raise InvalidInput(path, f"holds {fault}, which cannot be stored")
