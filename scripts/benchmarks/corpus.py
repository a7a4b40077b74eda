"""Generated memories and questions about them: the same for the same seed, on every Python.

A text is sentences of some thirty shapes with times and reasons before and behind; their slots are
filled from `words`, the common words more often, and with identifiers, versions, paths and numbers
made up on the spot. No two memories have the same key, whatever their corpora's seeds.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import words

# Gives about 40 word-pieces of the model.
REMEMBERED_WORDS: Final = 25
_SLOT: Final = re.compile(r"\{(\w+)\}")
# Share of the front of a list: the exponent makes the first tenth serve a third of the picks.
_SKEW: Final = 2.1
_SHARE_WITH_TIME: Final = 0.35
_SHARE_WITH_REASON: Final = 0.4
# A key ends in a number that no corpus with another seed below this has.
_MOST_SEEDS: Final = 100
_VOWELS: Final = "aeiou"
_DOUBLED: Final = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
_A_BEFORE_VOWEL: Final = re.compile(r"\b([Aa]) (?=[aeiou])")


@dataclass(frozen=True)
class Memory:
    """What is remembered or imported."""

    category: str
    key: str
    text: str
    tags: tuple[str, ...]
    topic_path: str

    @property
    def body_json(self) -> str:
        return json.dumps({"content": self.text})

    def arguments(self) -> dict[str, Any]:
        """As `mimir_remember` takes it."""
        return {
            "category": self.category,
            "key": self.key,
            "body_json": self.body_json,
            "tags": list(self.tags),
            "topic_path": self.topic_path,
        }

    def line(self, entity_id: str) -> str:
        """As `mimir import` takes it."""
        return json.dumps({"record": "memory", "id": entity_id, **self.arguments()})


class Corpus:
    """A stream of memories of about `length` words."""

    def __init__(self, seed: int, length: int = REMEMBERED_WORDS) -> None:
        self._random = random.Random(seed)  # noqa: S311  # data, not secrets
        self._seed = seed
        self._length = length
        self._made = 0
        self._slots: dict[str, Callable[[], str]] = {
            "noun": lambda: self._pick(words.SYSTEM_NOUNS),
            "nouns": lambda: _plural(self._pick(words.SYSTEM_NOUNS)),
            "other": lambda: self._pick(words.OTHER_NOUNS),
            "verb": lambda: self._pick(words.VERBS),
            "verbs": lambda: _plural(self._pick(words.VERBS)),
            "past": lambda: _past(self._pick(words.VERBS)),
            "adjective": lambda: self._pick(words.ADJECTIVES),
            "adverb": lambda: self._pick(words.ADVERBS),
            "technology": lambda: self._pick(words.TECHNOLOGIES),
            "person": lambda: self._pick(words.PEOPLE),
            "service": self._service,
            "snake": lambda: f"{self._pick(words.VERBS)}_{self._pair('_')}".replace("-", "_"),
            "camel": lambda: _camel(self._pick(words.ADJECTIVES), self._pair(" ")),
            "constant": lambda: f"{self._pair('_').upper()}_{self._pick(words.MEASURES)}",
            "path": self._path,
            "code": lambda: f"E{self._random.randrange(1_000, 9_999)}",
            "ticket": lambda: f"OPS-{self._random.randrange(100, 9_999)}",
            "version": lambda: f"{self._number(20)}.{self._number(40)}.{self._number(10)}",
            "number": lambda: str(self._number(500)),
            "port": lambda: str(self._random.randrange(3_000, 9_900)),
            "duration": lambda: f"{self._number(90)} {self._pick(('seconds', 'minutes', 'days'))}",
            "size": lambda: f"{self._number(512)} {self._pick(('MB', 'KB', 'GB'))}",
            "tool": lambda: self._pick(words.TOOLS),
            "flag": lambda: self._pick(words.FLAGS),
        }

    def memory(self) -> Memory:
        """The next memory."""
        self._made += 1
        name, noun = self._pick(words.SERVICE_NAMES), self._pick(words.SYSTEM_NOUNS)
        tags = {self._pick(words.SYSTEM_NOUNS) for _ in range(self._random.randrange(4))}
        return Memory(
            self._pick(words.CATEGORIES),
            f"{name}-{noun}-{self._made * _MOST_SEEDS + self._seed}",
            self.text(self._length),
            tuple(sorted(tags)),
            f"{name}/{noun}" if self._random.random() < 0.5 else "",
        )

    def memories(self, count: int) -> Iterator[Memory]:
        """The next `count` memories."""
        return (self.memory() for _ in range(count))

    def text(self, length: int) -> str:
        """A text of exactly `length` words."""
        made: list[str] = []
        while len(made) < length:
            made.extend(self._sentence().split())
        return " ".join(made[:length]).rstrip(".,") + "."

    def questions(self, memories: Sequence[Memory], count: int) -> list[str]:
        """Distinct questions, each with words of one of the memories."""
        asked: dict[str, None] = {}
        while len(asked) < count:
            about = memories[self._random.randrange(len(memories))]
            named = sorted({word.strip(".,`") for word in about.text.split() if len(word) > 5})
            shape = self._pick(words.QUESTIONS)
            if len(named) < 4:
                continue
            for place, word in enumerate(self._random.sample(named, 4)):
                shape = shape.replace(f"{{{place}}}", word)
            asked[self._filled(shape)] = None
        return list(asked)

    def _sentence(self) -> str:
        shape = self._even(words.SENTENCES)
        if self._random.random() < _SHARE_WITH_REASON:
            shape = f"{shape} {self._even(words.REASONS)}"
        if self._random.random() < _SHARE_WITH_TIME:
            time = self._even(words.TIMES)
            shape = f"{shape} {time}" if self._random.random() < 0.5 else f"{time}, {shape}"
        text = _A_BEFORE_VOWEL.sub(r"\1n ", self._filled(shape))
        return text[0].upper() + text[1:] + "."

    def _filled(self, shape: str) -> str:
        return _SLOT.sub(lambda slot: self._slots[slot[1]](), shape)

    def _pick(self, choices: Sequence[str]) -> str:
        return choices[int(len(choices) * self._random.random() ** _SKEW)]

    def _even(self, choices: Sequence[str]) -> str:
        return choices[int(len(choices) * self._random.random())]

    def _pair(self, between: str) -> str:
        return f"{self._pick(words.SYSTEM_NOUNS)}{between}{self._pick(words.SYSTEM_NOUNS)}"

    def _service(self) -> str:
        return f"{self._pick(words.SERVICE_NAMES)}-{self._pick(words.SERVICE_KINDS)}"

    def _path(self) -> str:
        folder, suffix = self._pick(words.FOLDERS), self._pick(words.SUFFIXES)
        return f"{folder}/{self._pick(words.SERVICE_NAMES)}/{self._pair('_')}.{suffix}"

    def _number(self, below: int) -> int:
        return 1 + int(below * self._random.random() ** _SKEW)


def _plural(word: str) -> str:
    if word.endswith(("s", "sh", "ch", "x", "z")):
        return f"{word}es"
    if word.endswith("y") and word[-2] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}s"


def _past(verb: str) -> str:
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return f"{verb[:-1]}ied"
    if _DOUBLED.fullmatch(verb):
        return f"{verb}{verb[-1]}ed"
    return f"{verb}ed"


def _camel(*parts: str) -> str:
    return "".join(word.capitalize() for part in parts for word in part.split())
