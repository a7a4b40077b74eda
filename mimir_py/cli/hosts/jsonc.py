"""Edits an object in JSON with comments: VS Code's, Zed's and the plain JSON of the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mimir_py.cli.hosts.edit import line_number, line_start, newline_of, one_line, outline_of
from mimir_py.cli.hosts.jsonc_tree import COMMENT, Member, Value, read_tree
from mimir_py.cli.hosts.models import EditError, Outline, Splice

_USUAL_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the file is laid out, to write in its manner."""

    newline: str
    unit: str

    def render(self, value: object, indent: str, levels: int) -> str:
        """`value` with its outer `levels` of objects spread over lines, the rest in one line."""
        if levels == 0 or not isinstance(value, dict):
            return one_line(value)
        inner = indent + self.unit
        rows = [
            f"{inner}{one_line(key)}: {self.render(item, inner, levels - 1)}"
            for key, item in value.items()
        ]
        body = f",{self.newline}".join(rows)
        return f"{{{self.newline}{body}{self.newline}{indent}}}"


def outline(text: str, container: str, name: str) -> Outline:
    """Parse the whole text and say what it holds."""
    root = read_tree(text)
    if root is None:
        return outline_of({}, container, name)
    servers = _find(text, root, container)
    if servers is not None:
        if servers.value.members is None:
            problem = f"`{container}` is not an object in braces; correct or remove it"
            raise EditError(problem, line_number(text, servers.start))
        _find(text, servers.value, name)
    return outline_of(root.data, container, name)


def put(text: str, container: str, name: str, fields: Mapping[str, Any]) -> list[Splice]:
    """Insert the entry, or replace it where it stands."""
    root = read_tree(text)
    entry = dict(fields)
    if root is None:
        layout = _Layout(newline_of(text), _USUAL_INDENT)
        gap = layout.newline if text.strip() and not text.endswith("\n") else ""
        document = layout.render({container: {name: entry}}, "", 3)
        return [Splice(len(text), len(text), gap + document + layout.newline)]
    layout = _Layout(newline_of(text), _unit(text, root))
    servers = _find(text, root, container)
    if servers is None:
        return _append(text, layout, root, container, {name: entry})
    member = _find(text, servers.value, name)
    if member is None:
        return _append(text, layout, servers.value, name, entry)
    indent = _indent_of(text, member.start)
    block = one_line(entry) if indent is None else layout.render(entry, indent, 1)
    return [Splice(member.value.start, member.value.end, block)]


def drop(text: str, container: str, name: str) -> list[Splice]:
    """Take out an entry that is there."""
    root = read_tree(text)
    servers = _find(text, root, container) if root else None
    member = _find(text, servers.value, name) if servers else None
    return _cut(text, servers.value, member) if servers and member else []


def prune(text: str, container: str) -> list[Splice]:
    """Take out the container if nothing is left in it, not even a comment."""
    root = read_tree(text)
    servers = _find(text, root, container) if root else None
    if root is None or servers is None:
        return []
    bare = not text[servers.value.start + 1 : servers.value.end - 1].strip()
    return _cut(text, root, servers) if bare else []


def _find(text: str, parent: Value, key: str) -> Member | None:
    if parent.members is None:
        problem = "the top level is not an object in braces; correct it"
        raise EditError(problem, line_number(text, parent.start))
    found = [member for member in parent.members if member.key == key]
    if len(found) > 1:
        # Hosts differ in which one they read.
        place = line_number(text, found[1].start)
        raise EditError(f"`{key}` stands here a second time; remove one of them", place)
    return found[0] if found else None


def _indent_of(text: str, index: int) -> str | None:
    """The blanks before `index`, or `None` if something else stands before it on its line."""
    before = text[line_start(text, index) : index]
    return None if before.strip() else before


def _unit(text: str, root: Value) -> str:
    for member in root.members or ():
        indent = _indent_of(text, member.start)
        if indent:
            return indent
    return _USUAL_INDENT


def _append(
    text: str, layout: _Layout, parent: Value, key: str, value: Mapping[str, Any]
) -> list[Splice]:
    if not parent.members:
        return _fill(text, layout, parent, key, value)
    last = parent.members[-1]
    indent = _indent_of(text, last.start)
    if indent is None:
        row = f"{one_line(key)}: {one_line(value)}"
        piece = f", {row}" if last.comma is None else f" {row},"
        return [Splice(last.end, last.end, piece)]
    at = _after_comments(text, last.end, parent.end - 1)
    block = _row(layout, indent, key, value)
    if last.comma is None:
        return [Splice(last.end, last.end, ","), Splice(at, at, block)]
    return [Splice(at, at, f"{block},")]


def _fill(
    text: str, layout: _Layout, parent: Value, key: str, value: Mapping[str, Any]
) -> list[Splice]:
    """Put the first member into an empty object."""
    start, end = parent.start + 1, parent.end - 1
    line = text[line_start(text, parent.start) : parent.start]
    if line.strip() and "\n" not in text.strip():
        return [Splice(end, end, f"{one_line(key)}: {one_line(value)}")]
    outer = line[: len(line) - len(line.lstrip())]
    block = _row(layout, outer + layout.unit, key, value)
    at = _after_comments(text, start, end)
    if "\n" in text[at:end]:
        return [Splice(at, at, block)]
    return [Splice(at, end, f"{block}{layout.newline}{outer}")]


def _row(layout: _Layout, indent: str, key: str, value: Mapping[str, Any]) -> str:
    # An entry takes one level of lines; a container that comes with its entry takes two.
    levels = 1 if "command" in value else 2
    return f"{layout.newline}{indent}{one_line(key)}: {layout.render(value, indent, levels)}"


def _after_comments(text: str, start: int, end: int) -> int:
    """Behind the last comment in a stretch that holds only blanks and comments."""
    return max((found.end() for found in COMMENT.finditer(text, start, end)), default=start)


def _cut(text: str, parent: Value, member: Member) -> list[Splice]:
    """Take a member out, with one comma and, where it had lines of its own, those lines."""
    members = parent.members or ()
    inside = text[parent.start + 1 : member.start] + text[member.end : parent.end - 1]
    if len(members) == 1 and not inside.strip():
        return [Splice(parent.start + 1, parent.end - 1, "")]
    place = members.index(member)
    before = members[place - 1] if place else None
    spare = before.comma if before is not None and member.comma is None else None
    start, end = member.start, member.end
    behind = len(text[end:]) - len(text[end:].lstrip(" \t"))
    has_own_line = _indent_of(text, start) is not None
    if has_own_line and text.startswith(("\n", "\r\n"), end + behind):
        end += behind
        start = line_start(text, start) - 1
        start -= text.startswith("\r\n", start - 1)
    elif before is None or text[before.end : start].strip() or (has_own_line and member.comma):
        end += behind
    else:
        start = before.end
    comma = [] if spare is None else [Splice(spare, spare + 1, "")]
    return [*comma, Splice(start, end, "")]
