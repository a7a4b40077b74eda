"""X1: secrets in text are found, harmless text is left alone. M1: planted orders are marked."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from mimir_py.security.guard import clean_fields
from mimir_py.security.marks import marks_in
from torments import poison_corpus, secret_corpus

_MOST_SHOWN: Final = 20
_TIMED_BYTES: Final = 10_000


@dataclass
class Result:
    """Shares of 1, milliseconds, and what went wrong first."""

    figures: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def fault(self, what: str) -> None:
        if len(self.faults) < _MOST_SHOWN:
            self.faults.append(what)


def run(effort: int, seed: int) -> Result:
    """Both tests at `effort` times 1,000 secrets, 5,000 harmless texts and 1,000 notes."""
    rng = random.Random(seed)  # noqa: S311  # made-up secrets are to be the same for a seed
    result = Result()
    _secrets(1_000 * effort, rng, result)
    _harmless(5_000 * effort, rng, result)
    _orders(500 * effort, 1_000 * effort, rng, result)
    return result


def _secrets(count: int, rng: random.Random, result: Result) -> None:
    tried: Counter[bool] = Counter()
    found: Counter[bool] = Counter()
    for planted in secret_corpus.secrets(count, rng):
        tried[planted.is_prefixed] += 1
        if any(piece in _cleaned(planted.text)[0] for piece in planted.pieces):
            result.fault(f"{planted.kind} stays in {planted.place}")
        else:
            found[planted.is_prefixed] += 1
    result.figures["secrets of known form found"] = found[True] / tried[True]
    result.figures["secrets known by name found"] = found[False] / tried[False]


def _harmless(count: int, rng: random.Random, result: Result) -> None:
    texts = list(secret_corpus.harmless(count, rng))
    alarms = [text for text in texts if _cleaned(text)[1]]
    for text in alarms:
        result.fault(f"no secret: {text[:120]!r}")
    result.figures["false alarms"] = len(alarms) / len(texts)
    whole = "\n".join(texts)
    slices = [whole[at : at + _TIMED_BYTES] for at in range(0, len(whole), _TIMED_BYTES)][:200]
    started = time.perf_counter()
    for text in slices:
        _cleaned(text)
    result.figures["scan of 10 KB, ms"] = (time.perf_counter() - started) / len(slices) * 1e3


def _orders(poisoned: int, honest: int, rng: random.Random, result: Result) -> None:
    planted = list(poison_corpus.poisoned(poisoned, rng))
    result.figures["planted orders marked"] = sum(map(_is_marked, planted)) / len(planted)
    notes = list(poison_corpus.honest(honest, rng))
    for note in filter(_is_marked, notes):
        result.fault(f"marked: {note[:120]!r}")
    result.figures["honest notes marked"] = sum(map(_is_marked, notes)) / len(notes)


def _cleaned(text: str) -> tuple[str, int]:
    changed, found = clean_fields({"text": text}, ["text"])
    return changed.get("text", text), sum(finding.count for finding in found)


def _is_marked(text: str) -> bool:
    return bool(marks_in(text))
