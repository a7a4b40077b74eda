"""The fitted part of the order: what features weigh, and how a place becomes a relevance.

raw score  s = Σ weight * feature: a conditional logit over the candidates of one query (McFadden
1974), so differences of s are log-odds that one memory answers rather than another. There are three
sets of weights: for notes that stand alone, for long documents, and for turns of a talk or steps of
a task, which stand among others of their topic. A query uses the mean of the sets by the shares of
the three among its candidates.
relevance  1 / (1 + exp(-(b + Σ c * g))), g being s below the best of the query and the best
memory's own absolute features: a logistic regression on judged pairs, so of all memories shown with
relevance .3, about three in ten answer. It falls with s within a query.

Where few memories can answer, as in a new store, the lead of the first over them says little: what
is computed from fewer than `MANY` short candidates has weights of its own, fitted on small stores.

The constants are in `constants.json`, written by `scripts/fit_ranking`.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mimir_py.errors import ConfigError
from mimir_py.recall import features
from mimir_py.recall.occurrences import Floats

# Of the best memory of a query, absolute: comparable between queries.
EVIDENCE: Final = (
    "cosine",
    "distinct_coverage",
    "coverage",
    "distinct_share",
    "rarest",
    "exact",
    "pairs",
    "label",
)
LEAD: Final = "lead"
BEHIND: Final = "behind"
BIAS: Final = "bias"
CERTAINTY: Final = (BIAS, BEHIND, LEAD, *EVIDENCE)
SETS: Final = ("notes", "documents", "topics")
_IN_TOPIC: Final = features.NAMES.index("in_topic")
_IS_LONG: Final = features.NAMES.index("is_long")
_PLACES: Final = tuple(features.NAMES.index(name) for name in EVIDENCE)
# An arm of a store that is not small finds as many as it may.
MANY: Final = 64
_FEW: Final = 48
_FAR_BEHIND: Final = 12.0
_LEAD_OVER: Final = 10
_USUAL_LEAD: Final = 3.0


@dataclass(frozen=True)
class Constants:
    """Weights of `features.NAMES` for each of `SETS`; of `CERTAINTY`, also for keywords alone.

    Those for few candidates may be missing: then they are the usual ones.
    """

    weights: Floats
    certainty: Floats
    certainty_of_words: Floats
    certainty_of_few: Floats | None = None

    def weights_for(self, measured: Floats) -> Floats:
        """What features weigh among these candidates."""
        in_topic = measured[:, _IN_TOPIC].mean()
        long = measured[:, _IS_LONG].mean()
        weights: Floats = self.weights.T @ shares(in_topic, long)
        return weights

    def relevance(
        self, measured: Floats, scores: Sequence[float], *, words_only: bool = False
    ) -> Floats:
        """The chance that each candidate answers, 0..1."""
        weights = self.certainty_of_words if words_only else self._certainty_for(measured)
        chances: Floats = 1 / (
            1 + np.exp(-(certainty_inputs(measured, np.asarray(scores)) @ weights))
        )
        return chances

    def _certainty_for(self, measured: Floats) -> Floats:
        if self.certainty_of_few is None:
            return self.certainty
        # Long documents were not fitted on.
        share = fewness(len(measured)) * (1 - float(measured[:, _IS_LONG].mean()))
        weights: Floats = self.certainty + share * (self.certainty_of_few - self.certainty)
        return weights


def fewness(candidates: int) -> float:
    """How far so many candidates are few, 0..1."""
    return min(1.0, max(0.0, (MANY - candidates) / (MANY - _FEW)))


def shares(in_topic: float, long: float) -> Floats:
    """How far candidates are of each of `SETS`."""
    return np.array([(1 - in_topic) * (1 - long), (1 - in_topic) * long, in_topic])


def certainty_inputs(measured: Floats, scores: Floats) -> Floats:
    """What relevance is computed from: one row a candidate, in the order of `CERTAINTY`."""
    best = int(np.argmax(np.round(scores, 9)))
    behind = np.minimum(_FAR_BEHIND, scores[best] - scores)
    rest = np.sort(scores)[::-1][1:_LEAD_OVER]
    lead = min(_FAR_BEHIND, scores[best] - rest.mean()) if len(rest) else _USUAL_LEAD
    # To be far ahead of one or two others says little: a small store may hold no answer at all.
    lead = _USUAL_LEAD + (lead - _USUAL_LEAD) * len(rest) / (_LEAD_OVER - 1)
    shared = np.concatenate([[lead], measured[best][list(_PLACES)]])
    return np.column_stack([np.ones(len(scores)), behind, np.tile(shared, (len(scores), 1))])


@functools.cache
def load_constants(path: Path) -> Constants:
    """The constants of a file; a feature it does not name weighs nothing.

    Raises:
        ConfigError: it cannot be read, or names a feature that does not exist.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Constants(
            np.stack([_vector(data["weights"][name], features.NAMES) for name in SETS]),
            _vector(data["certainty"], CERTAINTY),
            _vector(data["certainty_of_words"], CERTAINTY),
            _vector(data["certainty_of_few"], CERTAINTY) if "certainty_of_few" in data else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"ranking_file: {path} holds no ranking constants ({error})") from error


def _vector(given: Mapping[str, float], names: tuple[str, ...]) -> Floats:
    if not isinstance(given, dict):
        raise TypeError("an object of names and numbers is needed")
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"unknown name {unknown[0]}")
    values = np.array([float(given.get(name, 0.0)) for name in names])
    if not np.isfinite(values).all():
        raise ValueError("not every number is finite")
    return values
