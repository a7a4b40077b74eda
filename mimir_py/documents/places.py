"""How the text of a file lies in memories, and which place in the file a passage is from: pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mimir_py.documents.models import PATH_FIELD, WATCHED_PATH_FIELD
from mimir_py.entities.models import Entity
from mimir_py.entities.text import load_json
from mimir_py.parsing.kinds import Kind, kind_of

TYPE: Final = "document"
_TEXT: Final = "content"
_PATHS: Final = (PATH_FIELD, WATCHED_PATH_FIELD)
_FIRST_LINE: Final = "first_line"
_FIRST_PAGE: Final = "first_page"
_PAGE: Final = re.compile(r"^\[page (\d{1,9})\]$", re.MULTILINE)
_HEADING: Final = re.compile(r"^(?:#{1,6} [ \t]*(\S.*)|(```|~~~).*)$", re.MULTILINE)
_LONGEST_HEADING: Final = 120
# A character takes at most so many bytes in JSON: a control character as an escape.
_WIDEST: Final = 6
_FOR_THE_REST: Final = 512


@dataclass(frozen=True)
class Part:
    """A piece of a text, small enough for one memory, and where it begins."""

    text: str
    first_line: int
    first_page: int


def parts(text: str, kind: Kind, path: str, most_bytes: int) -> Iterator[Part]:
    """A text in as few parts as fit into memories of so many bytes, cut between lines."""
    most_bytes -= _WIDEST * len(path) + _FOR_THE_REST
    line, page, begin = 1, 1, 0
    while begin < len(text):
        stop = _stop(text, begin, most_bytes)
        piece = text[begin:stop]
        yield Part(piece, line, page)
        line += piece.count("\n")
        if kind is Kind.PDF:
            page = _last_page(piece, page)
        begin = stop


def body_json(part: Part, kind: Kind, path: str, path_field: str = PATH_FIELD) -> str:
    """The body of the memory of a part."""
    body: dict[str, Any] = {_TEXT: part.text, path_field: path}
    if kind is Kind.PDF and part.first_page > 1:
        body[_FIRST_PAGE] = part.first_page
    elif kind in (Kind.TEXT, Kind.MARKDOWN) and part.first_line > 1:
        body[_FIRST_LINE] = part.first_line
    return json.dumps(body, ensure_ascii=False)


def place(entity: Entity, offset: int | None) -> dict[str, Any] | None:
    """Where in its file some line of a document is; `None` for other memories.

    The file, then what is known of: page, line, nearest heading above. `offset` counts characters
    of the memory's text; `None` means all of it.
    """
    if entity.type != TYPE:
        return None
    body = load_json(entity.body_json)
    if not isinstance(body, dict):
        return None
    path = next((body[name] for name in _PATHS if isinstance(body.get(name), str)), None)
    if path is None:
        return None
    found: dict[str, Any] = {"file": path}
    text, kind = body.get(_TEXT), kind_of(path) or Kind.TEXT
    if offset is None or not isinstance(text, str):
        return found
    if kind is Kind.PDF:
        found["page"] = _last_page(text[: _line_end(text, offset)], _number(body, _FIRST_PAGE))
        return found
    if kind in (Kind.TEXT, Kind.MARKDOWN):
        found["line"] = _number(body, _FIRST_LINE) + text.count("\n", 0, offset)
    if kind is not Kind.TEXT:
        heading = _heading_above(text, _line_end(text, offset))
        if heading:
            found["heading"] = heading
    return found


def key_of(key: str, number: int) -> str:
    """The key of a part of a document, counted from 1."""
    return key if number == 1 else f"{key} (part {number})"


def keys_for(path: str) -> Iterator[str]:
    """Names for a file, the shortest first: its own, then with ever more of its folders."""
    names = [part for part in path.replace("\\", "/").split("/") if part]
    for count in range(1, len(names) + 1):
        yield "/".join(names[-count:])


def _stop(text: str, begin: int, most_bytes: int) -> int:
    """Where a part ends that begins there."""
    # No character takes less than a byte.
    low, high = begin + 1, min(len(text), begin + most_bytes)
    if high == len(text) and _width(text, begin, high) <= most_bytes:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if _width(text, begin, middle) <= most_bytes else (low, middle - 1)
        )
    line_end = text.rfind("\n", begin, low) + 1
    # Half a part is better than half a line, but not less.
    return line_end if line_end - begin > (low - begin) // 2 else low


def _width(text: str, begin: int, stop: int) -> int:
    return len(json.dumps(text[begin:stop], ensure_ascii=False).encode())


def _last_page(text: str, otherwise: int) -> int:
    numbers = _PAGE.findall(text)
    return int(numbers[-1]) if numbers else otherwise


def _heading_above(text: str, upto: int) -> str:
    heading, fence = "", ""
    for found in _HEADING.finditer(text, 0, upto):
        if found[2]:
            fence = "" if found[2] == fence else fence or found[2]
        elif not fence:
            heading = found[1]
    return heading.rstrip(" #\t\r")[:_LONGEST_HEADING]


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end


def _number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 1
