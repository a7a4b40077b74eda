"""Cut a text into overlapping spans that each fit the model's window.

Borders are natural where there are any: paragraphs and lines, then sentences, then words. Lengths
are estimated, on the safe side, without loading the tokenizer.
"""

import re
from typing import Final

# The window is 256 word-pieces; the rest is left for the label that goes in front of each chunk.
BUDGET: Final = 200
OVERLAP: Final = 40
# ASCII text never gives more word-pieces than characters.
_ALWAYS_FITS: Final = BUDGET

# Longer ones hardly ever fit, and are not counted through to find out.
_MAY_FIT: Final = 6 * BUDGET

# The end of a sentence or line, with the white space after it. The look-behind keeps a long run
# of dots from being tried again from each of them.
_BORDER: Final = re.compile(r"(?:(?<![.!?])[.!?]++(?=\s|\Z)|[\n。！？])\s*+")
_WORD: Final = re.compile(r"[a-zA-Z]+")
_PIECE: Final = re.compile(r"[a-zA-Z]+|\d+|\s+|.", re.DOTALL)

Span = tuple[int, int]


def split(text: str) -> list[Span]:
    """The spans (start, stop) of `text`, in order, covering all of it; one for a short text."""
    if text.isascii() and (
        len(text) <= _ALWAYS_FITS or (len(text) <= _MAY_FIT and _most_cost(text) <= BUDGET)
    ):
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
    """Sentences or lines as (start, stop, cost); a long one in parts that can be shared."""
    borders = [match.end() for match in _BORDER.finditer(text)]
    units: list[tuple[int, int, int]] = []
    start = 0
    for stop in [*borders, len(text)]:
        if stop > start:
            units.extend(_parts(text, start, stop))
        start = stop
    return units


def _parts(text: str, start: int, stop: int) -> list[tuple[int, int, int]]:
    parts: list[tuple[int, int, int]] = []
    begin, used = start, 0
    for piece in _PIECE.finditer(text, start, stop):
        for cut in range(piece.start(), piece.end(), OVERLAP):
            end = min(cut + OVERLAP, piece.end())
            cost = _cost(text[cut:end])
            if cut > begin and used + cost > OVERLAP:
                parts.append((begin, cut, used))
                begin, used = cut, 0
            used += cost
    parts.append((begin, stop, used))
    return parts


def _most_cost(text: str) -> int:
    """What all pieces of ASCII text cost at most: with words of usual length, what they do."""
    words = [len(word) for word in _WORD.findall(text)]
    others = sum(map(len, text.split())) - sum(words)
    return others + sum(1 + length // 4 + length // OVERLAP for length in words)


def _cost(piece: str) -> int:
    """About how many word-pieces a run of letters, digits or one other character gives."""
    if piece.isspace():
        return 0
    if piece.isascii() and piece.isalpha():
        return 1 + len(piece) // 4
    # The tokenizer takes a Hangul syllable apart into its letters.
    return len(piece) * (3 if "\uac00" <= piece[0] <= "\ud7a3" else 1)
