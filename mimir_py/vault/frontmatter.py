"""The head of a note: written as YAML that is also read line by line, read as any safe YAML.

Values are strings (as the file has them), lists and maps of strings, or None for an empty one: what
type a field has is for its reader to say, so `key: 2024` is a text and no number. Nothing in a head
can make objects, refer to other parts, or grow: anchors, aliases and tags are refused.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mimir_py.errors import TransferError

MOST_BYTES: Final = 65_536
FENCE: Final = "---"

_MOST_DEPTH: Final = 16
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]+)*")
# What some YAML reader takes for something else than text.
_RESERVED: Final = frozenset("true false null yes no on off y n nan inf".split())
_LINE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(?: (.*))?")
_TOP: Final = re.compile(r"([^\s#:-][^:\n]*):(?:\s|$)")
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_./+-]+(?::[0-9]{2}:[0-9.]+Z)?")
# Not allowed as they are in YAML, or taken for the end of a line.
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_EMPTY: Final = frozenset({"", "~", "null", "Null", "NULL"})
# The lines of a head as the published format has them, whose values are not escaped.
_PUBLISHED: Final = (
    *("id", "category", "key", "type", "workspace_hash", "agent_id", "tags", "decay_score"),
    *("retrieval_count", "layer", "created", "last_accessed"),
)


def scalar(text: str) -> str:
    """A text as a value that every YAML reader takes for that text."""
    if not text:
        return ""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return flow(text)


def flow(value: Any) -> str:
    """A JSON value on one line, which is YAML too."""
    return _UNPRINTABLE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def split(text: str) -> tuple[str, str]:
    """The head of a note and what follows it.

    Raises:
        TransferError: there is no head, it has no end, or it is longer than 64 KiB.
    """
    text = text.removeprefix("\ufeff").lstrip("\n")
    if not re.match(r"---[ \t]*(\n|$)", text):
        raise TransferError("has no front matter: a note begins with a line ---")
    start = text.find("\n") + 1
    end = re.compile(r"^---[ \t]*$", re.MULTILINE).search(text, start, start + MOST_BYTES + 8)
    if not start or end is None:
        if len(text) > MOST_BYTES:
            raise TransferError(f"its front matter does not end within {MOST_BYTES} bytes")
        raise TransferError("its front matter has no end: a second line --- is missing")
    head = text[start : end.start()]
    if len(head.encode()) > MOST_BYTES:
        raise TransferError(f"its front matter is over {MOST_BYTES} bytes")
    return head, text[end.end() :].removeprefix("\n")


def blocks(head: str) -> dict[str, str]:
    """The lines of a head by the name they are about, as they stand."""
    found: dict[str, str] = {}
    name = ""
    for line in head.splitlines(keepends=True):
        start = _TOP.match(line)
        if start is not None:
            name = start[1].strip("\"'")
        found[name] = found.get(name, "") + line
    return found


def parse(head: str) -> dict[str, Any]:
    """The values of a head by name.

    Raises:
        TransferError: it is no YAML map, or has what is refused.
    """
    fields = _by_line(head)
    if fields is None and _is_published(head):
        fields = _as_published(head)
    return _as_yaml(head) if fields is None else fields


def _by_line(head: str) -> dict[str, Any] | None:
    """The values if every line is as this program writes them: YAML proper takes far longer."""
    if _is_published(head):
        return None
    fields: dict[str, Any] = {}
    for line in head.removesuffix("\n").split("\n"):
        found = _LINE.fullmatch(line)
        if found is None or found[1] in fields:
            return None
        value = (found[2] or "").strip(" \t")
        if value[:1] in ('"', "[", "{"):
            try:
                fields[found[1]] = _texts(json.loads(value))
            except (ValueError, RecursionError):
                return None
        elif value in _EMPTY:
            fields[found[1]] = None
        elif _SIMPLE.fullmatch(value):
            fields[found[1]] = value
        else:
            return None
    return fields


def _texts(value: Any) -> Any:
    """A JSON value with its numbers and flags as they are written."""
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, dict):
        return {name: _texts(item) for name, item in value.items()}
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _is_published(head: str) -> bool:
    names = tuple(line.partition(":")[0] for line in head.removesuffix("\n").split("\n"))
    return names == _PUBLISHED


def _as_published(head: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for line in head.removesuffix("\n").split("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    try:
        tags = json.loads(fields["tags"])
    except ValueError:
        tags = [tag.strip() for tag in fields["tags"].strip("[]").split(",") if tag.strip()]
    fields["tags"] = tags
    return fields


def _as_yaml(head: str) -> dict[str, Any]:
    try:
        reader = _Reader(YAML(typ="safe", pure=True).parse(head))
        value = reader.document()
    except (YAMLError, ValueError, RecursionError) as error:
        reason = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
        raise TransferError(f"its front matter is not YAML: {reason}") from None
    if not isinstance(value, dict):
        raise TransferError("its front matter is not a map of names to values")
    return value


class _Reader:
    """Values from the events of a YAML text; nothing is constructed."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events

    def document(self) -> Any:
        for event in self._events:
            if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent | AliasEvent):
                return self._value(event, 0)
        return {}

    def _value(self, event: Event, depth: int) -> Any:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            raise TransferError("its front matter has an anchor or alias, which notes may not have")
        if getattr(event, "tag", None) is not None:
            raise TransferError("its front matter has a type tag (!), which notes may not have")
        if depth > _MOST_DEPTH:
            raise TransferError(f"its front matter is nested deeper than {_MOST_DEPTH} levels")
        if isinstance(event, ScalarEvent):
            text: str = event.value
            return None if event.style is None and text in _EMPTY else text
        if isinstance(event, SequenceStartEvent):
            return list(self._items(SequenceEndEvent, depth))
        pairs: dict[str, Any] = {}
        items = self._items(MappingEndEvent, depth)
        for name in items:
            if not isinstance(name, str):
                raise TransferError("its front matter has a name that is no text")
            if name in pairs:
                raise TransferError(f"its front matter has {name!r} twice")
            pairs[name] = next(items)
        return pairs

    def _items(self, end: type[Event], depth: int) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._value(event, depth + 1)
