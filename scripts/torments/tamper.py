"""E2: changes to a sealed store by somebody without its key, each of which must be refused.

Every change is made inside a transaction on the store's own connection, the rows are read as the
program reads them, and the transaction is rolled back.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from mimir_py.storage.migrations import TABLES
from mimir_py.storage.sealing import Seals
from mimir_py.storage.tables import Table

_OTHER_TABLES: Final = tuple(name for name, table in TABLES.items() if table.sealed)


class Change(NamedTuple):
    """What was done to which row."""

    kind: str
    table: str
    key: int
    statement: str
    values: tuple[Any, ...]


class Rows:
    """The sealed rows of a store."""

    def __init__(self, connection: Any, seals: Seals, seed: int) -> None:
        self._connection = connection
        self._seals = seals
        self._dice = random.Random(seed)  # noqa: S311  # no secret
        # Whoever edits the file by hand is not held up by them either.
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA ignore_check_constraints=ON")
        self._keys = {name: self._keys_of(TABLES[name]) for name in _OTHER_TABLES}

    @property
    def tables(self) -> list[str]:
        """Those that have at least two rows."""
        return [name for name, keys in self._keys.items() if len(keys) > 1]

    def changes(self, count: int) -> Iterator[Change]:
        """Changes of every kind to rows of every table, in turn."""
        kinds: list[Callable[[Table, int], Change]] = [
            self._flipped, self._cut, self._longer, self._of_another_row, self._of_another_table,
            self._bare, self._emptied, self._vouched_changed, self._version_byte, self._random,
        ]  # fmt: skip
        for number in range(count):
            name = self.tables[number // len(kinds) % len(self.tables)]
            yield kinds[number % len(kinds)](TABLES[name], self._dice.choice(self._keys[name]))

    def refusal(self, change: Change) -> str | None:
        """How the changed row is refused when it is read; `None` when it is not."""
        table = TABLES[change.table]
        words = ", ".join(table.sealed)
        read = f"SELECT {words} FROM {table.name} WHERE {table.key} = ?"  # noqa: S608  # our own names
        self._connection.execute("BEGIN")
        try:
            self._connection.execute(change.statement, change.values)
            self._connection.execute(read, (change.key,)).fetchall()
        except Exception:  # noqa: BLE001  # whatever the driver makes of it, the seals know why
            fault = self._seals.take_fault()
            return None if fault is None else str(fault)
        finally:
            self._connection.execute("ROLLBACK")
        return None

    def is_readable(self, table: Table, key: int) -> bool:
        """Whether a row nobody changed is read: the control."""
        unchanged = Change("none", table.name, key, "SELECT 1", ())
        return self.refusal(unchanged) is None

    def some_row(self, name: str) -> int:
        """The key of a row."""
        return self._dice.choice(self._keys[name])

    def _keys_of(self, table: Table) -> list[int]:
        read = f"SELECT {table.key} FROM main.{table.name}"  # noqa: S608  # our own names
        return [key for (key, *_) in map(tuple, self._connection.execute(read))]

    def _flipped(self, table: Table, key: int) -> Change:
        held = bytearray(self._seal(table.name, key))
        held[self._dice.randrange(len(held))] ^= 1 << self._dice.randrange(8)
        return self._set(table, key, "bit", bytes(held))

    def _cut(self, table: Table, key: int) -> Change:
        held = self._seal(table.name, key)
        return self._set(table, key, "cut", held[: self._dice.randrange(len(held))])

    def _longer(self, table: Table, key: int) -> Change:
        return self._set(
            table, key, "longer", self._seal(table.name, key) + self._dice.randbytes(9)
        )

    def _of_another_row(self, table: Table, key: int) -> Change:
        other = self._dice.choice([k for k in self._keys[table.name] if k != key])
        return self._set(table, key, "another row", self._seal(table.name, other))

    def _of_another_table(self, table: Table, key: int) -> Change:
        name = self._dice.choice([name for name in self.tables if name != table.name])
        return self._set(table, key, "another table", self._seal(name, self.some_row(name)))

    def _bare(self, table: Table, key: int) -> Change:
        column = table.sealed[0]
        statement = (
            f"UPDATE main.{table.name} SET sealed = NULL, {column} = ? WHERE {table.key} = ?"  # noqa: S608  # our own names
        )
        return Change("bare text", table.name, key, statement, (_bare(table, column), key))

    def _emptied(self, table: Table, key: int) -> Change:
        return self._set(table, key, "emptied", b"")

    def _version_byte(self, table: Table, key: int) -> Change:
        held = bytearray(self._seal(table.name, key))
        held[self._dice.randrange(5)] ^= self._dice.randrange(1, 256)
        return self._set(table, key, "format or key id", bytes(held))

    def _random(self, table: Table, key: int) -> Change:
        size = len(self._seal(table.name, key))
        return self._set(table, key, "random", self._dice.randbytes(size))

    def _vouched_changed(self, table: Table, key: int) -> Change:
        columns = [*table.bound, *table.public, *table.names]
        column = self._dice.choice(columns or [table.key])
        new = f"CASE typeof({column}) WHEN 'text' THEN {column} || 'x' WHEN 'blob' THEN x'00'"
        new += f" WHEN 'null' THEN 7 WHEN 'real' THEN 1.0 - {column} / 2 ELSE 1 - {column} END"
        if not columns:
            new = f"{column} + 1000000"
        statement = (
            f"UPDATE OR REPLACE main.{table.name} SET {column} = {new} WHERE {table.key} = ?"  # noqa: S608  # our own names
        )
        moved = key if columns else key + 1_000_000
        return Change(f"{column} changed", table.name, moved, statement, (key,))

    def _set(self, table: Table, key: int, kind: str, sealed: bytes) -> Change:
        statement = f"UPDATE main.{table.name} SET sealed = ? WHERE {table.key} = ?"  # noqa: S608  # our own names
        return Change(kind, table.name, key, statement, (sealed, key))

    def _seal(self, name: str, key: int) -> bytes:
        read = f"SELECT sealed FROM main.{name} WHERE {TABLES[name].key} = ?"  # noqa: S608  # our own names
        sealed: bytes = self._connection.execute(read, (key,)).fetchone()[0]
        return sealed


def names_row(refusal: str, change: Change) -> bool:
    """Whether a refusal says which row it is about."""
    return f"{change.table} row {change.key}" in refusal


def _bare(table: Table, column: str) -> Any:
    return bytes(8) if column == "vector" else '{"content":"forged"}'
