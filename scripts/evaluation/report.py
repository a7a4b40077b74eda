"""What was measured, as tables for people and as JSON for comparing runs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.measure import MS, percentile
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evaluation.abstention import FALLBACK, FALSE_RATE, Foreign, abstention
from evaluation.datasets import DataSet
from evaluation.metrics import all_at, mrr, recall_at
from evaluation.runner import DEFAULT, DEPTH, Outcome

_DEPTHS: Final = (1, 3, 5, DEPTH)
_KIND_DEPTHS: Final = (1, 5)
_PIPED_WIDTH: Final = 150


@dataclass
class Measured:
    """Everything that came of a data set, by method, and what was said to foreign questions."""

    data_set: DataSet
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    foreign: list[Foreign] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The data set and what is stored of it."""
        collections = self.data_set.collections
        count = sum(len(collection.memories) for collection in collections)
        each = f", one per {self.data_set.granularity}" if collections[0].speakers else ""
        return f"{self.data_set.name}: {count} memories{each}"

    def as_json(self) -> dict[str, Any]:
        collections = self.data_set.collections
        return {
            "data_set": self.data_set.name,
            "granularity": str(self.data_set.granularity),
            "stores": {c.name: len(c.memories) for c in collections},
            "methods": {
                method: {
                    **summary(outcomes),
                    "kinds": by_kind(outcomes),
                    "outcomes": [outcome.as_json() for outcome in outcomes],
                }
                for method, outcomes in self.outcomes.items()
            },
            "abstention": self.abstention(),
            "foreign": [asked.as_json() for asked in self.foreign],
        }

    def abstention(self) -> dict[str, Any] | None:
        """What `abstention` says of the default method; nothing if that was not asked."""
        own = self.outcomes.get(DEFAULT)
        return abstention(own, self.foreign) if own else None


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of a method over all questions."""
    hits = [outcome.hits for outcome in outcomes]
    seconds = [o.reply.seconds for o in outcomes if o.reply.seconds is not None]
    return {
        "questions": len(outcomes),
        **{f"recall@{k}": recall_at(hits, k) for k in _DEPTHS},
        "mrr": mrr(hits),
        f"all@{DEPTH}": all_at(hits, DEPTH),
        "p50_ms": round(percentile(seconds, 0.50) * MS, 3) if seconds else None,
        "p95_ms": round(percentile(seconds, 0.95) * MS, 3) if seconds else None,
    }


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """The figures of a method for each kind of question, the most frequent kind first."""
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        kinds.setdefault(outcome.question.kind, []).append(outcome)
    return {
        kind: {
            "questions": len(members),
            **{f"recall@{k}": recall_at([o.hits for o in members], k) for k in _KIND_DEPTHS},
        }
        for kind, members in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def print_report(headline: str, measured: Sequence[Measured], notes: Iterable[str]) -> None:
    """Print every table."""
    # A pipe has no width of its own; rich would take 80.
    console = Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    console.print(headline, markup=False, highlight=False)
    for item in measured:
        console.print()
        console.print(_methods(item))
        if item.outcomes:
            console.print(_kinds(item))
    told = [(item, found) for item in measured if (found := item.abstention())]
    if any(found["forms"] for _, found in told):
        console.print()
        console.print(_forms(told))
    if told:
        console.print()
        console.print(_reliability(told))
    for note in notes:
        console.print(f"Note: {note}", markup=False, highlight=False)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=escape(title), title_justify="left")
    table.add_column(headings[0])
    for heading in headings[1:]:
        table.add_column(escape(heading), justify="right")
    return table


def _methods(item: Measured) -> Table:
    depths = [f"R@{k}" for k in _DEPTHS]
    timings = ("p50 ms", "p95 ms")
    table = _table(item.title, "method", *depths, "MRR", f"all@{DEPTH}", *timings, "questions")
    for method, outcomes in item.outcomes.items():
        figures = summary(outcomes)
        shares = [figures[f"recall@{k}"] for k in _DEPTHS]
        table.add_row(
            method,
            *(_percent(share) for share in shares),
            f"{figures['mrr']:.3f}",
            _percent(figures[f"all@{DEPTH}"]),
            _number(figures["p50_ms"]),
            _number(figures["p95_ms"]),
            str(figures["questions"]),
        )
    return table


def _kinds(item: Measured) -> Table:
    columns = [by_kind(outcomes) for outcomes in item.outcomes.values()]
    table = _table(f"{item.title}: R@1 / R@5", "kind", "questions", *item.outcomes)
    for kind, figures in columns[0].items():
        table.add_row(
            escape(kind),
            str(figures["questions"]),
            *(
                " / ".join(_percent(column[kind][f"recall@{k}"]) for k in _KIND_DEPTHS)
                for column in columns
            ),
        )
    return table


def _forms(told: Sequence[tuple[Measured, Mapping[str, Any]]]) -> Table:
    table = _table(
        "Answerable against foreign questions, by the first item of the default method",
        "data set",
        "foreign",
        "by",
        "answerable",
        "unanswerable",
        "AUC",
        f"kept at {FALSE_RATE:.0%} false",
        "threshold",
        "false",
        "kept",
    )
    for item, found in told:
        name = f"{item.data_set.name}, {item.data_set.granularity}"
        for form in found["forms"]:
            table.add_row(
                escape(name),
                form["form"],
                found["measure"],
                str(form["answerable"]),
                str(form["unanswerable"]),
                f"{form['auc']:.3f}",
                _percent(form["kept"]),
                _number(found["threshold"], 3),
                _percent(form.get("false_injections")),
                _percent(form.get("kept_at_threshold")),
            )
    return table


def _reliability(told: Sequence[tuple[Measured, Mapping[str, Any]]]) -> Table:
    bins = told[0][1]["reliability"]
    table = _table(
        "How often the first item of the default method is right, by what is said of it",
        "data set",
        "by",
        "",
        *(f"{bin['low']:.1f}-{bin['high']:.1f}" for bin in bins),
    )
    for item, found in told:
        bins = found["reliability"]
        names = (escape(f"{item.data_set.name}, {item.data_set.granularity}"), found["measure"])
        table.add_row(*names, "questions", *(str(bin["count"]) for bin in bins))
        table.add_row("", "", "mean", *(_number(bin["mean"], 3) for bin in bins))
        table.add_row("", "", "right", *(_percent(bin["right"]) for bin in bins), end_section=True)
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def notes_on(measured: Sequence[Measured]) -> list[str]:
    """What a reader of the figures must know."""
    notes = []
    for item in measured:
        found = item.abstention()
        if found and found["measure"] == FALLBACK:
            notes.append(f"{item.title}: items have no relevance, so their score was taken")
        stored = {m["key"] for c in item.data_set.collections for m in c.memories}
        lost = [
            question
            for collection in item.data_set.collections
            for question in collection.questions
            if not question.keys <= stored
        ]
        if lost:
            notes.append(f"{item.title}: {len(lost)} questions name evidence that is not stored")
    return notes
