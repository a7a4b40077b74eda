"""From a person's query to an FTS5 expression that cannot fail.

Nothing of the query reaches FTS5 unquoted, so no punctuation is syntax.
"""

import re
from dataclasses import dataclass
from typing import Final

STOPWORDS: Final = frozenset(
    """
    a an and any are as at be been by can could did do does each for from had has have he her his
    how i in is it its many me much my of on or our she some that the their them they this to user
    users was we were what when where which who whom whose why will with would you your
    """.split()
)
MAX_WORDS: Final = 64
MAX_SUBSTRINGS: Final = 32

_TOKEN: Final = re.compile(r"[^\W_]+")
# Scripts written without spaces: the tokenizer takes a whole clause of them for one word.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_WHOLE_RUN: Final = 8


@dataclass(frozen=True)
class KeywordQuery:
    """A query prepared for the keyword arm.

    `expression` is FTS5 syntax, or `None` when the query has no word at all. `literals` are words
    whose punctuation the tokenizer drops; texts that hold them to the letter come first.
    `substrings` (lower case) are what the index has no words for and must be looked for character
    by character.
    """

    words: tuple[str, ...]
    expression: str | None
    literals: tuple[str, ...]
    substrings: tuple[str, ...]


def prepare(text: str) -> KeywordQuery:
    """Split a query into words and decide how each is searched."""
    raw = list(dict.fromkeys(text.split()))[:MAX_WORDS]
    worded = [word for word in raw if _TOKEN.search(word)]
    content = [word for word in worded if _bare(word) not in STOPWORDS]
    words = tuple(content or worded)
    expression = " OR ".join(_quoted(word) for word in words) or None
    literals = tuple(word.lower() for word in raw if not _plain(word))
    # Plain punctuation between words is only that; alone, or as a symbol, it is what is asked for.
    symbols = [w for w in raw if not _TOKEN.search(w) and (not words or not w.isascii())]
    runs = [part for word in words for run in _UNSPACED.findall(word) for part in _parts(run)]
    substrings = tuple(dict.fromkeys(part.lower() for part in (*symbols, *runs)))
    return KeywordQuery(words, expression, literals, substrings[:MAX_SUBSTRINGS])


def with_variants(text: str, most: int) -> tuple[str, ...]:
    """`text`, and up to `most` copies of it with one word replaced by its English stem."""
    import snowballstemmer

    stemmer = snowballstemmer.stemmer("english")
    words = text.split()
    variants = [text]
    for index, word in enumerate(words):
        if len(variants) > most:
            break
        stem = stemmer.stemWord(word.lower())
        if stem != word:
            variants.append(" ".join([*words[:index], stem, *words[index + 1 :]]))
    return tuple(variants)


def literal_matches(literals: tuple[str, ...], text: str) -> int:
    """How many of the literals a text holds to the letter, in any case."""
    lowered = text.lower()
    return sum(literal in lowered for literal in literals)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _bare(word: str) -> str:
    """The word without the punctuation around it, in lower case."""
    tokens = list(_TOKEN.finditer(word))
    return word[tokens[0].start() : tokens[-1].end()].lower()


def _parts(run: str) -> list[str]:
    """What to look for of a run without spaces: itself when it may be a word, and its pairs."""
    whole = [run] if len(run) <= _WHOLE_RUN else []
    return whole + [run[at : at + 2] for at in range(len(run) - 1)]


def _plain(word: str) -> bool:
    """Whether tokenizing loses nothing of the word but the punctuation of its sentence."""
    return bool(re.fullmatch(r"[^\W_]+[.,;:!?]?", word))
