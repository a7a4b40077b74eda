"""The two models that `scripts/fit_ranking` fits, on features that a recall measured."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mimir_py.recall.features import CONTEXT, KINDS, NAMES
from mimir_py.recall.ranking import CERTAINTY, EVIDENCE, SETS, Constants, certainty_inputs

Floats = NDArray[np.float64]

_RIDGE: Final = 1.0
# What is known without data: who types an identifier wants what holds it, and who names a time
# wants what is of it.
_PRIOR: Final = {"identifier": 6.0, "in_period": 8.0, "after_period": 7.0, "before_period": 6.0}
_JUDGED: Final = 5
_MEANING: Final = frozenset({"cosine"})
_DIGITS: Final = 5
# A feature that hardly ever differs says too little to be fitted on.
_NO_SPREAD: Final = 0.01
_NOT_FOUND: Final = 1_000_000
_NONE: Final = np.zeros(len(CERTAINTY))


@dataclass(frozen=True)
class Group:
    """The candidates of one question: features by row, and which of them answer it."""

    features: Floats
    answers: NDArray[np.bool_]
    answerable: bool


def rank(group: Group, weights: Floats) -> int:
    """The place of the first right answer, from 1."""
    if not group.answers.any():
        return _NOT_FOUND
    scores = raw_scores(group.features, weights)
    return 1 + int((scores > scores[group.answers].max()).sum())


def best_relevance(
    group: Group,
    weights: Floats,
    with_meaning: Floats,
    of_words: Floats,
    of_few: Floats | None,
) -> float:
    """The relevance of the first candidate."""
    constants = Constants(weights, with_meaning, of_words, of_few)
    scores = group.features @ constants.weights_for(group.features)
    return float(constants.relevance(group.features, scores).max())


def raw_scores(features: Floats, weights: Floats) -> Floats:
    """As a recall with these weights would score candidates."""
    scores: Floats = features @ Constants(weights, _NONE, _NONE).weights_for(features)
    return scores


def conditional_logit(groups: Sequence[Group], *, with_context: bool) -> Floats:
    """Weights under which the right candidates of each question are likeliest to come first.

    Maximises Σ ln(Σ_right exp(s) / Σ_all exp(s)) with a ridge on standardised features.
    """
    groups = [group for group in groups if group.answers.any()]
    rows = np.concatenate([g.features for g in groups])
    if not with_context:
        # What stands around a note that stands alone is chance.
        rows[:, [NAMES.index(name) for name in (*CONTEXT, *KINDS)]] = 0
    spread = rows.std(axis=0)
    spread[spread < _NO_SPREAD] = 1.0
    rows = rows / spread
    right = np.concatenate([g.answers for g in groups])
    sizes = [len(g.answers) for g in groups]
    starts = np.cumsum([0, *sizes[:-1]])
    segment = np.repeat(np.arange(len(groups)), sizes)

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        scores -= np.maximum.reduceat(scores, starts)[segment]
        chances = np.exp(scores)
        total = np.add.reduceat(chances, starts)
        of_right = np.add.reduceat(chances * right, starts)
        slope = chances / total[segment] - chances * right / of_right[segment]
        value = -(np.log(of_right) - np.log(total)).sum()
        off = weights - prior
        return value + _RIDGE / 2 * float(off @ off), rows.T @ slope + _RIDGE * off

    prior = np.array([_PRIOR.get(name, 0.0) for name in NAMES]) * spread
    best = minimize(loss, prior, jac=True, method="L-BFGS-B")
    weights: Floats = best.x / spread
    return weights


def certainty(groups: Sequence[Group], weights: Floats, *, words_only: bool) -> Floats:
    """Weights of `CERTAINTY`: the chance that one of the first few candidates answers."""
    inputs, labels = [], []
    if words_only:
        weights = weights * np.array(["cosine" not in n and "meaning" not in n for n in NAMES])
    for group in groups:
        if not len(group.answers):
            continue
        scores = raw_scores(group.features, weights)
        first = np.argsort(-scores, kind="stable")[:_JUDGED]
        inputs.append(certainty_inputs(group.features, scores)[first])
        labels.append(group.answers[first])
    rows, right = np.concatenate(inputs), np.concatenate(labels).astype(float)
    if words_only:
        rows[:, [CERTAINTY.index(name) for name in EVIDENCE if name in _MEANING]] = 0
    spread = rows.std(axis=0)
    spread[spread < _NO_SPREAD] = 1.0
    rows = rows / spread

    def loss(coefficients: Floats) -> tuple[float, Floats]:
        scores = rows @ coefficients
        value = np.logaddexp(0, scores).sum() - right @ scores
        slope = rows.T @ (1 / (1 + np.exp(-scores)) - right)
        return value + _RIDGE / 2 * float(
            coefficients @ coefficients
        ), slope + _RIDGE * coefficients

    best = minimize(loss, np.zeros(len(CERTAINTY)), jac=True, method="L-BFGS-B")
    coefficients: Floats = best.x / spread
    return coefficients


def write(
    path: Path,
    weights: Floats,
    with_meaning: Floats,
    of_words: Floats,
    of_few: Floats | None,
    fitted_on: Sequence[str],
) -> None:
    """A file of ranking constants."""
    constants = {
        "fitted_on": list(fitted_on),
        "weights": {name: _named(NAMES, w) for name, w in zip(SETS, weights, strict=True)},
        "certainty": _named(CERTAINTY, with_meaning),
        "certainty_of_words": _named(CERTAINTY, of_words),
    }
    if of_few is not None:
        constants["certainty_of_few"] = _named(CERTAINTY, of_few)
    path.write_text(json.dumps(constants, indent=1) + "\n", encoding="utf-8")


def _named(names: Sequence[str], values: Floats) -> dict[str, float]:
    return {name: round(float(value), _DIGITS) for name, value in zip(names, values, strict=True)}
