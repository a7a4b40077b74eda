"""From text to the terms of the keyword index, and the same way for a query.

A text becomes two runs of terms. The first is its words in order, stemmed, identifiers taken apart:
`retryBudgetMs` gives `retri budget ms`. The second holds what an engineer looks up to the letter,
each marked by `=`: exact forms (`=retrying`), whole identifiers however they are written
(`=retrybudgetms` of `retry_budget_ms`, `retry-budget-ms` and `retryBudgetMs`), those within a
dotted name too, and words with their punctuation (`=c++`, `=#1234`, `=src/app.py`, `=--no-verify`).
Scripts without spaces give pairs of neighbouring characters. Letters lose case and accents.

Terms hold no white space, so a run is stored as one string, and FTS5 splits it where we did.
"""

import functools
import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

EXTRA: Final = "="
QUESTION: Final = "=?"

_LONGEST_TERM: Final = 100
_LONGEST_CACHED: Final = 40
_CACHED: Final = 100_000
_SHORTEST_STEMMED: Final = 3
_CASE_MATTERS: Final = 3
_HASH_PREFIXES: Final = range(7, 13)

_OPENING: Final = "\"'`“”‘’«»([{<*_~,;:!?¿¡…—–"
_CLOSING: Final = "\"'`“”‘’«»)]}>*_~,;:!?.…—–"
_PAIRS: Final = {")": "(", "]": "[", "}": "{", ">": "<"}
_POSSESSIVE: Final = re.compile(r"['’]s$", re.IGNORECASE)
_APOSTROPHE: Final = re.compile(r"(?<=\w)['’](?=\w)")
_SEPARATOR: Final = re.compile(r"[/\\:@=,;()\[\]{}<>|&\"'`“”‘’«»!?…—–~]+")
_STEMMING: Final = threading.Lock()
_SLASH: Final = re.compile(r"[/\\]")
_DOTTED_NUMBER: Final = re.compile(r"(?<!\d)\d++(?:\.\d++)+")
_HASH: Final = re.compile(r"(?=[a-f]*\d)[0-9a-f]{12,64}")
_PIECE: Final = re.compile(
    r"[A-Z]{2,}(?=s(?![a-z]))|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\dA-Za-z_]+",
)
# Scripts written without spaces, and Hangul, whose words carry their particles.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_MARKS: Final = re.compile("[\u0300-\u036f]")
# Control and format characters, and variation selectors: nothing that is read.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
# What Unicode does not take apart into a letter and a mark.
_LETTERS: Final = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ı": "i"}
    | {
        "ß": "ss",
        "ẞ": "SS",
        "Þ": "Th",
        "Ð": "D",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "Ħ": "H",
    }
)


def analyse(text: str) -> str:
    """The terms of a text, single spaces between them: its words in order, then the extras."""
    words: list[str] = []
    extras: list[str] = []
    for stems, exact in map(word_terms, text.split()):
        words += stems
        if exact:
            extras += exact
    if text.rstrip().endswith("?"):
        extras.append(QUESTION)
    return " ".join(words + extras)


def stems(text: str) -> list[str]:
    """The stems of a text's words, in order."""
    return [stem for word in text.split() for stem in word_terms(word)[0]]


def quoted(term: str) -> str:
    """A term as FTS5 takes it: no character in it is syntax."""
    return '"' + term.replace('"', '""') + '"'


def word_terms(word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What one word between white space gives: its stems in order, and its extras."""
    if len(word) <= _LONGEST_CACHED:
        return _cached_terms(word)
    return _terms_of(word)


def _terms_of(word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    plain = _folded(word)
    bare = _stripped(plain)
    stems: list[str] = []
    extras: dict[str, None] = {}
    if bare.isalnum():
        _add_segment(bare, stems, extras)
    else:
        if "'" in bare or "’" in bare:
            bare = _APOSTROPHE.sub("", _POSSESSIVE.sub("", bare))
        segments = _SEPARATOR.split(bare)
        for segment in segments:
            _add_segment(segment, stems, extras)
        if not bare.isalnum():
            _add_as_written(bare, extras)
    for character in plain if not plain.isascii() else "":
        if not character.isascii() and unicodedata.category(character) in ("So", "Sm", "Sc"):
            extras[EXTRA + character] = None
    return tuple(stems), tuple(extra for extra in extras if len(extra) > 1)


_cached_terms = functools.lru_cache(_CACHED)(_terms_of)


def _add_segment(segment: str, stems: list[str], extras: dict[str, None]) -> None:
    """One part between separators, such as a file name of a path."""
    pieces = _PIECE.findall(segment)
    if not pieces:
        return
    numbers = _DOTTED_NUMBER.findall(segment) if "." in segment else []
    # A version is one number; its parts are in every other one.
    words = _PIECE.findall(_DOTTED_NUMBER.sub(" ", segment)) if numbers else pieces
    # Single characters are the debris of `v1.2.3` or `E42`; what is whole finds those.
    kept = [piece for piece in words if len(piece) > 1]
    for piece in kept:
        _add_piece(piece, stems, extras)
    stems += [number[:_LONGEST_TERM] for number in numbers]
    if not kept and not numbers:
        stems.append(segment.casefold()[:_LONGEST_TERM])
    # `Go` and `AI` are names; `go` and `ai` may be anything.
    if len(segment) <= _CASE_MATTERS and segment.isalpha() and segment[0].isupper():
        extras[f"{EXTRA}^{segment.casefold()}"] = None
    if len(pieces) > 1:
        _add_whole(pieces, extras)
        # `pg-replica-2` of `pg-replica-2.internal`, `retry_budget` of `payments.retry_budget`.
        for part in segment.split(".") if "." in segment and not numbers else ():
            if len(of_part := _PIECE.findall(part)) > 1:
                _add_whole(of_part, extras)
    for number in numbers:
        extras[EXTRA + number[:_LONGEST_TERM]] = None
    if len(segment) > _HASH_PREFIXES.stop - 2 and _HASH.fullmatch(lowered := segment.casefold()):
        extras.update(dict.fromkeys(EXTRA + lowered[:length] for length in _HASH_PREFIXES))


def _add_whole(pieces: Sequence[str], extras: dict[str, None]) -> None:
    whole = "".join(pieces).casefold()
    if len(whole) > 1:
        extras[EXTRA + whole[:_LONGEST_TERM]] = None


def _add_piece(piece: str, stems: list[str], extras: dict[str, None]) -> None:
    lowered = piece.casefold()[:_LONGEST_TERM]
    if not piece.isascii() and _UNSPACED.search(piece):
        stems.extend(_pairs(lowered))
        extras.update(dict.fromkeys(EXTRA + character for character in lowered))
        return
    stem = _stem(lowered)
    stems.append(stem)
    if stem != lowered or (piece.isdigit() and len(piece) >= _HASH_PREFIXES.start):
        extras[EXTRA + lowered] = None


def _add_as_written(bare: str, extras: dict[str, None]) -> None:
    """A word of several parts: joined, and to the letter, as a whole and between its slashes."""
    _add_whole(_PIECE.findall(bare), extras)
    for part in (bare, *_SLASH.split(bare)) if "/" in bare or "\\" in bare else (bare,):
        if part and not part.isalnum():
            extras[EXTRA + part.casefold()[:_LONGEST_TERM]] = None


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def _folded(word: str) -> str:
    """Compatible characters as one, no accents, nothing invisible; case is kept."""
    if word.isascii() and word.isprintable():
        return word
    word = "".join(unicodedata.normalize("NFKC", _UNSEEN.sub("", word)).split())
    plain = word.translate(_LETTERS)
    word = plain.upper() if word.isupper() else plain
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", word)))


def _is_own(word: str, opened: str, closed: str) -> bool:
    return word.count(opened) >= word.count(closed)


def _stripped(word: str) -> str:
    """The word without the punctuation of its sentence; a bracket it opened itself stays."""
    start, stop = 0, len(word)
    while start < stop and word[start] in _OPENING:
        start += 1
    while stop > start and word[stop - 1] in _CLOSING:
        opened = _PAIRS.get(word[stop - 1])
        if opened is not None and _is_own(word[start:stop], opened, word[stop - 1]):
            break
        stop -= 1
    return word[start:stop] or word


@functools.lru_cache(_CACHED)
def _stem(word: str) -> str:
    if len(word) < _SHORTEST_STEMMED or not word.isascii() or not word.isalpha():
        return word
    # A stemmer works in its own attributes: two threads in it would spoil each other's words.
    with _STEMMING:
        return _english()(word)


@functools.cache
def _english() -> Callable[[str], str]:
    import snowballstemmer

    stemmer: Callable[[str], str] = snowballstemmer.stemmer("english").stemWord
    return stemmer
