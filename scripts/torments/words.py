"""X1: secrets in text are found, harmless text is left alone. M1: planted orders are marked."""

import time
from collections.abc import Sequence
from typing import Final

from mimir_py.security.guard import clean_fields
from mimir_py.security.marks import marks_in
from torments import harmless_corpus, poison_corpus, secret_corpus
from torments.outcome import Limit, Outcome, Tally
from torments.setting import Setting

# Shares that may be missed or taken for what they are not; milliseconds for a text.
_KNOWN_FORMS_MISSED: Final = 0.01
_NAMED_MISSED: Final = 0.2
_FALSE_ALARMS: Final = 0.005
_ORDERS_MISSED: Final = 0.1
_HONEST_MARKED: Final = 0.01
_MOST_MS: Final = 2.0

_HARMLESS_PER_SECRET: Final = 5
_HONEST_PER_ORDER: Final = 2
_TIMED_LENGTH: Final = 10_000
_TIMED_TEXTS: Final = 200


def secrets_found(setting: Setting) -> Outcome:
    """X1: secrets are taken out of the texts they stand in, and harmless texts stay as they are."""
    rng = setting.random("secrets")
    count = setting.effort.secrets
    tally, control = Tally(), Tally()
    planted = list(secret_corpus.secrets(count, rng))
    left = [text for text in planted if _shows(text, _cleaned(text.text)[0])]
    for text in planted:
        # Read by the same eyes before anything is taken out.
        control.add(text.kind, ["in clear"] if _shows(text, text.text) else [])
    figures = {}
    for is_prefixed, name, most in (
        (True, "of a known form", _KNOWN_FORMS_MISSED),
        (False, "known by their names", _NAMED_MISSED),
    ):
        tried = [text for text in planted if text.is_prefixed == is_prefixed]
        missed = [
            f"{text.kind} stays in {text.place}" for text in left if text.is_prefixed == is_prefixed
        ]
        figures[f"found of {len(tried):,} {name}"] = _judge(tally, tried, missed, most)
    texts = list(harmless_corpus.harmless(_HARMLESS_PER_SECRET * count, rng))
    alarms = [f"no secret: {text[:120]!r}" for text in texts if _cleaned(text)[1]]
    figures[f"left alone of {len(texts):,} harmless"] = _judge(tally, texts, alarms, _FALSE_ALARMS)
    return Outcome(
        "X1",
        "secrets are redacted, harmless texts are left alone",
        tally,
        "the same texts as they were",
        control,
        {"scan of 10 KB": Limit(_scan_ms(texts), _MOST_MS, "ms")},
        figures,
    )


def orders_marked(setting: Setting) -> Outcome:
    """M1: texts that give orders to a model are marked, honest notes of developers are not."""
    rng = setting.random("orders")
    count = setting.effort.orders
    tally, control = Tally(), Tally()
    planted = list(poison_corpus.poisoned(count, rng))
    honest = list(poison_corpus.honest(_HONEST_PER_ORDER * count, rng))
    missed = [f"not marked: {text[:120]!r}" for text in planted if not marks_in(text)]
    marked = [f"marked: {note[:120]!r}" for note in honest if marks_in(note)]
    figures = {
        f"marked of {len(planted):,} orders": _judge(tally, planted, missed, _ORDERS_MISSED),
        f"left alone of {len(honest):,} notes": _judge(tally, honest, marked, _HONEST_MARKED),
    }
    for note in honest:
        # An honest note that gets an order put into it must no longer pass as one.
        is_marked = bool(marks_in(f"{note} {poison_corpus.ORDERS[0]}"))
        control.add(note[:40], ["marked"] if is_marked else [])
    return Outcome(
        "M1",
        "planted orders are marked, honest notes are not",
        tally,
        "honest notes with an order put into them",
        control,
        figures=figures,
    )


def _judge(tally: Tally, tried: Sequence[object], wrong: Sequence[str], most: float) -> str:
    """Count texts; those that were judged wrongly are faults when they are more than may be."""
    too_many = len(wrong) > most * len(tried)
    for number in range(len(tried)):
        tally.add("text", [wrong[number]] if too_many and number < len(wrong) else [])
    return f"{1 - len(wrong) / len(tried):.2%}"


def _scan_ms(texts: Sequence[str]) -> float:
    whole = "\n".join(texts)
    slices = [whole[at : at + _TIMED_LENGTH] for at in range(0, len(whole), _TIMED_LENGTH)]
    slices = slices[:_TIMED_TEXTS]
    started = time.process_time()
    for text in slices:
        _cleaned(text)
    return (time.process_time() - started) / len(slices) * 1_000


def _shows(planted: secret_corpus.Planted, text: str) -> bool:
    return any(piece in text for piece in planted.pieces)


def _cleaned(text: str) -> tuple[str, int]:
    changed, found = clean_fields({"text": text}, ["text"])
    return changed.get("text", text), sum(finding.count for finding in found)
