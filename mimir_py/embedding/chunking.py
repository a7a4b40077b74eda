"""Cut a text into overlapping spans that each fit the model's window.

Borders are natural where there are any: paragraphs and lines, then sentences, then words. Lengths
are estimated, on the safe side, without loading the tokenizer.
"""

import re
from typing import Final

# The window is 256 word-pieces; the rest is left for the label that goes in front of each chunk.
BUDGET: Final = 200
OVERLAP: Final = 40
# No text gives more word-pieces than characters.
_ALWAYS_FITS: Final = BUDGET

_UNIT: Final = re.compile(
    r"[^\n.!?。！？]*(?:[.!?。！？]+(?=\s|$)|[\n。！？]|[.!?])\s*|[^\n.!?。！？]+$"
)
_PIECE: Final = re.compile(r"[a-zA-Z]+|\d+|\s+|.", re.DOTALL)

Span = tuple[int, int]


def split(text: str) -> list[Span]:
    """The spans (start, stop) of `text`, in order, covering all of it; one for a short text."""
    if len(text) <= _ALWAYS_FITS:
        return [(0, len(text))]
    units = _units(text)
    spans: list[Span] = []
    first = 0
    while first < len(units):
        last, used = first, 0
        while last < len(units) and (last == first or used + units[last][2] <= BUDGET):
            used += units[last][2]
            last += 1
        spans.append((units[first][0], units[last - 1][1]))
        if last == len(units):
            break
        first = _step_back(units, first, last)
    return spans


def _step_back(units: list[tuple[int, int, int]], first: int, last: int) -> int:
    """Where the next span starts: as many whole units back as make up the overlap."""
    start, shared = last, 0
    while start - 1 > first and shared + units[start - 1][2] <= OVERLAP:
        start -= 1
        shared += units[start][2]
    return start


def _units(text: str) -> list[tuple[int, int, int]]:
    """Sentences or lines as (start, stop, cost), none costing more than the budget."""
    units: list[tuple[int, int, int]] = []
    for match in _UNIT.finditer(text):
        if match.start() == match.end():
            continue
        units.extend(_within_budget(text, match.start(), match.end()))
    return units


def _within_budget(text: str, start: int, stop: int) -> list[tuple[int, int, int]]:
    parts: list[tuple[int, int, int]] = []
    begin, used = start, 0
    for piece in _PIECE.finditer(text, start, stop):
        for cut in range(piece.start(), piece.end(), BUDGET):
            end = min(cut + BUDGET, piece.end())
            cost = _cost(text[cut:end])
            if cut > begin and used + cost > BUDGET:
                parts.append((begin, cut, used))
                begin, used = cut, 0
            used += cost
    parts.append((begin, stop, used))
    return parts


def _cost(piece: str) -> int:
    """About how many word-pieces a run of letters, digits or one other character gives."""
    if piece.isspace():
        return 0
    if piece.isascii() and piece.isalpha():
        return 1 + len(piece) // 4
    return len(piece)
