"""Fits what features weigh in the order of a recall, and how a place becomes a relevance.

Reads labelled data of either shape that `scripts/eval` takes, asks every question of a store of its
own, and fits two models on the features of the candidates: a conditional logit that orders them and
a logistic regression that tells how likely each of the first is to answer. Stores are kept under
the system's temporary folder, so that fitting again takes seconds.

`--leave-one-out DIR` also writes DIR/ID.json for every conversation, fitted without it: the figures
that `scripts/eval --ranking-dir DIR` reports never come from questions that were fitted on. There
the relevance is fitted without the next conversation either, whose questions it is tried on.
"""

import argparse
import asyncio
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from evaluation import datasets, fitting
from evaluation.abstention import foreign
from evaluation.datasets import Collection, DataSet, Granularity
from evaluation.fitting import Group
from evaluation.metrics import auc, kept_at
from evaluation.small import small_stores

from mimir_py.app import App, open_app
from mimir_py.config import calm_numeric_threads, load
from mimir_py.embedding.onnx import MODEL_NAME
from mimir_py.entities.models import Draft, Identity
from mimir_py.recall import RANKING_FILE, Query
from mimir_py.recall.ranking import SETS
from mimir_py.storage import terms

SET_OF: Final = {
    Granularity.MEMORY: "notes",
    Granularity.SESSION: "documents",
    Granularity.TURN: "topics",
}


@dataclass(frozen=True)
class Sample:
    """The questions of one collection, and those that its store cannot answer."""

    name: str
    granularity: Granularity
    own: tuple[Group, ...]
    foreign: dict[str, list[Group]]
    asked_from: str


async def main() -> None:
    options = _options()
    calm_numeric_threads()
    samples: list[Sample] = []
    notes: list[Collection] = []
    for path in options.data:
        for data_set in datasets.read(path, (Granularity.TURN, Granularity.SESSION)):
            samples += await _samples(data_set, options.stores)
            if data_set.granularity is Granularity.MEMORY:
                notes += data_set.collections
    few = [g for store in small_stores(notes) for g in await _asked(store, options.stores)]
    conversations = list(dict.fromkeys(s.name for s in samples if s.foreign))
    if options.report or options.leave_one_out:
        _leave_one_out(samples, few, conversations, options.leave_one_out)
    if options.output:
        fitting.write(options.output, *_fit(samples, samples, few), _about(samples))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+", help="labelled data sets")
    parser.add_argument("--output", type=Path, help=f"constants fitted on all, as {RANKING_FILE}")
    parser.add_argument("--leave-one-out", type=Path, metavar="DIR")
    parser.add_argument("--report", action="store_true", help="print what is held out finds")
    parser.add_argument(
        "--stores", type=Path, default=Path(tempfile.gettempdir()) / "mimir-fit-stores"
    )
    return parser.parse_args()


async def _samples(data_set: DataSet, stores: Path) -> list[Sample]:
    found = []
    collections = data_set.collections
    for number, collection in enumerate(collections):
        following = collections[(number + 1) % len(collections)]
        print(f"{data_set.name}, {data_set.granularity.value}s, {collection.name}", flush=True)
        async with _Store(collection, data_set.granularity, stores) as app:
            own = [await _group(app, q.text, q.keys) for q in collection.questions]
            strange: dict[str, list[Group]] = {}
            if following is not collection and data_set.granularity is Granularity.TURN:
                for form, _, text in foreign(collection, following):
                    group = await _group(app, text, frozenset())
                    strange.setdefault(form, []).append(group)
        found.append(
            Sample(
                collection.name,
                data_set.granularity,
                tuple(own),
                strange,
                following.name,
            )
        )
    return found


class _Store:
    """A collection's store, made on the first run."""

    def __init__(self, collection: Collection, granularity: Granularity, folder: Path) -> None:
        self._collection = collection
        content = json.dumps([MODEL_NAME, *collection.memories])
        terms_rules = Path(terms.__file__).read_text(encoding="utf-8")
        name = hashlib.sha256((content + terms_rules).encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{granularity.value}-{name}.db"

    async def __aenter__(self) -> App:
        is_new = not self._path.exists()
        self._opened = open_app(load({}, {"db_path": self._path}), self._path.parent)
        app = await self._opened.__aenter__()
        if is_new:
            for memory in self._collection.memories:
                await app.memories.remember(_draft(memory))
            while await app.upkeep.embed_pending(64):
                pass
        return app

    async def __aexit__(self, *fault: object) -> None:
        await self._opened.__aexit__(None, None, None)


def _draft(memory: dict[str, object]) -> Draft:
    return Draft(
        Identity(str(memory["category"]), str(memory["key"]), ""),
        str(memory["body_json"]),
        tags=tuple(memory.get("tags") or ()),  # type: ignore[arg-type]
        topic_path=str(memory.get("topic_path") or ""),
        valid_from_unix_ms=memory.get("valid_from_unix_ms"),  # type: ignore[arg-type]
    )


async def _group(app: App, text: str, keys: frozenset[str]) -> Group:
    found, features = await app.recall.measure(Query(text))
    return Group(features, np.array([key in keys for key in found], dtype=bool), bool(keys))


async def _asked(store: Collection, stores: Path) -> list[Group]:
    """What a small store finds for its questions, those it cannot answer among them."""
    print(store.name, flush=True)
    async with _Store(store, Granularity.MEMORY, stores) as app:
        groups = [await _group(app, q.text, q.keys) for q in store.questions]
    return [group for group in groups if len(group.answers)]


def _fit(
    ordering: Sequence[Sample], judging: Sequence[Sample], few: Sequence[Group]
) -> tuple[np.ndarray | None, ...]:
    weights = np.stack(
        [
            fitting.conditional_logit(
                [g for s in ordering if SET_OF[s.granularity] == name for g in s.own],
                with_context=name == SET_OF[Granularity.TURN],
            )
            for name in SETS
        ]
    )
    judged = [g for s in judging for g in s.own]
    judged += [g for s in judging for groups in s.foreign.values() for g in groups]
    return (
        weights,
        fitting.certainty(judged, weights, words_only=False),
        fitting.certainty(judged, weights, words_only=True),
        fitting.certainty(few, weights, words_only=False) if few else None,
    )


def _leave_one_out(
    samples: Sequence[Sample], few: Sequence[Group], names: Sequence[str], folder: Path | None
) -> None:
    ranks: dict[Granularity, list[int]] = {}
    answerable: list[float] = []
    foreign_to: dict[str, list[float]] = {}
    for name in names:
        others = [s for s in samples if s.name != name]
        [asked_from] = {s.asked_from for s in samples if s.name == name}
        judging = [s for s in others if s.name != asked_from and s.asked_from != name]
        constants = _fit(others, judging, few)
        for held_out in (s for s in samples if s.name == name):
            found = ranks.setdefault(held_out.granularity, [])
            found += [fitting.rank(g, constants[0]) for g in held_out.own]
            if held_out.foreign:
                answerable += [fitting.best_relevance(g, *constants) for g in held_out.own]
            for form, groups in held_out.foreign.items():
                values = [fitting.best_relevance(g, *constants) for g in groups]
                foreign_to.setdefault(form, []).extend(values)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            fitting.write(folder / f"{name}.json", *constants, _about(others))
    for granularity, found in ranks.items():
        shares = ", ".join(f"R@{k} {np.mean(np.array(found) <= k):.3f}" for k in (1, 3, 5, 10))
        print(f"held out, {granularity.value}s: {shares} ({len(found)} questions)")
    for form, values in foreign_to.items():
        print(
            f"held out, told from {form} questions: AUC {auc(answerable, values):.3f}, "
            f"kept at 10 % false {kept_at(answerable, values, 0.1):.2f}"
        )


def _about(samples: Sequence[Sample]) -> list[str]:
    return sorted({f"{s.name}, {SET_OF[s.granularity]}" for s in samples})


if __name__ == "__main__":
    asyncio.run(main())
