"""Telling questions that a store can answer from foreign ones, by what is said of the first item.

Foreign questions are those of the next collection: as they are (`other`), and with its speakers'
names replaced by the store's own (`swapped`), so that names give nothing away.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import mimir_py.recall
from evaluation.datasets import Collection
from evaluation.metrics import auc, kept_at, reliability, share_from
from evaluation.runner import Outcome, Reply, Store

FALSE_RATE: Final = 0.1
MEASURE: Final = "relevance"
FALLBACK: Final = "score"


@dataclass(frozen=True)
class Foreign:
    """What a store said to a question it cannot answer."""

    store: str
    source: str
    question: int
    form: str
    reply: Reply

    def as_json(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "source": self.source,
            "question": self.question,
            "form": self.form,
            "relevance": self.reply.relevance,
            "score": self.reply.score,
        }


def ask_foreign(store: Store, source: Collection) -> list[Foreign]:
    """Ask a store the questions of another collection, in every form there is of them."""
    own = store.collection
    return [
        Foreign(own.name, source.name, number, form, store.reply(text))
        for form, number, text in foreign(own, source)
    ]


def foreign(own: Collection, source: Collection) -> list[tuple[str, int, str]]:
    """Questions of another collection as (form, number, text)."""
    keys = {memory["key"] for memory in own.memories}
    # Turns and sessions are numbered alike everywhere; elsewhere a key it has is its own answer.
    questions = [q for q in source.questions if own.speakers or not q.keys & keys]
    forms: dict[str, Mapping[str, str]] = {"other": {}}
    if own.speakers and source.speakers:
        forms["swapped"] = dict(zip(source.speakers, own.speakers, strict=False))
    return [
        (form, q.number, renamed(q.text, names)) for form, names in forms.items() for q in questions
    ]


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with whole names replaced, all at once, in any case and with what follows them."""
    if not names:
        return text
    by_folded = {name.casefold(): new for name, new in names.items()}
    either = "|".join(re.escape(name) for name in names)
    return re.sub(
        rf"\b(?:{either})\b",
        lambda found: by_folded[found.group().casefold()],
        text,
        flags=re.IGNORECASE,
    )


def abstention(own: Sequence[Outcome], foreign: Sequence[Foreign]) -> dict[str, Any]:
    """How well the first item's relevance tells, and how far it can be taken at its word.

    Falls back to its score where the server gives no relevance; `measure` says which it is.
    """
    replies = [outcome.reply for outcome in own] + [asked.reply for asked in foreign]
    given = all(reply.relevance is not None for reply in replies)
    measure = MEASURE if given else FALLBACK
    positives = _values((outcome.reply for outcome in own), measure)
    threshold = _threshold() if given else None
    forms = []
    for form in dict.fromkeys(asked.form for asked in foreign):
        negatives = _values((asked.reply for asked in foreign if asked.form == form), measure)
        forms.append({"form": form, **_told_apart(positives, negatives, threshold)})
    rights = [outcome.first_is_right for outcome in own]
    bins = reliability(list(zip(positives, rights, strict=True)))
    return {
        "measure": measure,
        "threshold": threshold,
        "forms": forms,
        "reliability": [asdict(bin) for bin in bins],
    }


def _told_apart(
    positives: Sequence[float], negatives: Sequence[float], threshold: float | None
) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "answerable": len(positives),
        "unanswerable": len(negatives),
        "auc": auc(positives, negatives),
        "kept": kept_at(positives, negatives, FALSE_RATE),
    }
    if threshold is not None:
        figures["false_injections"] = share_from(negatives, threshold)
        figures["kept_at_threshold"] = share_from(positives, threshold)
    return figures


def _values(replies: Iterable[Reply], measure: str) -> list[float]:
    return [getattr(reply, measure) for reply in replies]


def _threshold() -> float | None:
    """The relevance from which Mimir injects a memory unasked, in a Mimir that does."""
    return getattr(mimir_py.recall, "CONTEXT_MIN_RELEVANCE", None)
