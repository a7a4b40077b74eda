"""The fitted constants: how they are read, and what they make of features."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.errors import ConfigError
from mimir_py.recall.features import NAMES
from mimir_py.recall.order import RANKING_FILE
from mimir_py.recall.ranking import (
    BEHIND,
    BIAS,
    CERTAINTY,
    LEAD,
    SETS,
    Constants,
    certainty_inputs,
    load_constants,
    shares,
)

_UNIT = st.floats(0, 1)
_KINDS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20)
_FILE = {
    "weights": {"notes": {"cosine": 2}, "documents": {"cosine": 1.5}, "topics": {}},
    "certainty": {"bias": -1, "behind": -0.5},
    "certainty_of_words": {"bias": -2},
}
# What is wrong -> the file's text
_BAD = {
    "no file": None,
    "empty": "",
    "no json": "{",
    "not utf-8": b"\xff\xfe\xfa",
    "a list": "[]",
    "a number": "1",
    "no weights": json.dumps({**_FILE, "weights": None}),
    "a set is missing": json.dumps({**_FILE, "weights": {"notes": {}, "documents": {}}}),
    "a set is null": json.dumps({**_FILE, "weights": {**_FILE["weights"], "topics": None}}),
    "an unknown feature": json.dumps(
        {**_FILE, "weights": {**_FILE["weights"], "topics": {"charm": 1}}}
    ),
    "a weight is a word": json.dumps(
        {**_FILE, "weights": {**_FILE["weights"], "topics": {"cosine": "much"}}}
    ),
    "a weight is null": json.dumps(
        {**_FILE, "weights": {**_FILE["weights"], "topics": {"cosine": None}}}
    ),
    "no certainty": json.dumps({"weights": _FILE["weights"], "certainty_of_words": {}}),
    "an unknown certainty": json.dumps({**_FILE, "certainty": {"charm": 1}}),
    "no certainty of words": json.dumps({"weights": _FILE["weights"], "certainty": {}}),
}


@pytest.fixture(scope="module")
def constants():
    """Those that ship."""
    return load_constants(RANKING_FILE)


@pytest.fixture
def write(tmp_path):
    """Writes a file of constants; `None` leaves it out."""

    def written(content):
        path = tmp_path / "ranking.json"
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def _candidates(kinds):
    """Features of candidates, of which only (in_topic, is_long) are given."""
    measured = np.zeros((len(kinds), len(NAMES)))
    measured[:, [NAMES.index("in_topic"), NAMES.index("is_long")]] = kinds
    return measured


def _random_candidates(data, count):
    dice = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    return dice.random((count, len(NAMES)))


def test_the_constants_that_ship_are_finite_and_whole(constants):
    assert constants.weights.shape == (len(SETS), len(NAMES))
    assert constants.certainty.shape == constants.certainty_of_words.shape == (len(CERTAINTY),)
    for values in (constants.weights, constants.certainty, constants.certainty_of_words):
        assert np.isfinite(values).all()


def test_the_certainty_that_ships_falls_behind_the_best(constants):
    behind = CERTAINTY.index(BEHIND)

    assert constants.certainty[behind] < 0
    assert constants.certainty_of_words[behind] < 0


def test_what_a_file_does_not_name_weighs_nothing(write):
    read = load_constants(write(json.dumps(_FILE)))

    assert read.weights[:, NAMES.index("cosine")].tolist() == [2.0, 1.5, 0.0]
    assert np.count_nonzero(read.weights) == 2
    assert dict(zip(CERTAINTY, read.certainty.tolist(), strict=True)) == {
        **dict.fromkeys(CERTAINTY, 0.0),
        BIAS: -1.0,
        BEHIND: -0.5,
    }


@pytest.mark.parametrize("wrong", _BAD)
def test_a_bad_file_is_refused_by_the_name_of_its_setting(write, wrong):
    path = write(_BAD[wrong])

    with pytest.raises(ConfigError, match="ranking_file") as refused:
        load_constants(path)

    assert str(path) in str(refused.value)


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="ranking_file"):
        load_constants(tmp_path)


@pytest.mark.parametrize("content", [[], ["cosine"]], ids=str)
def test_a_list_of_weights_is_refused(write, content):
    data = {**_FILE, "weights": {**_FILE["weights"], "topics": content}}

    with pytest.raises(ConfigError, match="ranking_file"):
        load_constants(write(json.dumps(data)))


@pytest.mark.parametrize("weight", ["NaN", "Infinity", "1e999"])
def test_a_weight_that_is_not_finite_is_refused(write, weight):
    data = json.dumps({**_FILE, "certainty": {"bias": 0}}).replace(": 0", f": {weight}")

    with pytest.raises(ConfigError, match="ranking_file"):
        load_constants(write(data))


async def test_a_file_that_is_given_orders_the_answers(
    open_store, client_of, import_records, write
):
    short, long = "the gate", "the gate is of wood and green on the side of the garden"
    records = [
        {"category": "note", "key": key, "body_json": json.dumps({"content": content})}
        for key, content in [("short", short), ("long", long)]
    ]
    first = []
    for sign in (1, -1):
        weights = {name: {"length": sign} for name in SETS}
        path = write(json.dumps({**_FILE, "weights": weights}))
        path = path.rename(path.with_stem(f"ranking{sign}"))
        async with open_store(path.with_suffix(".db"), ranking_file=path) as app:
            await import_records(app, records)
            first.append((await client_of(app).recall("gate"))[0]["key"])

    assert first == ["long", "short"]


async def test_a_bad_file_that_is_given_is_named_to_who_asks(open_store, client_of, write):
    async with open_store(ranking_file=write("{}")) as app:
        client = client_of(app)
        await client.remember("gate", "the gate is green")

        with pytest.raises(ConfigError, match="ranking_file"):
            await client.recall("gate")


@given(in_topic=_UNIT, long=_UNIT)
def test_shares_are_parts_of_one(in_topic, long):
    parts = shares(in_topic, long)

    assert parts.sum() == pytest.approx(1)
    assert (parts >= 0).all()


@pytest.mark.parametrize(
    ("in_topic", "long", "parts"),
    [(0, 0, [1, 0, 0]), (0, 1, [0, 1, 0]), (1, 0, [0, 0, 1]), (1, 1, [0, 0, 1])],
)
def test_candidates_of_one_kind_use_its_weights_alone(constants, in_topic, long, parts):
    weights = constants.weights_for(_candidates([(in_topic, long)] * 5))

    assert shares(in_topic, long).tolist() == parts
    assert weights == pytest.approx(constants.weights[parts.index(1)])


def test_mixed_candidates_use_the_mean_by_their_shares(constants):
    # A quarter in talks; of the rest, half counts as long.
    weights = constants.weights_for(_candidates([(1, 0), (0, 1), (0, 1), (0, 0)]))

    notes, documents, topics = constants.weights
    assert weights == pytest.approx(0.375 * notes + 0.375 * documents + 0.25 * topics)


@given(kinds=_KINDS)
def test_weights_stay_within_those_of_the_sets(constants, kinds):
    weights = constants.weights_for(_candidates(kinds))

    assert (weights >= constants.weights.min(axis=0) - 1e-9).all()
    assert (weights <= constants.weights.max(axis=0) + 1e-9).all()


@given(
    scores=st.lists(st.floats(-200, 200), min_size=1, max_size=30),
    words_only=st.booleans(),
    data=st.data(),
)
def test_relevance_is_a_chance_and_falls_with_the_score(constants, scores, words_only, data):
    measured = _random_candidates(data, len(scores))

    chances = constants.relevance(measured, scores, words_only=words_only)

    assert chances.shape == (len(scores),)
    assert (chances >= 0).all()
    assert (chances <= 1).all()
    falling = chances[np.argsort(scores)[::-1]]
    assert (np.diff(falling) <= 1e-12).all()


@given(scores=st.lists(st.floats(-11, 11), min_size=2, max_size=9, unique_by=lambda s: round(s, 2)))
def test_a_lower_score_has_a_lower_relevance(constants, scores):
    scores = np.array(scores) / 2
    chances = constants.relevance(_candidates([(0, 0)] * len(scores)), scores)

    assert (np.diff(chances[np.argsort(scores)]) > 0).all()


@given(
    scores=st.lists(st.floats(-50, 50), min_size=1, max_size=30),
    shift=st.floats(-50, 50),
    data=st.data(),
)
def test_only_differences_of_scores_count(constants, scores, shift, data):
    measured = _random_candidates(data, len(scores))

    plain = constants.relevance(measured, scores)
    shifted = constants.relevance(measured, [score + shift for score in scores])

    assert shifted == pytest.approx(plain, abs=1e-6) or len({*scores}) < len(scores)


def test_relevance_has_the_value_computed_by_hand():
    certainty = np.zeros(len(CERTAINTY))
    for name, value in ((BIAS, -1), (BEHIND, -0.5), (LEAD, 0.25), ("cosine", 2)):
        certainty[CERTAINTY.index(name)] = value
    constants = Constants(np.zeros((3, len(NAMES))), certainty, np.zeros(len(CERTAINTY)))
    measured = np.zeros((3, len(NAMES)))
    measured[:, NAMES.index("cosine")] = [0.1, 0.8, 0.3]

    # The best is the second, its cosine is .8. It is 4 ahead of the mean of the others, but they
    # are two of the nine that a lead is taken over: what is missing of it counts as the usual 3.
    lead = 3 + (4 - 3) * 2 / 9
    inputs = certainty_inputs(measured, np.array([1.0, 6.0, 3.0]))
    chances = constants.relevance(measured, [1.0, 6.0, 3.0])

    assert inputs[:, CERTAINTY.index(LEAD)] == pytest.approx([lead] * 3)
    assert inputs[:, CERTAINTY.index(BEHIND)].tolist() == [5.0, 0.0, 3.0]
    exponents = -1 + 0.25 * lead + 2 * 0.8 - 0.5 * np.array([5, 0, 3])
    assert chances == pytest.approx(1 / (1 + np.exp(-exponents)))
    assert constants.relevance(measured, [1.0, 6.0, 3.0], words_only=True).tolist() == [0.5] * 3


@pytest.mark.parametrize(
    ("candidates", "long", "share"),
    [(1, 0, 1), (48, 0, 1), (56, 0, 0.5), (64, 0, 0), (128, 0, 0), (40, 1, 0), (40, 0.5, 0.5)],
)
def test_few_short_candidates_have_a_certainty_of_their_own(candidates, long, share):
    usual, few = np.zeros(len(CERTAINTY)), np.zeros(len(CERTAINTY))
    usual[CERTAINTY.index(BIAS)], few[CERTAINTY.index(BIAS)] = 1, -2
    constants = Constants(np.zeros((3, len(NAMES))), usual, usual, few)
    measured = np.zeros((candidates, len(NAMES)))
    measured[: round(candidates * long), NAMES.index("is_long")] = 1

    [chance, *_] = constants.relevance(measured, [0.0] * candidates)

    assert chance == pytest.approx(1 / (1 + np.exp(-(1 - 3 * share))))


def test_the_order_is_the_same_with_and_without_a_certainty_of_few(constants):
    # So near each other that none is too far behind to be told from the next.
    measured = np.random.default_rng(3).random((12, len(NAMES))) / 10
    scores = measured @ constants.weights_for(measured)

    chances = constants.relevance(measured, scores)
    without = replace(constants, certainty_of_few=None).relevance(measured, scores)

    assert (
        np.argsort(chances).tolist() == np.argsort(without).tolist() == np.argsort(scores).tolist()
    )
    assert chances.tolist() != without.tolist()


def test_a_memory_far_behind_or_far_ahead_counts_no_further():
    measured = np.zeros((10, len(NAMES)))

    inputs = certainty_inputs(measured, np.array([0.0] * 9 + [1_000.0]))

    assert inputs[:, CERTAINTY.index(BEHIND)].tolist() == [12.0] * 9 + [0.0]
    assert inputs[:, CERTAINTY.index(LEAD)] == pytest.approx([12.0] * 10)


def test_the_only_candidate_is_as_far_ahead_as_is_usual():
    inputs = certainty_inputs(np.zeros((1, len(NAMES))), np.array([3.0]))

    assert inputs[0, CERTAINTY.index(LEAD)] == 3.0
