"""Small stores: some to fit on, made of larger ones, and the frozen ones of `small_stores.txt`."""

import json
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from evaluation.datasets import Collection, Question

FROZEN: Final = Path(__file__).with_name("small_stores.txt")
_STORES: Final = 70
_LEAST: Final = 3
_MOST: Final = 63
_ASKED: Final = 10
_SEED: Final = 7
_KINDS: Final = {"?": "in its words", "~": "in other words", "!": "not answered"}


def small_stores(collections: Sequence[Collection]) -> Iterator[Collection]:
    """Stores of 3 to 63 of the collections' memories: neighbours, or any.

    Each is asked for what it holds and for what only others hold, in like numbers.
    """
    generator = random.Random(_SEED)  # noqa: S311  # to choose samples
    every = [(place, q) for place, one in enumerate(collections) for q in one.questions]
    for number in range(_STORES if collections else 0):
        place = number % len(collections)
        collection = collections[place]
        known = {key for question in collection.questions for key in question.keys}
        held_by = [memory for memory in collection.memories if memory["key"] in known]
        size = round(math.exp(generator.uniform(math.log(_LEAST), math.log(_MOST))))
        size = min(size, len(held_by) - 1)
        start = generator.randrange(len(held_by) - size)
        memories = held_by[start : start + size]
        if number % 4 < 2:
            memories = generator.sample(held_by, size)
        held = {str(memory["key"]) for memory in memories}
        own, strange = [], []
        for of, question in generator.sample(every, len(every)):
            keys = question.keys & held if of == place else frozenset[str]()
            asked = Question(question.text, keys, question.kind, question.number)
            (own if keys else strange).append(asked)
        asked_for = (*own[:_ASKED], *strange[:_ASKED])
        yield Collection(f"small store {number}", tuple(memories), asked_for)


def frozen() -> Iterator[Collection]:
    """The stores of `small_stores.txt`; a question that nothing answers has no keys."""
    for block in FROZEN.read_text(encoding="utf-8").split("# ")[1:]:
        name, *lines = block.splitlines()
        memories, questions = [], []
        for line in lines:
            if line[0] in _KINDS:
                text, _, key = line[2:].partition(" => ")
                kind = _KINDS[line[0]]
                keys = frozenset((key,) if key else ())
                questions.append(Question(text, keys, kind, len(questions)))
            else:
                key, category, body = line.split(" | ", 2)
                memories.append(
                    {"key": key, "category": category, "body_json": json.dumps({"content": body})}
                )
        yield Collection(name, tuple(memories), tuple(questions))
