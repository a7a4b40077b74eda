"""From a person's query to the terms of the keyword index, and to an FTS5 expression.

Nothing of the query reaches FTS5 unquoted, so no punctuation is syntax.
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from mimir_py.storage.terms import EXTRA, QUESTION, quoted, word_terms

STOPWORDS: Final = frozenset(
    """
    a an and any are as at be been by can could did do does each for from had has have he her his
    how i in is it its many me much my of on or our she some that the their them they this to user
    users was we were what when where which who whom whose why will with would you your
    """.split()
)
# What engineers write for the same thing; only well-worn abbreviations, never a topic.
ALIASES: Final[Mapping[str, str]] = {
    "cpp": "C++",
    "csharp": "C#",
    "fsharp": "F#",
    "dotnet": ".NET",
    "golang": "Go",
    "js": "JavaScript",
    "ts": "TypeScript",
    "k8s": "Kubernetes",
    "kubernetes": "k8s",
    "postgres": "PostgreSQL",
    "postgresql": "Postgres",
    "mongo": "MongoDB",
    "repo": "repository",
    "repository": "repo",
    "env": "environment",
    "config": "configuration",
    "configuration": "config",
    "db": "database",
    "auth": "authentication",
    "authentication": "auth",
    "docs": "documentation",
    "documentation": "docs",
    "perf": "performance",
    "prod": "production",
    "deps": "dependencies",
    "dependencies": "deps",
}
MAX_WORDS: Final = 64
_TOKEN: Final = re.compile(r"[^\W_]+")
_ASKS_WHEN: Final = re.compile(
    r"\b(when|since|(what|which) (date|day|week|month|year|time)|how (long|recent))\b",
    re.IGNORECASE,
)
_ASKS_NUMBER: Final = re.compile(r"\bhow (many|much|often|long|big|large|old)\b", re.IGNORECASE)
# Words that may be one identifier taken apart: `retry budget ms`.
_MOST_JOINED: Final = 5
# What is longer is no English; to stem it takes the square of its length.
_LONGEST_STEMMED: Final = 64


@dataclass(frozen=True)
class KeywordQuery:
    """A query as terms of the index: `stems` in order, `extras` to the letter, `words` as typed.

    `identifiers` are those extras that no plain word gives.
    """

    words: tuple[str, ...]
    stems: tuple[str, ...]
    extras: tuple[str, ...]
    identifiers: tuple[str, ...] = ()
    asks_when: bool = False
    asks_number: bool = False

    @property
    def terms(self) -> tuple[str, ...]:
        return self.stems + self.extras


def prepare(text: str) -> KeywordQuery:
    """Take a query apart, without its stopwords unless it has nothing else."""
    raw = list(dict.fromkeys(text.split()))[:MAX_WORDS]
    words = [word for word in raw if not _is_stopword(word)] or raw
    stems: dict[str, None] = {}
    extras: dict[str, None] = {}
    plain = {QUESTION}
    for word in (*words, *(ALIASES[w] for w in map(_bare, words) if w in ALIASES)):
        of_word = word_terms(word)
        stems.update(dict.fromkeys(of_word[0]))
        extras.update(dict.fromkeys(of_word[1]))
        joined = _bare(word)
        if len(of_word[0]) > 1:
            # `GitHub` is also written `github`.
            extras.update(dict.fromkeys(word_terms(joined)[0]))
        elif joined:
            extras[EXTRA + joined] = None
            if word.islower() or word.istitle():
                plain.add(EXTRA + joined)
    if 2 <= len(words) <= _MOST_JOINED:
        extras.update(dict.fromkeys(_joined(words)))
    for stem in stems:
        extras.pop(stem, None)
    return KeywordQuery(
        tuple(words),
        tuple(stems),
        tuple(extras),
        tuple(extra for extra in extras if extra not in plain),
        asks_when=_ASKS_WHEN.search(text) is not None,
        asks_number=_ASKS_NUMBER.search(text) is not None,
    )


class Expression(NamedTuple):
    """An FTS5 query, and about how many memories it matches."""

    text: str
    matched: float


def expression(
    terms: Sequence[str], frequencies: Mapping[str, int], memories: int, budget: int
) -> Expression | None:
    """An FTS5 query for the rarest of the terms that together match at most `budget` memories.

    Common words say little and cost most; what they would add is weighed when the found memories
    are put in order. A query of common words alone asks for pairs of them, the rarest first.
    `None`: no term occurs.
    """
    known = sorted((t for t in terms if frequencies.get(t)), key=lambda t: (frequencies[t], t))
    if not known:
        return None
    if frequencies[known[0]] > budget:
        return _pairs(known, frequencies, memories, budget)
    chosen, matched = [known[0]], frequencies[known[0]]
    for term in known[1:]:
        if matched + frequencies[term] > budget:
            break
        matched += frequencies[term]
        chosen.append(term)
    return Expression(" OR ".join(map(quoted, chosen)), matched)


def _pairs(
    known: Sequence[str], frequencies: Mapping[str, int], memories: int, budget: int
) -> Expression:
    """The rarest term with each of the others, as far as the budget goes, or alone."""
    rarest = known[0]
    partners = [t for t in known[1:] if rarest not in _forms(t) and t not in _forms(rarest)]
    if not partners:
        return Expression(quoted(rarest), frequencies[rarest])
    pairs: list[str] = []
    matched = 0.0
    for term in partners:
        together = frequencies[rarest] * frequencies[term] / max(memories, 1)
        if pairs and matched + together > budget:
            break
        matched += together
        pairs.append(f"({quoted(rarest)} AND {quoted(term)})")
    return Expression(" OR ".join(pairs), matched)


def _forms(term: str) -> frozenset[str]:
    """All terms of a text that has this one: next to them it asks for nothing more."""
    stems, extras = word_terms(term.removeprefix(EXTRA))
    return frozenset((*stems, *extras))


def with_variants(text: str, most: int) -> tuple[str, ...]:
    """`text`, and up to `most` copies of it with one word replaced by its English stem."""
    import snowballstemmer

    stemmer = snowballstemmer.stemmer("english")
    words = text.split()
    variants = [text]
    for index, word in enumerate(words):
        if len(variants) > most:
            break
        if len(word) > _LONGEST_STEMMED:
            continue
        stem = stemmer.stemWord(word.lower())
        if stem != word:
            variants.append(" ".join([*words[:index], stem, *words[index + 1 :]]))
    return tuple(variants)


def _is_stopword(word: str) -> bool:
    # `IT` and `US` are names.
    bare = _bare(word)
    return bare in STOPWORDS and not (len(bare) > 1 and word.isupper())


def _bare(word: str) -> str:
    """Its letters and digits, in lower case."""
    return "".join(_TOKEN.findall(word)).casefold()


def _joined(words: Sequence[str]) -> Iterable[str]:
    bare = [_bare(word) for word in words]
    yield EXTRA + "".join(bare)
    for one, other in itertools.pairwise(bare):
        yield EXTRA + one + other
