"""JSON with comments and trailing commas, read into a tree that knows where each part stands."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mimir_py.cli.hosts.edit import line_number
from mimir_py.cli.hosts.models import EditError

COMMENT: Final = re.compile(r"//[^\n\r]*|/\*.*?\*/", re.DOTALL)
_TRIVIA: Final = re.compile(rf"(?:[ \t\r\n]+|{COMMENT.pattern})*", re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"')
_SCALAR: Final = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Far above any real configuration, and far below Python's recursion limit.
_DEEPEST: Final = 100


@dataclass(frozen=True, slots=True)
class Value:
    """A value in `text[start:end]`; `members` is `None` unless it is an object."""

    start: int
    end: int
    data: Any
    members: "tuple[Member, ...] | None" = None


@dataclass(frozen=True, slots=True)
class Member:
    """A name and value of an object; `comma` is where the comma after it stands, if any."""

    key: str
    start: int
    value: Value
    comma: int | None

    @property
    def end(self) -> int:
        """Behind the value and its comma."""
        return self.value.end if self.comma is None else self.comma + 1


def read_tree(text: str) -> Value | None:
    """The value the text holds, or `None` if there is nothing but blanks and comments."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def document(self) -> Value | None:
        if not self.peek():
            return None
        value = self.value(0)
        if self.peek():
            raise self.problem("something follows the end of the configuration")
        return value

    def peek(self) -> str:
        """The next character that means something, after moving to it; empty at the end."""
        blank = _TRIVIA.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise self.problem("this is nested too deeply to be a configuration")
        first = self.peek()
        start = self.at
        if first == "{":
            members = tuple(self.members(depth))
            data = {member.key: member.value.data for member in members}
            return Value(start, self.at, data, members)
        other = self.items(depth) if first == "[" else self.scalar(first)
        return Value(start, self.at, other)

    def members(self, depth: int) -> Iterator[Member]:
        self.at += 1
        comma: int | None = self.at
        while self.peek() != "}":
            if comma is None:
                raise self.problem("expected `,` or `}`")
            start = self.at
            if self.peek() != '"':
                raise self.problem("expected a name in double quotes")
            key = self.scalar('"')
            self.take(":")
            value = self.value(depth + 1)
            comma = self.comma()
            yield Member(key, start, value, comma)
        self.at += 1

    def items(self, depth: int) -> list[Any]:
        self.at += 1
        found = []
        comma: int | None = self.at
        while self.peek() != "]":
            if comma is None:
                raise self.problem("expected `,` or `]`")
            found.append(self.value(depth + 1).data)
            comma = self.comma()
        self.at += 1
        return found

    def scalar(self, first: str) -> Any:
        token = (_STRING if first == '"' else _SCALAR).match(self.text, self.at)
        if token is None:
            raise self.problem("expected a value")
        try:
            # Not strict: hosts accept a raw tab inside a string.
            data = json.loads(token.group(), strict=False)
        except ValueError:
            raise self.problem("this value cannot be read") from None
        self.at = token.end()
        return data

    def comma(self) -> int | None:
        if self.peek() != ",":
            return None
        self.at += 1
        return self.at - 1

    def take(self, character: str) -> None:
        if self.peek() != character:
            raise self.problem(f"expected `{character}`")
        self.at += 1

    def problem(self, what: str) -> EditError:
        ended = self.at >= len(self.text)
        what = "the file ends too early" if ended else what
        return EditError(what, line_number(self.text, self.at))
