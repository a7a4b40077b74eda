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

_TOKEN: Final = re.compile(r"[^\W_]+")
_EDGES: Final = re.compile(r"^[^\w]+|[^\w]+$")


@dataclass(frozen=True)
class KeywordQuery:
    """A query prepared for the keyword arm.

    `expression` is FTS5 syntax, or `None` when the query has no word at all. `literals` are words
    whose punctuation the tokenizer drops; texts that hold them to the letter come first.
    `substrings` are what to look for character by character when the index finds nothing.
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
    unseen = (
        tuple(word.lower() for word in words if not word.isascii())
        if expression
        else tuple(word.lower() for word in raw)
    )
    return KeywordQuery(words, expression, literals, unseen)


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
    return _EDGES.sub("", word).lower()


def _plain(word: str) -> bool:
    """Whether tokenizing loses nothing of the word but the punctuation of its sentence."""
    return bool(re.fullmatch(r"[^\W_]+[.,;:!?]?", word))
