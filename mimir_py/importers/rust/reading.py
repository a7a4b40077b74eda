"""A store of the Rust program as memories, versions and entries; what cannot be read is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mimir_py.errors import KeyRefused
from mimir_py.importers.rust import records
from mimir_py.importers.rust.bodies import Bodies, Unreadable, sealed_bytes
from mimir_py.importers.rust.store import OldStore, Raw
from mimir_py.journal import Entry
from mimir_py.security import Trust
from mimir_py.values import UnixMs
from mimir_py.vault import Record, Version

_ENOUGH: Final = 50


@dataclass
class Problems:
    """What could not be read or stored, by id, and what was read otherwise than it was written."""

    lost: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def listed(self) -> list[str]:
        return [f"{id}: {why}" for id, why in self.lost.items()] + self.notes


class Told(NamedTuple):
    """What a memory says, as the source has it, and its versions by their history ids."""

    id: str
    category: str
    key: str
    text: str
    versions: dict[str, str]


class Reading:
    """Reads one store. The same rows give the same records every time.

    Raises:
        KeyRefused: its texts are encrypted, and there is no key or it opens none of them.
    """

    def __init__(self, old: OldStore, key: bytes | None, most: Trust) -> None:
        self._old = old
        self._most = most
        self._bodies = Bodies(key)
        self._is_encrypted = old.has_entities and self._looks_encrypted()

    @property
    def total(self) -> int:
        return self._old.count("entities" if self._old.has_entities else "memories")

    def memories(self, problems: Problems) -> Iterator[Record]:
        """Every memory with its versions."""
        if not self._old.has_entities:
            if not self._old.has_memories:
                problems.notes.append("the file has neither a table entities nor memories")
            yield from self._old_memories(problems)
            return
        for rows in self._old.slices("entities"):
            ids = [row["id"].decode() for row in rows if _is_text(row["id"])]
            history = self._versions(self._old.versions_of(ids), problems)
            for row in rows:
                try:
                    found = records.entity(row, self._body(row), self._most, problems.notes)
                    yield Record(found, (), tuple(history.get(found.id, ())))
                except Unreadable as why:
                    problems.lost[_name(row, "id")] = str(why)

    def texts(self, problems: Problems) -> Iterator[Told]:
        """What every memory and its versions say, and no more."""
        if not self._old.has_entities:
            for record in self.memories(problems):
                entity = record.entity
                yield Told(entity.id, entity.category, entity.key, entity.body_json, {})
            return
        for rows in self._old.slices("entities"):
            ids = [row["id"].decode() for row in rows if _is_text(row["id"])]
            earlier: dict[str, dict[str, str]] = {}
            for row in self._old.versions_of(ids):
                with _naming(row, "history_id", problems):
                    said = earlier.setdefault(records.text(row, "id"), {})
                    said[records.text(row, "history_id")] = self._body(row)
            for row in rows:
                with _naming(row, "id", problems):
                    id, body = records.text(row, "id"), self._body(row)
                    category, key = records.text(row, "category"), records.text(row, "key")
                    yield Told(id, category, key, body, earlier.get(id, {}))

    def lost_versions(self, problems: Problems) -> Iterator[list[Version]]:
        """Versions of memories that are there no longer, a slice at a time."""
        if not self._old.has_entities:
            return
        for rows in self._old.lost_versions():
            found = self._versions(rows, problems)
            told = (version for versions in found.values() for version in versions)
            yield [records.with_body(version) for version in told]

    def journal(self, problems: Problems) -> Iterator[list[tuple[str, UnixMs, Entry]]]:
        """The entries of the journal, a slice at a time."""
        for rows in self._old.slices("journal"):
            entries = []
            for row in rows:
                try:
                    entries.append(records.journal_entry(row))
                except Unreadable as why:
                    problems.lost[_name(row, "id")] = str(why)
            yield entries

    def state(self, problems: Problems) -> Iterator[tuple[str, str, int | None, UnixMs]]:
        """Values as (key, JSON text, end, time they were set)."""
        for row in (row for rows in self._old.slices("state") for row in rows):
            try:
                yield records.state_value(row)
            except Unreadable as why:
                problems.lost[f"state {_name(row, 'key')}"] = str(why)

    def communities(self, problems: Problems) -> Iterator[Raw]:
        """Rows of communities, their texts decoded."""
        for row in (row for rows in self._old.slices("communities") for row in rows):
            try:
                yield records.community(row)
            except Unreadable as why:
                problems.lost[_name(row, "id")] = str(why)

    def _old_memories(self, problems: Problems) -> Iterator[Record]:
        ids = [_name(row, "id") for rows in self._old.slices("memories") for row in rows]
        keys = records.old_keys(ids)
        for row in (row for rows in self._old.slices("memories") for row in rows):
            id = _name(row, "id")
            try:
                yield Record(records.old_memory(row, keys[id], self._most, problems.notes))
            except Unreadable as why:
                problems.lost[id] = str(why)

    def _versions(self, rows: list[Raw], problems: Problems) -> dict[str, list[Version]]:
        found: dict[str, list[Version]] = {}
        for row in rows:
            try:
                version = records.version(row, self._body(row), self._most, problems.notes)
                found.setdefault(version.entity.id, []).append(version)
            except Unreadable as why:
                problems.lost[_name(row, "history_id")] = str(why)
        return found

    def _body(self, row: Raw) -> str:
        stored = records.text(row, "body_json", "{}")
        if not self._is_encrypted:
            return stored
        indexed = self._indexed(row) if sealed_bytes(stored) is not None else None
        category, key = records.text(row, "category"), records.text(row, "key")
        return self._bodies.open(stored, category, key, indexed)

    def _indexed(self, row: Raw) -> str | None:
        # Rows of history have numbers of their own.
        if "history_id" in row or "rowid_" not in row:
            return None
        return self._old.indexed(row["rowid_"])

    def _looks_encrypted(self) -> bool:
        """Whether texts are encrypted: some can be, and their words are indexed otherwise."""
        looked, hidden, unindexed = self._old.count("entities"), 0, 0
        for row in (row for rows in self._old.no_json() for row in rows):
            try:
                stored = records.text(row, "body_json", "{}")
                indexed = self._indexed(row) if sealed_bytes(stored) is not None else stored
                if indexed == stored:
                    continue
                hidden += indexed is not None
                unindexed += indexed is None
                category, key = records.text(row, "category"), records.text(row, "key")
                self._bodies.open(stored, category, key, indexed)
            except Unreadable:
                if hidden >= _ENOUGH:
                    break
                continue
            return True
        if not hidden and (unindexed < looked or not looked):
            return False
        raise KeyRefused(
            "the texts of the file are encrypted, and no key of them was given or it opens none: "
            "give the key file the Rust program used with --encryption-key"
        )


@contextmanager
def _naming(row: Raw, column: str, problems: Problems) -> Iterator[None]:
    """Name a row that cannot be read, and go on."""
    try:
        yield
    except Unreadable as why:
        problems.lost[_name(row, column)] = str(why)


def _is_text(value: object) -> bool:
    if not isinstance(value, bytes):
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _name(row: Raw, column: str) -> str:
    """What to call a row: its id, or its place."""
    value = row.get(column)
    if isinstance(value, bytes) and value:
        return value.decode(errors="replace")
    return f"row {row.get('rowid_', '?')}" if value in (None, b"") else str(value)
