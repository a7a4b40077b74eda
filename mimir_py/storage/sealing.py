"""Rows of a sealed store: closed on the way in, opened by views on the way out.

For every table with sealed columns or names, the connection has a temporary view of the same name,
which hides the table from unqualified statements: a SELECT written for a plain store reads opened
rows, and a statement that would write past `Writer.insert_row` and `update_row` fails, since views
cannot be written. The table itself is `main.<name>`.

A row's words are one seal, bound to the table, the row's key and every column the row vouches for
(`tables.Table`). The keyword index lives in an attached `:memory:` database (see `words`).
"""

import base64
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from mimir_py.errors import BrokenSeal, KeyRefused
from mimir_py.storage.tables import READABLE_NAMES, Table

# Rows of a table that stay opened in memory, and how long they may be: a few megabytes.
_MOST_HELD: Final = 12_000
_MOST_HELD_BYTES: Final = 1_400
# Names of a table whose words are remembered.
_MOST_WORDS: Final = 1_024
_FRAME: Final = struct.Struct("<cI")
_COLUMNS: Final = (
    "SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info(:table, 'main')"
)
_LAST_KEY: Final = "SELECT seq FROM main.sqlite_sequence WHERE name = :table"


class Cipher(Protocol):
    """The cryptography, as `security.seals` has it."""

    seal_names: bool

    def subkey(self, purpose: str) -> bytes: ...
    def seal(self, place: bytes, plain: bytes) -> bytes: ...
    def open(self, place: bytes, sealed: bytes) -> bytes: ...
    def token(self, column: str, word: bytes) -> bytes: ...
    def word(self, column: str, token: bytes) -> bytes: ...


# Given the header of a store, or `None` for a new one: its cipher, and the header to keep.
Unlock = Callable[[str | None], tuple[Cipher, str]]
HEADER: Final = "seal"
_HEADER: Final = "SELECT value FROM main.meta WHERE name = 'seal'"
_HAS_META: Final = "SELECT 1 FROM main.sqlite_schema WHERE name = 'meta'"


def read_header(connection: Any) -> str | None:
    """The header of a sealed store; `None` for a new one.

    Raises:
        KeyRefused: it is a store, and has none.
    """
    if connection.execute(_HAS_META).fetchone() is None:
        return None
    row = connection.execute(_HEADER).fetchone()
    if row is None:
        raise KeyRefused("the header of the sealed store is gone; restore it from a backup")
    return str(row[0])


class Seals:
    """Seals and opens the rows of one connection."""

    def __init__(self, cipher: Cipher, tables: Mapping[str, Table]) -> None:
        self.cipher = cipher
        self._tables = {
            name: _Sealed(table, cipher)
            for name, table in tables.items()
            if table.sealed or table.names
        }
        self._fault: BrokenSeal | None = None

    def install(self, connection: Any) -> None:
        """Put the views over the tables that exist, instead of those from before."""
        for number, table in enumerate(self._tables.values()):
            rows = connection.execute(_COLUMNS, {"table": table.name}).fetchall()
            if not rows:
                continue
            connection.execute(f"DROP VIEW IF EXISTS temp.{table.name}")
            table.columns = {row[0]: (row[1], bool(row[2]), row[3]) for row in rows}
            opens, names = f"open_{number}", f"name_{number}"
            if table.sealed:
                connection.create_function(opens, -1, self._guarded(table.column))
            connection.create_function(names, 2, self._guarded(table.name_of))
            connection.execute(table.view(opens, names))

    def rewrite(self, connection: Any) -> None:
        """Write the file anew without its free pages.

        That makes the indexes anew, on what bears the tables' names: the views must not be there.
        """
        for name in self._tables:
            connection.execute(f"DROP VIEW IF EXISTS temp.{name}")
        try:
            connection.execute("VACUUM")
        finally:
            self.install(connection)

    def take_fault(self) -> BrokenSeal | None:
        """Why the last statement failed, if a seal was the reason: SQLite does not pass it on."""
        fault, self._fault = self._fault, None
        return fault

    def names(self, table: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Values of columns with the names among them as the table holds them."""
        held = self._tables.get(table)
        return values if held is None else held.tokens(values)

    def inserted(self, connection: Any, table: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The columns to store of a new row."""
        held = self._tables.get(table)
        if held is None:
            return values
        if held.sealed and values.get(held.key) is None:
            last = connection.execute(_LAST_KEY, {"table": table}).fetchone()
            values = {**values, held.key: 1 if last is None else last[0] + 1}
        return held.closed({**held.defaults(), **values})

    def inserted_rows(
        self, connection: Any, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """The same of many rows with the same columns."""
        held = self._tables.get(table)
        if held is None or not rows:
            return columns, rows
        key = {}
        if held.sealed and held.key not in columns:
            last = connection.execute(_LAST_KEY, {"table": table}).fetchone()
            key = {held.key: 0 if last is None else last[0]}
        base = {**held.defaults(), **key}
        closed = []
        for row in rows:
            if key:
                base[held.key] += 1
            closed.append(held.closed({**base, **dict(zip(columns, row, strict=True))}))
        return tuple(closed[0]), [tuple(row.values()) for row in closed]

    def updated(
        self, connection: Any, table: str, key: int, values: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The columns to store of a row that has some changed; `None` when there is no such row."""
        held = self._tables.get(table)
        if held is None or not held.covers(values):
            return values
        row = connection.execute(held.whole, {"key": key}).fetchone()
        if row is None:
            return None
        return held.closed({**dict(zip(held.covered, row, strict=True)), **values})

    def opened(
        self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
    ) -> list[tuple[Any, ...]]:
        """Sealed columns of many rows, each its seal and what it vouches for; none is held.

        Raises:
            BrokenSeal: one could not be opened.
        """
        held = self._tables[table]
        places = [held.sealed.index(column) for column in columns]
        return [
            tuple(values[place] for place in places)
            for values in (held.opened(sealed, vouched) for sealed, *vouched in rows)
        ]

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BrokenSeal as fault:
                self._fault = fault
                raise

        return run


class _Sealed:
    """How the rows of one table are closed and opened."""

    def __init__(self, table: Table, cipher: Cipher) -> None:
        self.name = table.name
        self.key = table.key
        self.sealed = table.sealed
        self.columns: dict[str, tuple[str, bool, str | None]] = {}
        self._cipher = cipher
        self._names = tuple(
            name for name in table.names if cipher.seal_names or name not in READABLE_NAMES
        )
        self._vouched = (table.key, *table.names, *table.public, *table.bound)
        self.covered = (*self._vouched, *table.sealed) if table.sealed else table.names
        self._place = _framed([table.name, *self._vouched, "", *table.sealed])
        self._last: tuple[bytes | None, tuple[Any, ...], Sequence[Any]] = (None, (), ())
        self._opened_before: OrderedDict[bytes, tuple[tuple[Any, ...], Sequence[Any]]] = (
            OrderedDict()
        )
        self._words: OrderedDict[tuple[str, str], str] = OrderedDict()
        self.whole = f"SELECT {', '.join(self.covered)} FROM {table.name} WHERE {table.key} = :key"  # noqa: S608  # our own names

    def view(self, opens: str, names: str) -> str:
        """The statement that makes the view."""
        seen = []
        for name in self.columns:
            if name in self.sealed:
                vouched = ", ".join(self._vouched)
                place = self.sealed.index(name)
                seen.append(f"{opens}({place}, sealed, {vouched}) AS {name}")
            elif name in self._names:
                seen.append(f"{names}('{name}', {name}) AS {name}")
            elif name != "sealed":
                seen.append(name)
        return f"CREATE TEMP VIEW {self.name} AS SELECT {', '.join(seen)} FROM main.{self.name}"  # noqa: S608  # our own names

    def defaults(self) -> dict[str, Any]:
        """What the table puts into covered columns that a row leaves out."""
        return {name: _literal(self.columns[name][2]) for name in self.covered if name != self.key}

    def covers(self, values: Mapping[str, Any]) -> bool:
        """Whether any of the columns is sealed or vouched for."""
        return any(name in self.covered for name in values)

    def tokens(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with names replaced by their tokens; an empty name stays empty."""
        return {
            name: self._token(name, value) if name in self._names and value else value
            for name, value in values.items()
        }

    def closed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The columns to store; `values` has every covered one."""
        stored = self.tokens(values)
        if self.sealed:
            for name in self._vouched:
                # As the table will give it back.
                if self.columns[name][0] == "REAL" and stored[name] is not None:
                    stored[name] = float(stored[name])
            place = self._place + _framed([stored[name] for name in self._vouched])
            stored["sealed"] = self._cipher.seal(
                place, _framed([values[name] for name in self.sealed])
            )
            for name in self.sealed:
                kind, is_required, _ = self.columns[name]
                stored[name] = (b"" if kind == "BLOB" else "") if is_required else None
        return stored

    def column(self, number: int, sealed: bytes | None, *vouched: Any) -> Any:
        """A sealed column of a row, by its place among the sealed ones."""
        held, held_vouched, values = self._last
        if held != sealed or held_vouched != vouched:
            values = self._values(sealed, vouched)
            self._last = (sealed, vouched, values)
        return values[number]

    def name_of(self, column: str, token: Any) -> Any:
        """The name a token in the table stands for."""
        if not token:
            return token
        if isinstance(token, bytes):
            return self._cipher.word(column, token)
        word = self._words.get((column, token))
        if word is None:
            word = self._cipher.word(column, _from_text(token)).decode()
            self._words[(column, token)] = word
            if len(self._words) > _MOST_WORDS:
                self._words.popitem(last=False)
        return word

    def _values(self, sealed: bytes | None, vouched: tuple[Any, ...]) -> Sequence[Any]:
        """A row's sealed columns; recent rows, which searches come back to, are held opened."""
        before = None if sealed is None else self._opened_before.get(sealed)
        if before is not None and before[0] == vouched:
            return before[1]
        values = self.opened(sealed, vouched)
        if sealed is not None and len(sealed) <= _MOST_HELD_BYTES:
            self._opened_before[sealed] = (vouched, values)
            if len(self._opened_before) > _MOST_HELD:
                self._opened_before.popitem(last=False)
        return values

    def opened(self, sealed: bytes | None, vouched: Sequence[Any]) -> Sequence[Any]:
        """A row's sealed columns."""
        try:
            if sealed is None:
                raise BrokenSeal("not sealed, in a store that is")
            return _unframed(self._cipher.open(self._place + _framed(vouched), sealed))
        except BrokenSeal as fault:
            raise BrokenSeal(
                f"{self.name} row {vouched[0]}: {fault}. Nothing of it was read; `mimir doctor` "
                "says what can be done"
            ) from None

    def _token(self, column: str, value: Any) -> Any:
        if isinstance(value, str):
            return _as_text(self._cipher.token(column, value.encode()))
        return self._cipher.token(column, bytes(value))


def _framed(values: Sequence[Any]) -> bytes:
    """Values one after another, each with its kind and length: no two sequences look the same."""
    parts = []
    for value in values:
        if value is None:
            kind, data = b"n", b""
        elif isinstance(value, str):
            kind, data = b"t", value.encode()
        elif isinstance(value, int):
            kind, data = b"i", b"%d" % value
        elif isinstance(value, float):
            kind, data = b"f", value.hex().encode()
        else:
            kind, data = b"b", bytes(value)
        parts.append(_FRAME.pack(kind, len(data)) + data)
    return b"".join(parts)


_READ: Final[Mapping[bytes, Callable[[bytes], Any]]] = {
    b"n": lambda data: None,
    b"t": bytes.decode,
    b"i": int,
    b"f": lambda data: float.fromhex(data.decode()),
    b"b": bytes,
}


def _unframed(framed: bytes) -> list[Any]:
    values: list[Any] = []
    place = 0
    while place < len(framed):
        kind, size = _FRAME.unpack_from(framed, place)
        place += _FRAME.size + size
        data = framed[place - size : place]
        values.append(_READ[kind](data))
    return values


def _literal(default: str | None) -> Any:
    """The value of a DEFAULT clause, of which our schema has texts and whole numbers."""
    if default is None or default == "NULL":
        return None
    if default.startswith("'"):
        return default[1:-1].replace("''", "'")
    return int(float(default))


def _as_text(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def _from_text(token: str) -> bytes:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise BrokenSeal("a name was changed since it was sealed") from None
