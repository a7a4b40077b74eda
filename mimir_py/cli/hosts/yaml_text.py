"""Edits a mapping of mappings in YAML.

`ruamel.yaml` finds the places and checks the result, but never writes: a file that goes through
it loses `\\r\\n` and its own indentation.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from mimir_py.cli.hosts.edit import line_number, line_start, newline_of, one_line
from mimir_py.cli.hosts.models import EditError, Outline, Splice
from mimir_py.cli.hosts.yaml_tree import Node, Pair, read_plain, read_tree

_USUAL_INDENT: Final = 2
_PLAIN_KEY: Final = re.compile("[a-z][a-z_]{2,}")
_COMMA: Final = re.compile(r"\s*,?")


def outline(text: str, container: str, name: str) -> Outline:
    """Parse the whole text and say what it holds."""
    root, _ = read_tree(text)
    if root is None:
        return Outline((), has_container=False, has_entry=False)
    found = _container(text, root, container)
    others = [(key.shape, value.shape) for key, value in root.pairs if key.word != container]
    if found is None:
        return Outline(tuple(others), has_container=False, has_entry=False)
    rest = [(key.shape, value.shape) for key, value in found[1].pairs if key.word != name]
    if rest:
        others.append((found[0].shape, tuple(rest)))
    has_entry = _find(text, found[1], name) is not None
    entry = read_plain(text, container, name) if has_entry else {}
    return Outline(tuple(others), has_container=True, has_entry=has_entry, entry=entry)


def put(text: str, container: str, name: str, fields: Mapping[str, Any]) -> list[Splice]:
    """Insert the entry, or replace it where it stands."""
    root, end = read_tree(text)
    unit = _unit(text, root) if root else " " * _USUAL_INDENT
    found = _container(text, root, container) if root else None
    if root is None or found is None:
        if root is not None and root.is_flow:
            return [_into_flow(root, container, {name: fields})]
        indent = _column(text, root.pairs[0][0]) if root and root.pairs else ""
        rows = [f"{indent}{container}:", *_rows(name, fields, indent + unit, unit)]
        return [_new_lines(text, end, root, rows)]
    key, servers = found
    entry = _find(text, servers, name)
    if servers.is_flow:
        if entry is None:
            return [_into_flow(servers, name, fields)]
        return [Splice(entry[1].start, entry[1].end, one_line(dict(fields)))]
    if entry is not None:
        return [_replace(text, entry, _rows(name, fields, _column(text, entry[0]), unit))]
    column = _column(text, servers.pairs[0][0] if servers.pairs else key)
    indent = column if servers.pairs else column + unit
    at = _after_comments(text, _next_line(text, servers.end), column)
    return [_new_lines(text, at, servers, _rows(name, fields, indent, unit))]


def drop(text: str, container: str, name: str) -> list[Splice]:
    """Take out an entry that is there."""
    root, _ = read_tree(text)
    found = _container(text, root, container) if root else None
    entry = _find(text, found[1], name) if found else None
    return [_cut(text, found[1], entry)] if found and entry else []


def prune(text: str, container: str) -> list[Splice]:
    """Take out the container if nothing is left in it, not even a comment."""
    root, _ = read_tree(text)
    found = _container(text, root, container) if root else None
    if root is None or found is None:
        return []
    key, servers = found
    line = text[key.end : _next_line(text, servers.end)]
    bare = not servers.pairs and (root.is_flow or not line.strip("\"':{} \t\r\n"))
    return [_cut(text, root, found)] if bare else []


def _container(text: str, root: Node, container: str) -> Pair | None:
    found = _find(text, root, container)
    if found is not None and not (found[1].is_map or found[1].is_empty):
        place = line_number(text, found[0].start)
        raise EditError(f"`{container}` is not a mapping; correct or remove it", place)
    return found


def _find(text: str, parent: Node, key: str) -> Pair | None:
    found = [pair for pair in parent.pairs if pair[0].word == key]
    if len(found) > 1:
        place = line_number(text, found[1][0].start)
        raise EditError(f"`{key}` stands here a second time; remove one of them", place)
    return found[0] if found else None


def _column(text: str, node: Node) -> str:
    return " " * (node.start - line_start(text, node.start))


def _unit(text: str, root: Node) -> str:
    """One level of indentation, as the first nested block of the file has it."""
    for key, value in root.pairs:
        if value.pairs and not value.is_flow:
            inner = _column(text, value.pairs[0][0])
            return inner.removeprefix(_column(text, key)) or " " * _USUAL_INDENT
    return " " * _USUAL_INDENT


def _next_line(text: str, index: int) -> int:
    """Where the line after `index` begins; `index` itself if it begins one, as after `|` text."""
    if index and text[index - 1] == "\n":
        return index
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _after_comments(text: str, at: int, column: str) -> int:
    """Behind comment lines that are indented more than `column`: they belong to what is above."""
    comments = re.compile(rf"(?:{column} +#[^\n]*(?:\n|\Z))*").match(text, at)
    return comments.end() if comments else at


def _rows(name: str, fields: Mapping[str, Any], indent: str, unit: str) -> list[str]:
    # Values are written as JSON: YAML reads the same, whatever quotes or backslashes they hold.
    rows = [f"{indent}{name}:"]
    for key, value in fields.items():
        label = key if _PLAIN_KEY.fullmatch(key) else one_line(key)
        rows.append(f"{indent}{unit}{label}: {one_line(value)}")
    return rows


def _new_lines(text: str, at: int, before: Node | None, rows: list[str]) -> Splice:
    newline = newline_of(text)
    gap = newline if at and text[at - 1] != "\n" else ""
    if gap and before is not None and before.ends_in_block_text:
        # The break we would add belongs to the text and would change its value.
        raise EditError(
            "the last setting is a block of text without a final line break; add one",
            line_number(text, at),
        )
    return Splice(at, at, gap + newline.join([*rows, ""]))


def _into_flow(parent: Node, key: str, value: Mapping[str, Any]) -> Splice:
    row = f"{key}: {one_line(_nested(value))}"
    if not parent.pairs:
        return Splice(parent.end - 1, parent.end - 1, row)
    at = parent.pairs[-1][1].end
    return Splice(at, at, f", {row}")


def _nested(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: dict(item) if isinstance(item, Mapping) else item for key, item in value.items()}


def _replace(text: str, entry: Pair, rows: list[str]) -> Splice:
    key, value = entry
    newline = newline_of(text)
    tail = newline if text[value.end - 1] == "\n" else ""
    return Splice(key.start, value.end, newline.join(rows).lstrip(" ") + tail)


def _cut(text: str, parent: Node, pair: Pair) -> Splice:
    key, value = pair
    if not parent.is_flow:
        return Splice(line_start(text, key.start), _next_line(text, value.end), "")
    place = parent.pairs.index(pair)
    if place:
        return Splice(parent.pairs[place - 1][1].end, value.end, "")
    if len(parent.pairs) > 1:
        return Splice(key.start, parent.pairs[1][0].start, "")
    comma = _COMMA.match(text, value.end)
    return Splice(key.start, comma.end() if comma else value.end, "")
