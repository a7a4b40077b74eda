"""Lines of a text, and edits of it: pure rules. Lines end with a line feed and count from 1."""

from typing import Final

from mimir_py.errors import InvalidInput

TO_END: Final = -1
_LINES_NAMED: Final = 10


def lines(text: str) -> list[str]:
    """The lines of a text without their ends; a line feed at its end begins no other line."""
    found = text.split("\n")
    return found[:-1] if found[-1] == "" else found


def span(text: str, view_range: list[int] | None) -> tuple[int, int]:
    """First and last line to show, from 1 on; (1, 0) of an empty text.

    Raises:
        InvalidInput: the range is empty or begins after the text.
    """
    count = len(lines(text))
    if view_range is None:
        return 1, count
    start, end = view_range
    if end == TO_END:
        end = max(count, start)
    if not 1 <= start <= max(count, 1) or end < start:
        raise InvalidInput(
            "view_range",
            f"must be [first, last] with first in 1..{max(count, 1)} and last not "
            f"before it, or {TO_END} for the end",
        )
    return start, min(end, count)


def numbered(text: str, first: int, last: int) -> list[str]:
    """Lines with their numbers, six wide, and a tab before each."""
    return [f"{n:6}\t{line}\n" for n, line in enumerate(lines(text)[first - 1 : last], start=first)]


def replaced(text: str, old: str, new: str) -> str:
    """`text` with the only occurrence of `old` replaced.

    Raises:
        InvalidInput: `old` is empty, does not occur, or more than once.
    """
    if not old:
        raise InvalidInput("old_str", "is empty; give the text to replace")
    places = _places(text, old)
    if not places:
        raise InvalidInput("old_str", "not found in the file; it must occur exactly as it is there")
    if len(places) > 1:
        at = ", ".join(str(text.count("\n", 0, place) + 1) for place in places[:_LINES_NAMED])
        raise InvalidInput(
            "old_str", f"occurs {len(places)} times (lines {at}); give more of the text around it"
        )
    return text[: places[0]] + new + text[places[0] + len(old) :]


def inserted(text: str, after_line: int, addition: str) -> tuple[str, int]:
    """`text` with lines inserted after a line (0: at the start), and after which in the end.

    A line number beyond the text means its nearest end. The text keeps the line feed at its end,
    or stays without one.
    """
    held = text.split("\n")
    closes = held[-1] == ""
    held = held[:-1] if closes else held
    at = max(0, min(after_line, len(held)))
    more = addition.removesuffix("\n").split("\n")
    ends = closes or (at == len(held) and addition.endswith("\n"))
    return "\n".join([*held[:at], *more, *held[at:]]) + ("\n" if ends else ""), at


def _places(text: str, wanted: str) -> list[int]:
    places, place = [], text.find(wanted)
    while place >= 0:
        places.append(place)
        place = text.find(wanted, place + 1)
    return places
