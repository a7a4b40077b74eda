"""Edits a table of tables in TOML.

`tomllib` says what a text means. The places come from a split into statements, because `tomlkit`,
which keeps the layout it reads, writes new lines with `\\n` into a file of `\\r\\n`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import tomlkit
from tomlkit.items import InlineTable

from mimir_py.cli.hosts.edit import newline_of, outline_of
from mimir_py.cli.hosts.models import EditError, Outline, Splice

_STRINGS: Final = (
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})',
    r"'''.*?'''(?:'{0,2})",
    r'"(?:[^"\\\n]|\\.)*"',
    r"'[^'\n]*'",
)
_LEXEME: Final = re.compile(
    rf"(?P<string>{'|'.join(_STRINGS)})"
    r"|(?P<comment>#[^\n]*)|(?P<newline>\n)|(?P<open>[\[{])|(?P<close>[\]}])"
    r"""|(?P<other>[^"'#\n\[{\]}]+)""",
    re.DOTALL,
)
_KEY: Final = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'=])+""")
_BLANK_LINE: Final = re.compile(r"(?<=\n)[ \t]*\r?\n\Z")
_PLACE_IN_ERROR: Final = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class _Statement:
    """A table header or an assignment: whole lines, with the path from the root it sets."""

    start: int
    end: int
    is_header: bool
    path: tuple[str, ...]
    table: tuple[str, ...]


def outline(text: str, container: str, name: str) -> Outline:
    """Parse the whole text and say what it holds."""
    try:
        config = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE_IN_ERROR.search(str(error))
        problem = _PLACE_IN_ERROR.sub("", str(error))
        raise EditError(problem, int(place.group(1)) if place else None) from error
    return outline_of(config, container, name)


def put(text: str, container: str, name: str, fields: Mapping[str, Any]) -> list[Splice]:
    """Insert the entry, or replace it where it stands."""
    statements = list(_statements(text))
    newline = newline_of(text)
    ours = _ours(statements, container, name)
    if not ours:
        inline = _inline_container(statements, container)
        if inline is not None:
            return [_rewrite(text, inline, container, name, fields)]
        gap = newline if text and not text.endswith("\n") else ""
        gap += newline if text.strip() else ""
        return [Splice(len(text), len(text), gap + _table(container, name, fields, newline))]
    first = ours[0]
    if first.is_header:
        block = _table(container, name, fields, newline)
    else:
        key = ".".join((container, name)[len(first.table) :])
        block = f"{key} = {_inline(fields).as_string()}{newline}"
    return [Splice(first.start, first.end, block), *_without(ours[1:])]


def drop(text: str, container: str, name: str) -> list[Splice]:
    """Take out an entry that is there."""
    statements = list(_statements(text))
    ours = _ours(statements, container, name)
    if ours:
        blank = _BLANK_LINE.search(text, 0, ours[0].start)
        start = blank.start() if blank else ours[0].start
        return [Splice(start, ours[0].end, ""), *_without(ours[1:])]
    inline = _inline_container(statements, container)
    return [] if inline is None else [_rewrite(text, inline, container, name, None)]


def prune(_text: str, _container: str, /) -> list[Splice]:
    """Nothing to do: `[container.name]` makes its container by itself and takes it along."""
    return []


def _statements(text: str) -> Iterator[_Statement]:
    """Split a valid text; comments and blank lines belong to no statement."""
    table: tuple[str, ...] = ()
    line, body, depth = 0, "", 0
    for lexeme in _LEXEME.finditer(text):
        kind, token = lexeme.lastgroup, lexeme.group()
        depth += (kind == "open") - (kind == "close")
        if kind != "newline" or depth:
            body += "" if kind == "comment" else token
            continue
        if body.strip():
            yield (found := _statement(line, lexeme.end(), body.strip(), table))
            table = found.table
        line, body = lexeme.end(), ""
    if body.strip():
        yield _statement(line, len(text), body.strip(), table)


def _statement(start: int, end: int, body: str, table: tuple[str, ...]) -> _Statement:
    if body.startswith("["):
        brackets = 2 if body.startswith("[[") else 1
        path = _path(body[brackets:-brackets])
        return _Statement(start, end, True, path, path)
    key = _KEY.match(body)
    path = _path(key.group() if key else body)
    return _Statement(start, end, False, table + path, table)


def _path(dotted: str) -> tuple[str, ...]:
    path = []
    level: Any = tomllib.loads(f"{dotted} = 0")
    while isinstance(level, dict):
        [(key, level)] = level.items()
        path.append(key)
    return tuple(path)


def _ours(statements: Sequence[_Statement], container: str, name: str) -> list[_Statement]:
    return [each for each in statements if each.path[:2] == (container, name)]


def _without(statements: Sequence[_Statement]) -> list[Splice]:
    return [Splice(each.start, each.end, "") for each in statements]


def _inline_container(statements: Sequence[_Statement], container: str) -> _Statement | None:
    """The assignment `container = { ... }`, if it is written so."""
    for each in statements:
        if each.path == (container,) and not each.is_header:
            return each
    return None


def _rewrite(
    text: str, place: _Statement, container: str, name: str, fields: Mapping[str, Any] | None
) -> Splice:
    # The rest of such a line keeps its layout, which is what tomlkit is good at.
    document = tomlkit.parse(text[place.start : place.end])
    servers = document[container]
    if not isinstance(servers, InlineTable):
        raise EditError(f"`{container}` is not a table of servers; correct or remove it")
    if fields is None:
        servers.remove(name)
    else:
        servers[name] = _inline(fields)
    return Splice(place.start, place.end, tomlkit.dumps(document))


def _table(container: str, name: str, fields: Mapping[str, Any], newline: str) -> str:
    rows = [f"[{container}.{name}]"]
    for key, value in fields.items():
        item = _inline(value) if isinstance(value, dict) else tomlkit.item(value)
        rows.append(f"{tomlkit.key(key).as_string()} = {item.as_string()}")
    return newline.join([*rows, ""])


def _inline(fields: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(fields)
    return table
