"""Taking a text apart into sentences that make memories, by rules.

A sentence ends at `.`, `!` or `?` before a space and a new beginning, or at the end of a line; not
at abbreviations, initials, decimals, versions or file names. Of the kinds, the first that fits.
"""

import re
from collections.abc import Iterator
from typing import Final

from mimir_py.context.models import Extracted

_ABBREVIATIONS: Final = frozenset(
    """
    mr mrs ms dr prof st jr sr vs etc eg ie cf al fig no vol pp approx dept est inc ltd co corp
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun
    """.split()
)
_END: Final = re.compile(r"(?<![.!?])[.!?]++[\"')\]]*+(?=\s|$)")
_LAST_WORD: Final = re.compile(r"([A-Za-z][A-Za-z.]*)$")
_NEXT: Final = re.compile(r"\s*+(\S)")
# No abbreviation is longer.
_LONGEST_WORD: Final = 40
_BULLET: Final = re.compile(r"^\s{0,12}(?:[-*+•]|\d{1,3}[.)])\s+")
_MOST_CHARS: Final = 2_000

_MONTHS: Final = (
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
).split()
_DAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
_TEMPORAL: Final = re.compile(
    r"\b(?:(?:19|20)\d\d|\d{1,2}:\d\d|"
    # "may" is a month only beside a number.
    rf"(?:{'|'.join(m for m in _MONTHS if m != 'may')})|may \d|"
    r"\d{1,2}(?:st|nd|rd|th)? (?:of )?may|"
    rf"(?:{'|'.join(_DAYS)})s?|yesterday|today|tomorrow|tonight|"
    r"(?:last|next) (?:week|month|year)|this (?:morning|afternoon|evening))\b"
)
_PREFERENCE: Final = re.compile(
    r"\b(?:i (?:really |always |strongly )?(?:prefer|like|love|hate|dislike|want)|i'd rather|"
    r"i would rather|my favou?rite|we (?:always )?prefer|prefer to use)\b"
)
_EPISODE: Final = re.compile(
    r"\b(?:(?:i|we) (?:just |also |then |finally )?"
    r"(?:did|met|built|shipped|deployed|decided|fixed|added|wrote|finished|completed|removed|"
    r"migrated|launched)|i went)\b"
)
_FACT: Final = re.compile(
    r"\b(?:is|are|was|were|has|have|uses|runs on|consists of|supports|requires|depends on|stores)\b"
)
_KINDS: Final = (
    ("temporal_event", _TEMPORAL),
    ("preference", _PREFERENCE),
    ("episode", _EPISODE),
    ("fact", _FACT),
)


def extract(text: str) -> list[Extracted]:
    """The sentences that are of a kind, each once, in order."""
    found: dict[Extracted, None] = {}
    for sentence in sentences(text):
        lowered = sentence.lower().replace("\u2019", "'")
        kind = next((kind for kind, sign in _KINDS if sign.search(lowered)), None)
        if kind is not None:
            found[Extracted(kind, sentence)] = None
    return list(found)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, without bullets and outer white space."""
    for line in text.splitlines():
        start, plain = 0, _BULLET.sub("", line)
        for end in _END.finditer(plain):
            following = _NEXT.match(plain, end.end())
            if not _ends_here(plain[start : end.start()], end.group(), following):
                continue
            yield from _told(plain[start : end.start()])
            start = end.end()
        yield from _told(plain[start:])


def _ends_here(before: str, mark: str, following: re.Match[str] | None) -> bool:
    if mark[0] != ".":
        return True
    if following is not None and following[1].islower():
        return False
    word = _LAST_WORD.search(before[-_LONGEST_WORD:])
    if word is None:
        return True
    last = word.group().lower().replace(".", "")
    return last not in _ABBREVIATIONS and not (len(last) == 1 and last != "i")


def _told(sentence: str) -> Iterator[str]:
    told = sentence.strip().rstrip(".!?").strip()
    if told:
        yield told[:_MOST_CHARS]
