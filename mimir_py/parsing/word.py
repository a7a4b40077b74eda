"""DOCX to text: a line a paragraph or table row, headings as in Markdown."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from lxml.etree import LxmlError

from mimir_py.parsing.models import MOST_ENTRIES, MOST_INFLATED, Parsed, Unreadable, check_length

_SIGN: Final = b"PK\x03\x04"
_DEFLATED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_IS_ENCRYPTED: Final = 1
_DECLARATION: Final = re.compile(rb"<\x00?!\x00?(?:D\x00?O\x00?C\x00?T|E\x00?N\x00?T)")
_HEADING: Final = re.compile(r"heading ([1-6])", re.IGNORECASE)
_BROKEN: Final = (
    OpcError,
    LxmlError,
    zipfile.BadZipFile,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
_P, _T, _TAB, _BR, _CR = (qn(f"w:{tag}") for tag in ("p", "t", "tab", "br", "cr"))
_TABLE, _ROW, _CELL = (qn(f"w:{tag}") for tag in ("tbl", "tr", "tc"))
_PROPERTIES, _STYLE, _VALUE = qn("w:pPr"), qn("w:pStyle"), qn("w:val")
# The same again, for readers that do not know the form before it.
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read(content: bytes) -> Parsed:
    """The text of a DOCX file.

    Raises:
        Unreadable: it is none, encrypted, broken, too large inside, or has no text.
    """
    if not content.startswith(_SIGN):
        raise Unreadable("is not a DOCX file")
    try:
        _check_package(content)
        document = docx.Document(io.BytesIO(content))
        levels = _heading_levels(document)
        lines, length = list[str](), 0
        for line in _blocks(document.element.body, levels):
            length += len(line)
            check_length(length)
            lines.append(line)
    except _BROKEN as fault:
        said = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise Unreadable(f"is a broken or too large DOCX ({said})") from None
    text = "\n".join(lines).strip()
    if not text:
        raise Unreadable("holds no text")
    return Parsed(text)


def _check_package(content: bytes) -> None:
    """Refuse what unpacks to too much, before anything is parsed."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        entries = package.infolist()
        if len(entries) > MOST_ENTRIES:
            raise Unreadable(f"holds more than {MOST_ENTRIES} parts")
        # No more of a part is ever unpacked than it says it has; others would make it a broken one.
        if sum(entry.file_size for entry in entries) > MOST_INFLATED:
            raise Unreadable(f"unpacks to more than {MOST_INFLATED} bytes")
        for entry in entries:
            if entry.flag_bits & _IS_ENCRYPTED:
                raise Unreadable("is encrypted with a password")
            if entry.compress_type not in _DEFLATED:
                raise Unreadable("is packed in a way that DOCX files are not")
            if entry.filename.lower().endswith((".xml", ".rels")) and _DECLARATION.search(
                package.read(entry)
            ):
                raise Unreadable("declares XML entities, which no DOCX file does")


def _heading_levels(document: Any) -> dict[str, int]:
    """The level of each style of headings, by the style's id."""
    levels: dict[str, int] = {}
    for style in document.styles:
        found = _HEADING.fullmatch(style.name or "")
        if found is not None:
            levels[style.style_id] = int(found[1])
        elif style.name == "Title":
            levels[style.style_id] = 1
    return levels


def _blocks(parent: Any, levels: dict[str, int]) -> Iterator[str]:
    for element in parent:
        if element.tag == _P:
            text = _text(element)
            level = levels.get(_style(element), 0) if text.strip() else 0
            yield f"\n{'#' * level} {text.strip()}" if level else text
        elif element.tag == _TABLE:
            for row in element.iter(_ROW):
                yield " | ".join(" ".join(_text(cell).split()) for cell in row.iter(_CELL))
        elif isinstance(element.tag, str):
            yield from _blocks(element, levels)


def _style(paragraph: Any) -> str:
    properties = paragraph.find(_PROPERTIES)
    style = None if properties is None else properties.find(_STYLE)
    return "" if style is None else str(style.get(_VALUE, ""))


def _text(element: Any) -> str:
    """What the runs inside say."""
    pieces: list[str] = []
    waiting = [element]
    while waiting:
        inner = waiting.pop()
        if inner.tag == _T:
            pieces.append(inner.text or "")
        elif inner.tag == _TAB:
            pieces.append("\t")
        elif inner.tag in (_BR, _CR):
            pieces.append("\n")
        elif inner.tag not in (_PROPERTIES, _FALLBACK):
            if inner.tag == _P and pieces:
                pieces.append("\n")
            waiting.extend(reversed(inner))
    return "".join(pieces)
