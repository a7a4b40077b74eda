"""Rows of SQLite files of other programs, which are only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from mimir_py.errors import ForeignStore, TransferError
from mimir_py.importers.formats.models import Source
from mimir_py.storage.files import is_sqlite
from mimir_py.storage.verify import reading

Row = dict[str, Any]

_COLUMNS: Final = "SELECT name FROM pragma_table_info(?)"


class Tables:
    """The tables of one file."""

    def __init__(self, connection: Any, source: Source) -> None:
        self._connection = connection
        self._source = source

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is a table with these columns."""
        return set(columns) <= set(self._columns(table))

    def rows(self, table: str, *needed: str) -> Iterator[Row]:
        """Rows in the order they were stored, blobs left out; none where there is no such table.

        One with text that is not UTF-8 is named among the problems, and so are a table without the
        columns that are `needed` and what a damaged file has lost.
        """
        columns = self._columns(table)
        if not columns:
            return
        if lacking := sorted(set(needed) - set(columns)):
            self._source.problems[table] = f"the table has no column {', '.join(lacking)}"
            return
        last = 0
        try:
            for number, row in self._read(table, columns):
                yield row
                last = number
        except self._source.engine.dbapi.DatabaseError as error:
            self._source.problems[f"{table}, after row {last}"] = f"cannot be read: {error}"

    def _read(self, table: str, columns: list[str]) -> Iterator[tuple[int, Row]]:
        listed = ", ".join(f'"{name}"' for name in columns)
        statement = f"SELECT {listed} FROM {table} ORDER BY rowid"  # noqa: S608  # identifiers
        for number, values in enumerate(self._connection.execute(statement), start=1):
            try:
                row = {
                    name: value.decode() if isinstance(value, bytes) else value
                    for name, value in zip(columns, values, strict=True)
                }
            except UnicodeDecodeError:
                self._source.problems[f"{table} row {number}"] = "is not UTF-8"
            else:
                yield number, row

    def _columns(self, table: str) -> list[str]:
        found = (name.decode() for (name,) in self._connection.execute(_COLUMNS, (table,)))
        return [name for name in found if name.isidentifier() and name != "embedding"]


@contextmanager
def tables(source: Source) -> Iterator[Tables]:
    """Open a source that is a SQLite file.

    Raises:
        ForeignStore: it is none.
        TransferError: it is damaged.
    """
    if not source.path.is_file() or not is_sqlite(source.path):
        raise ForeignStore(f"{source.path} is not a SQLite database")
    try:
        with reading(source.path, source.engine) as connection:
            connection.text_factory = bytes
            connection.execute("PRAGMA trusted_schema=OFF").fetchall()
            connection.execute("BEGIN")
            yield Tables(connection, source)
    except source.engine.dbapi.Error as error:
        raise TransferError(f"{source.path} cannot be read: {error}") from error
