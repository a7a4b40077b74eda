"""HTML to text: what a reader sees, headings and lists as in Markdown."""

import re
from html.parser import HTMLParser
from typing import Final

from mimir_py.parsing.models import Parsed, Unreadable, check_length

_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "svg", "math", "object"})
_VOID: Final = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()
)
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
    page = _Page()
    page.feed(_decoded(content))
    page.close()
    text = page.text()
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


class _Page(HTMLParser):
    """Collects lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._length = 0
        self._unseen: list[str] = []
        self._as_written = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen:
            # Until the same tag ends: what is in between need not be well-formed.
            if tag == self._unseen[0]:
                self._unseen.append(tag)
            return
        if tag not in _VOID and (tag in _UNSEEN or any(name == "hidden" for name, _ in attrs)):
            self._unseen.append(tag)
        elif tag in _HEADINGS:
            self._new_line(f"\n{_HEADINGS[tag]} ")
        elif tag == "li":
            self._new_line("- ")
        elif tag in ("td", "th"):
            if self._lines[-1].strip():
                self._lines[-1] += " | "
        elif tag in ("br", "hr") or tag in _BLOCKS:
            self._new_line()
            self._as_written += tag == "pre"
        elif tag == "img":
            self.handle_data(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[0]:
                self._unseen.pop()
        elif tag in _BLOCKS or tag in _HEADINGS:
            self._new_line()
            self._as_written = max(0, self._as_written - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        self._length += len(data)
        check_length(self._length)
        if self._as_written:
            first, *others = data.split("\n")
            self._lines[-1] += first
            self._lines.extend(others)
            return
        words = _SPACE.sub(" ", data)
        before = self._lines[-1]
        self._lines[-1] += words.lstrip() if not before or before.endswith(" ") else words

    def text(self) -> str:
        lines = (line.rstrip() for line in self._lines)
        return "\n".join(line for line in lines if line.strip("-# |\n")).strip()

    def _new_line(self, begun: str = "") -> None:
        if self._lines[-1].strip():
            self._lines.append(begun)
        else:
            self._lines[-1] = begun or self._lines[-1]
