"""Statements inside a transaction: what functions given to a `Database` work with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from mimir_py.storage import migrations
from mimir_py.storage.sealing import Seals

Row = Mapping[str, Any]
Parameters = Sequence[Any] | Mapping[str, Any]

# With as many columns as any table has, far from what SQLite takes in one statement.
_MOST_ROWS: Final = 256


class Reader:
    """Runs queries inside one snapshot."""

    def __init__(self, connection: Any, seals: Seals | None = None) -> None:
        self._connection = connection
        self._seals = seals
        self._known: dict[str, Any] = {}

    @property
    def is_sealed(self) -> bool:
        """Whether the rows of this store are encrypted."""
        return self._seals is not None

    def subkey(self, purpose: str) -> bytes | None:
        """A sealed store's key for one purpose; `None` in a plain one."""
        return None if self._seals is None else self._seals.cipher.subkey(purpose)

    def all(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        rows: list[Row] = self._connection.execute(statement, parameters).fetchall()
        return rows

    def one(self, statement: str, parameters: Parameters = ()) -> Row | None:
        row: Row | None = self._connection.execute(statement, parameters).fetchone()
        return row

    def value(self, statement: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, or `None`."""
        row = self._connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def known(self, statement: str, parameters: Parameters = ()) -> Any:
        """As `value`, of a statement that always gets the same parameters.

        It is asked once: nothing changes within a snapshot.
        """
        if statement not in self._known:
            self._known[statement] = self.value(statement, parameters)
        return self._known[statement]

    def tuples(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Rows without names, for long results."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        rows: list[tuple[Any, ...]] = cursor.execute(statement, parameters).fetchall()
        return rows

    def stored_names(self, table: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Name columns as the table itself holds them, for look-ups by its indexes."""
        return values if self._seals is None else self._seals.names(table, values)


class Writer(Reader):
    """Runs statements inside one transaction. Exists only while `Database.write` runs it."""

    def __init__(self, connection: Any, seals: Seals | None = None) -> None:
        super().__init__(connection, seals)
        self.afterwards: list[Callable[[Reader], None]] = []

    def known(self, statement: str, parameters: Parameters = ()) -> Any:
        """As `value`: this transaction may have changed it."""
        return self.value(statement, parameters)

    def after_commit(self, work: Callable[[Reader], None]) -> None:
        """Have `work` run once when the change is durable, still under the lock. Keep it short."""
        if work not in self.afterwards:
            self.afterwards.append(work)

    @property
    def changes(self) -> int:
        """Rows changed through this connection since it was opened."""
        count: int = self._connection.total_changes
        return count

    def run(self, statement: str, parameters: Parameters = ()) -> int:
        """Run one statement; the number of rows it changed."""
        count: int = self._connection.execute(statement, parameters).rowcount
        return count

    def insert(self, statement: str, parameters: Parameters = ()) -> int:
        """Run one INSERT; the new row's integer key."""
        key: int = self._connection.execute(statement, parameters).lastrowid
        return key

    def run_many(self, statement: str, rows: Iterable[Parameters]) -> None:
        self._connection.executemany(statement, rows)

    def insert_row(self, table: str, values: Mapping[str, Any]) -> int:
        """Insert one row; its integer key."""
        if self._seals is not None:
            values = self._seals.inserted(self._connection, table, values)
        places = ", ".join(f":{name}" for name in values)
        statement = f"INSERT INTO main.{table} ({', '.join(values)}) VALUES ({places})"  # noqa: S608  # our own names
        return self.insert(statement, values)

    def update_row(self, table: str, key: int, values: Mapping[str, Any]) -> bool:
        """Set columns of the row with that key; whether there is one."""
        if self._seals is not None:
            changed = self._seals.updated(self._connection, table, key, values)
            if changed is None:
                return False
            values = changed
        sets = ", ".join(f"{name} = :{name}" for name in values)
        column = migrations.TABLES[table].key
        statement = f"UPDATE main.{table} SET {sets} WHERE {column} = :its_key"  # noqa: S608  # our own names
        return self.run(statement, {**values, "its_key": key}) > 0

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows, in order, in few statements: between statements other threads may run."""
        if self._seals is not None:
            columns, rows = self._seals.inserted_rows(self._connection, table, columns, rows)
        into = f"INSERT INTO main.{table} ({', '.join(columns)}) VALUES "  # noqa: S608  # our own names
        places = f"({', '.join('?' * len(columns))})"
        done = 0
        while done < len(rows):
            # Powers of two, so that few statements serve every number of rows.
            count = min(_MOST_ROWS, 1 << ((len(rows) - done).bit_length() - 1))
            values = [value for row in rows[done : done + count] for value in row]
            self._connection.execute(into + ", ".join([places] * count), values)
            done += count
