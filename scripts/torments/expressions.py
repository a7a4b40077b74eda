"""Queries nobody would type, queries made of FTS5's grammar, and plain ones with their answers."""

import unicodedata
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

_CONSONANTS: Final = "bdgkmprtvz"
_VOWELS: Final = "aou"
_WORDS: Final = 240
_WORDS_A_TEXT: Final = 12

_OPERATORS: Final = (
    "AND", "OR", "NOT", "NEAR", "NEAR/3", "(", ")", "{", "}", ":", "*", "^", "+", "-", '"', '""',
    ",", "'", ";", "--", "/*", "rowid", "rank", "body", "label_terms", "entities_fts", "\x00", "?",
    ":x", "@p", "$1", "%", "_", "\\", "NULL", "MATCH", "bm25(", "=", "==c++", "=?", "=^", "\u0660",
)  # fmt: skip
_RANGES: Final = (
    (0x20, 0x7F), (0x20, 0x7F), (0, 0x20), (0x80, 0x250), (0x300, 0x370), (0x590, 0x700),
    (0x900, 0xE80), (0x1100, 0x1200), (0x2000, 0x2070), (0x2190, 0x2C00), (0x3040, 0x3100),
    (0x4E00, 0x5000), (0xAC00, 0xAD00), (0xE000, 0xE100), (0xFB00, 0xFFFF), (0x1F300, 0x1F700),
    (0xE0000, 0xE0080),
)  # fmt: skip


def plain_words(dice: Random) -> list[str]:
    """Made-up words that are their own stems and not parts of each other."""
    words: set[str] = set()
    while len(words) < _WORDS:
        syllables = (dice.choice(_CONSONANTS) + dice.choice(_VOWELS) for _ in range(3))
        words.add("".join(syllables) + dice.choice("kmptz"))
    return sorted(words)


def texts(dice: Random, words: Sequence[str], count: int) -> list[str]:
    """Memories of those words, some of them in capitals or beside punctuation."""
    dressed = (str, str.upper, str.title, "({})".format, "{},".format, "{}.".format)
    return [
        " ".join(dice.choice(dressed)(word) for word in dice.sample(words, _WORDS_A_TEXT))
        for _ in range(count)
    ]


def matching(texts_by_key: Mapping[str, str], words: Sequence[str]) -> set[str]:
    """The keys of texts that hold one of the words: a scan, without any index."""
    wanted = {word.casefold() for word in words}
    return {
        key
        for key, text in texts_by_key.items()
        if wanted & {word.strip("().,").casefold() for word in text.split()}
    }


def random_text(dice: Random) -> str:
    """Characters of any script, assigned or not; no lone surrogates, which never get this far."""
    length = dice.choice([0, 1, 2, 5, 20, 20, 60, 300, 3_000])
    text = "".join(chr(dice.randrange(*dice.choice(_RANGES))) for _ in range(length))
    return unicodedata.normalize(dice.choice(["NFC", "NFD", "NFKD"]), text)


def grammatical(dice: Random, words: Sequence[str]) -> str:
    """Words between operators, brackets and quotes of FTS5, matched or not."""
    parts = [
        dice.choice(_OPERATORS) if dice.random() < 0.6 else dice.choice(words)
        for _ in range(dice.randint(1, 14))
    ]
    return dice.choice(["", " "]).join(parts)
