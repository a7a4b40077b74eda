"""HTML to text: what a reader sees, headings and lists as in Markdown."""

import re
from collections.abc import Mapping
from typing import Final

from lxml import etree

from mimir_py.parsing.models import Parsed, Unreadable, check_length

_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "svg", "math", "object"})
# As browsers have it. What ends in a deep page is looked for all the way up.
_MOST_DEPTH: Final = 512
_BLOCKS: Final = frozenset(
    """
    address article aside blockquote body caption dd details div dl dt fieldset figcaption figure
    footer form head header html legend li main nav ol p pre section summary table tbody tfoot thead
    title tr ul
    """.split()
)
_HEADINGS: Final = {f"h{level}": "#" * level for level in range(1, 7)}
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_DECLARED: Final = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_DECLARED_WITHIN: Final = 1_024
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read(content: bytes) -> Parsed:
    """The text of an HTML page.

    Raises:
        Unreadable: it is not text in the encoding it declares, or has no words.
    """
    # Files may be large, and are read by a process with limits of its own.
    parser = etree.HTMLParser(target=_Page(), encoding="utf-8", no_network=True, huge_tree=True)
    try:
        text: str = etree.fromstring(_decoded(content).encode(), parser)
    except etree.XMLSyntaxError:
        text = ""
    if not text:
        raise Unreadable("holds no text")
    return Parsed(text)


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    declared = _DECLARED.search(content[:_DECLARED_WITHIN])
    if encoding is None and declared is not None:
        encoding = declared[1].decode("ascii")
    try:
        text = content.decode(encoding or "utf-8")
    except (UnicodeDecodeError, LookupError):
        raise Unreadable(f"is not {encoding or 'UTF-8'} text") from None
    if "\x00" in text:
        raise Unreadable("is not text but binary")
    return text


class _Page:
    """Collects lines. libxml2 tells it of elements, each begun and ended, nested as they are."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        # The parts of the line that is being read: adding each to a text would copy all before it.
        self._line: list[str] = []
        self._has_words = False
        self._length = 0
        self._depth = 0
        self._unseen_from: int | None = None
        self._as_written = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise Unreadable(f"is nested more than {_MOST_DEPTH} deep")
        if self._unseen_from is not None:
            return
        if tag in _UNSEEN or "hidden" in attributes:
            self._unseen_from = self._depth
        elif tag in _HEADINGS:
            self._new_line(f"\n{_HEADINGS[tag]} ")
        elif tag == "li":
            self._new_line("- ")
        elif tag in ("td", "th"):
            if self._has_words:
                self._line.append(" | ")
        elif tag in ("br", "hr") or tag in _BLOCKS:
            self._new_line()
            self._as_written += tag == "pre"
        elif tag == "img":
            self.data(attributes.get("alt", ""))

    def end(self, tag: str) -> None:
        if self._unseen_from is None:
            if tag in _BLOCKS or tag in _HEADINGS:
                self._new_line()
                self._as_written -= tag == "pre"
        elif self._depth == self._unseen_from:
            self._unseen_from = None
        self._depth -= 1

    def data(self, data: str) -> None:
        if self._unseen_from is not None:
            return
        self._length += len(data)
        check_length(self._length)
        if self._as_written:
            first, *others = data.split("\n")
            self._add(first)
            for line in others:
                self._end_line()
                self._add(line)
            return
        words = _SPACE.sub(" ", data)
        self._add(words.lstrip() if not self._line or self._line[-1].endswith(" ") else words)

    def close(self) -> str:
        """The text, when all has been read."""
        self._end_line()
        lines = (line.rstrip() for line in self._lines)
        return "\n".join(line for line in lines if line.strip("-# |\n")).strip()

    def _new_line(self, begun: str = "") -> None:
        """Begin a line, if the present one has words; what it begins with may change till then."""
        if self._has_words:
            self._end_line()
        if begun:
            self._line = [begun]
            self._has_words = True

    def _add(self, words: str) -> None:
        if words:
            self._line.append(words)
            self._has_words = self._has_words or not words.isspace()

    def _end_line(self) -> None:
        self._lines.append("".join(self._line))
        self._line, self._has_words = [], False
