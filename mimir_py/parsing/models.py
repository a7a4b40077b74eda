"""What a document may cost, and what is said of one that costs more."""

from dataclasses import dataclass
from typing import Final

from mimir_py.parsing.kinds import Kind

MOST_INFLATED: Final = 64 * 2**20
MOST_TEXT: Final = 32 * 2**20
MOST_PAGES: Final = 20_000
MOST_ENTRIES: Final = 4_096
MOST_MEMORY: Final = 256 * 2**20
# A page of the web takes milliseconds; what takes seconds is made to.
MOST_SECONDS: Final = {Kind.HTML: 5, Kind.DOCX: 20, Kind.PDF: 60}
MOST_PROBLEMS: Final = 20


class Unreadable(Exception):
    """A document cannot be made into text; the message says why, without naming it."""


@dataclass(frozen=True)
class Parsed:
    """The text of a document, and what of it could not be read."""

    text: str
    problems: tuple[str, ...] = ()


def check_length(chars: int) -> None:
    """Refuse a text that grows beyond the limit.

    Raises:
        Unreadable: it did.
    """
    if chars > MOST_TEXT:
        raise Unreadable(f"holds more than {MOST_TEXT} characters of text")
