"""Features of candidates: properties of any pool, and values computed by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.recall import features
from mimir_py.recall.features import CONTEXT, KINDS, MEMORY, NAMES, Pool, measure, weight
from mimir_py.recall.keywords import KeywordQuery, prepare
from mimir_py.recall.runs import term_run
from mimir_py.storage.terms import analyse

_WORDS = "gate tree river lamp budget_ms C++ 数据库 yesterday two Mara: ? 2024 🚀 the".split()
_SHARES = (
    *("in_period", "after_period", "before_period"),
    *("cosine_scaled", "words_scaled", "distinct_scaled", "terms_scaled"),
    *("coverage", "distinct_coverage"),
    *("pairs", "exact", "passage", "label", "rarest", "rank_meaning", "rank_words"),
)
_FLAGS = ("identifier", "opening", "other_opening", "asks", "before_asks", "in_topic", "is_long")
_TEXTS = st.lists(st.sampled_from(_WORDS), max_size=60).map(lambda words: analyse(" ".join(words)))
_ROUNDING = 1e-9


@st.composite
def _pools(draw):
    size = draw(st.integers(1, 8))
    everyone = size + draw(st.integers(0, 4))

    def many(values):
        return draw(st.lists(values, min_size=everyone, max_size=everyone))

    places = st.integers(-1, everyone - 1)
    return Pool(
        candidates=size,
        cosines=np.array(many(st.floats(-1, 1, width=32)), dtype=np.float64),
        runs=many(st.builds(term_run, _TEXTS, _TEXTS)),
        days_off=_days_off(draw, size),
        before=np.array(many(places), dtype=np.intp),
        after=np.array(many(places), dtype=np.intp),
        topic=np.array(many(st.integers(-1, 3)), dtype=np.intp),
    )


def _days_off(draw, size):
    """None where the query names no time."""
    days = st.one_of(st.just(0.0), st.floats(-4000, 4000))
    named = draw(st.none() | st.lists(days, min_size=size, max_size=size))
    return np.array(named or [math.nan] * size)


@st.composite
def _measured(draw):
    """A query, frequencies, a number of memories and a pool."""
    text = draw(st.lists(st.sampled_from(_WORDS), max_size=6).map(" ".join))
    query = prepare(draw(st.sampled_from(["", "when ", "how many "])) + text)
    memories = draw(st.integers(0, 400))
    frequencies = draw(
        st.fixed_dictionaries(
            {}, optional={term: st.integers(1, max(1, memories)) for term in query.terms}
        )
    )
    return query, frequencies, memories, draw(_pools())


def _pool(
    bodies, *, labels=None, cosines=None, candidates=None, before=None, after=None, days_off=None
):
    count = len(bodies)
    none = np.full(count, -1, dtype=np.intp)
    texts = zip(labels or [""] * count, bodies, strict=True)
    return Pool(
        candidates=count if candidates is None else candidates,
        cosines=np.array(cosines or [0.0] * count),
        runs=[term_run(analyse(label), analyse(body)) for label, body in texts],
        days_off=np.array(days_off or [math.nan] * (candidates or count)),
        before=none if before is None else np.array(before, dtype=np.intp),
        after=none if after is None else np.array(after, dtype=np.intp),
        topic=none,
    )


def _column(measured, name):
    return measured[:, NAMES.index(name)].tolist()


def test_every_feature_has_one_name():
    assert len(set(NAMES)) == len(NAMES) == len(MEMORY) + len(CONTEXT) + len(KINDS)


@given(given_=_measured())
def test_there_is_a_row_for_every_candidate_and_a_column_for_every_feature(given_):
    measured = measure(*given_)

    assert measured.shape == (given_[-1].candidates, len(NAMES))
    assert measured.dtype == np.float64


@given(given_=_measured())
def test_every_value_is_finite(given_):
    assert np.isfinite(measure(*given_)).all()


@given(given_=_measured())
def test_shares_are_between_0_and_1(given_):
    measured = measure(*given_)

    for name in _SHARES:
        assert min(_column(measured, name)) >= -_ROUNDING, name
        assert max(_column(measured, name)) <= 1 + _ROUNDING, name
    for name in _FLAGS:
        assert set(_column(measured, name)) <= {0.0, 1.0}, name


@given(given_=_measured())
def test_context_adds_nothing_where_there_are_no_neighbours(given_):
    *rest, pool = given_
    alone = np.full(len(pool.runs), -1, dtype=np.intp)

    measured = measure(*rest, replace(pool, before=alone, after=alone, topic=alone))

    for name in (*CONTEXT, "in_topic"):
        assert _column(measured, name) == [0.0] * pool.candidates, name


@given(given_=_measured())
def test_context_changes_nothing_that_is_of_the_memory_alone(given_):
    *rest, pool = given_
    alone = np.full(len(pool.runs), -1, dtype=np.intp)

    beside = measure(*rest, pool)
    apart = measure(*rest, replace(pool, before=alone, after=alone, topic=alone))

    places = [NAMES.index(name) for name in MEMORY]
    assert beside[:, places].tolist() == apart[:, places].tolist()


@given(given_=_measured(), dice=st.randoms(use_true_random=False))
def test_another_order_of_candidates_gives_the_same_rows_in_that_order(given_, dice):
    *rest, pool = given_
    order = list(range(pool.candidates))
    dice.shuffle(order)
    order += range(pool.candidates, len(pool.runs))
    # Where the one that was at a place is now; -1 stays.
    place = np.append(np.argsort(order), -1)
    shuffled = replace(
        pool,
        cosines=pool.cosines[order],
        runs=[pool.runs[n] for n in order],
        days_off=pool.days_off[order[: pool.candidates]],
        before=place[pool.before[order]],
        after=place[pool.after[order]],
        topic=pool.topic[order],
    )

    before, after = measure(*rest, pool), measure(*rest, shuffled)

    # Equals are ranked in the order they come in; that is not what this is about.
    ranked = {"rank_meaning": "cosine", "rank_words": "distinct_share"}
    for name in NAMES:
        values = np.array(_column(before, ranked.get(name, name)))
        if name not in ranked or len(set(values.round(12))) == len(values):
            expected = np.array(_column(before, name))[order[: pool.candidates]]
            assert _column(after, name) == pytest.approx(expected.tolist(), abs=1e-9), name


@given(given_=_measured())
def test_each_candidate_has_a_rank_of_its_own_among_the_candidates(given_):
    ranks = sorted(1 / value - 5 for value in _column(measure(*given_), "rank_meaning"))

    assert ranks == pytest.approx(range(1, given_[-1].candidates + 1))


def test_an_empty_pool_has_no_rows_and_all_columns():
    assert features.no_candidates().shape == (0, len(NAMES))


@pytest.mark.parametrize(
    ("frequency", "memories", "value"),
    [
        (3, 10, math.log(1 + 7.5 / 3.5)),
        (10, 10, math.log(1 + 0.5 / 10.5)),
        (1, 1_000, math.log(1 + 999.5 / 1.5)),
        (0, 10, math.log(11)),
        # The number of memories is an estimate, and may be too small.
        (20, 10, 0.0),
        (0, 0, 0.0),
    ],
)
def test_a_term_weighs_its_inverse_document_frequency(frequency, memories, value):
    assert weight(frequency, memories) == pytest.approx(value)


@given(memories=st.integers(1, 10**6), frequency=st.integers(0, 10**6))
def test_the_rarer_term_weighs_more(memories, frequency):
    assert weight(frequency, memories) >= weight(frequency + 1, memories) >= 0


def test_bm25_has_the_value_computed_by_hand():
    # Lengths 3 and 1, so 2 on average: 2 * 2.2 / (2 + 1.2 * (.25 + .75 * 3 / 2)).
    pool = _pool(["gate gate tree", "tree"])

    measured = measure(prepare("gate"), {"gate": 3}, 10, pool)

    assert _column(measured, "words_share") == pytest.approx([4.4 / 3.65, 0.0])
    assert _column(measured, "distinct_share") == pytest.approx([4.4 / 3.65, 0.0])
    assert _column(measured, "words_scaled") == pytest.approx([1.0, 0.0])
    assert _column(measured, "length") == pytest.approx([math.log(4), math.log(2)])


def test_bm25_of_two_terms_weighs_each_by_its_rarity():
    rare, common = math.log(1 + 9.5 / 1.5), math.log(1 + 4.5 / 6.5)
    pool = _pool(["gate", "lamp"])

    measured = measure(prepare("gate lamp"), {"gate": 1, "lamp": 6}, 10, pool)

    # Both of the average length, where one occurrence counts 2.2 / (1 + 1.2).
    total = rare + common
    assert _column(measured, "words_share") == pytest.approx([rare / total, common / total])
    assert _column(measured, "coverage") == pytest.approx([rare / total, common / total])
    assert _column(measured, "words_scaled") == pytest.approx([1.0, common / rare])
    assert _column(measured, "rarest") == pytest.approx(
        [rare / math.log(11), common / math.log(11)]
    )


def test_a_term_of_the_label_counts_like_one_of_the_body():
    labelled = measure(prepare("gate"), {"gate": 1}, 10, _pool(["tree"], labels=["gate"]))
    bodied = measure(prepare("gate"), {"gate": 1}, 10, _pool(["gate"], labels=["tree"]))

    assert _column(labelled, "words_share") == _column(bodied, "words_share")
    assert (_column(labelled, "label"), _column(bodied, "label")) == ([1.0], [0.0])


def test_a_term_in_over_a_fifth_of_a_store_is_not_distinct():
    pool = _pool(["gate", "lamp"])

    common = measure(prepare("gate lamp"), {"gate": 1, "lamp": 21}, 100, pool)
    distinct = measure(prepare("gate lamp"), {"gate": 1, "lamp": 20}, 100, pool)

    assert _column(common, "distinct_coverage") == pytest.approx([1.0, 0.0])
    assert min(_column(distinct, "distinct_coverage")) > 0


@pytest.mark.parametrize(
    ("frequencies", "memories"), [({"gate": 9, "lamp": 9}, 19), ({"gate": 90, "lamp": 90}, 100)]
)
def test_all_terms_are_distinct_in_a_small_store_and_where_all_are_common(frequencies, memories):
    measured = measure(prepare("gate lamp"), frequencies, memories, _pool(["gate", "lamp"]))

    assert _column(measured, "distinct_coverage") == pytest.approx([0.5, 0.5])


def test_an_exact_form_counts_where_it_stands():
    query = prepare("budget_ms")
    frequencies = {"budget": 2, "ms": 2, "=budgetms": 1, "=budget_ms": 1}

    measured = measure(query, frequencies, 10, _pool(["the budget_ms", "budget of ms", "budgetMs"]))

    assert _column(measured, "exact") == pytest.approx([1.0, 0.0, 0.5])
    assert _column(measured, "identifier") == pytest.approx([1.0, 0.0, 0.0])


def test_a_number_is_looked_up_like_an_identifier_unless_it_tells_a_time():
    pool = _pool(["port 6432 and more", "port 50052 in 2024"], cosines=[0.1, 0.4])
    known = {"port": 2, "6432": 1, "50052": 1, "2024": 1}

    assert _column(measure(prepare("port 6432"), known, 10, pool), "identifier") == [1.0, 0.0]
    assert _column(measure(prepare("port in 2024"), known, 10, pool), "identifier") == [0.0, 0.0]


def test_neighbouring_terms_of_the_query_count_where_they_stand_together():
    pool = _pool(["gate lamp tree", "lamp gate tree", "gate of lamp tree", "gates lamp"])

    measured = measure(prepare("gate lamp tree"), {}, 10, pool)

    assert _column(measured, "pairs") == pytest.approx([1.0, 0.0, 0.5, 0.5])


def test_ranks_come_from_the_cosines_and_the_words():
    pool = _pool(["gate", "tree", "gate gate"], cosines=[0.1, 0.9, 0.5])

    measured = measure(prepare("gate"), {"gate": 2}, 10, pool)

    assert _column(measured, "rank_meaning") == pytest.approx([1 / 8, 1 / 6, 1 / 7])
    assert _column(measured, "rank_words") == pytest.approx([1 / 7, 0.0, 1 / 6])
    assert _column(measured, "cosine_scaled") == pytest.approx([0.0, 1.0, 0.5])


def test_a_name_that_opens_several_memories_and_the_query_holds_counts_as_speaker():
    bodies = ["Mara: gate", "Mara: tree", "Mara: lamp", "Jonas: gate"]

    measured = measure(prepare("what did Mara say"), {"mara": 3}, 10, _pool(bodies))

    assert _column(measured, "opening") == [1.0, 1.0, 1.0, 0.0]
    assert _column(measured, "other_opening") == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("query", "when", "unasked", "number"),
    [
        ("when was the gate", [2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ("the gate", [0.0, 0.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]),
        ("how many gates", [0.0, 0.0, 0.0], [2.0, 1.0, 0.0], [1.0, 0.0, 2.0]),
    ],
)
def test_words_of_time_and_numbers_count_by_what_is_asked(query, when, unasked, number):
    pool = _pool(["last week in May 2024", "since the gate", "two of 12 in three"])

    measured = measure(prepare(query), {}, 10, pool)

    assert _column(measured, "tells_when") == when
    assert _column(measured, "tells_time_unasked") == unasked
    assert _column(measured, "tells_number") == number


def test_the_best_passage_counts_terms_that_stand_close_together():
    far = "gate " + "filler " * 60 + "lamp"
    close = "filler " * 60 + "gate lamp"

    measured = measure(prepare("gate lamp"), {"gate": 2, "lamp": 2}, 10, _pool([far, close, "x"]))

    assert _column(measured, "passage") == pytest.approx([0.5, 1.0, 0.0])


def test_a_memory_over_150_terms_is_long():
    pool = _pool(["gate " * 150, "gate " * 151, "gate " * 149], labels=["", "", "two words"])

    assert _column(measure(prepare("gate"), {}, 10, pool), "is_long") == [0.0, 1.0, 1.0]


def test_a_memory_knows_what_stands_before_and_after_it():
    pool = _pool(
        ["Which gate is it?", "the green one", "a tree", "a lamp"],
        cosines=[0.9, 0.2, 0.1, 0.0],
        before=[-1, 0, 1, -1],
        after=[1, 2, -1, -1],
    )

    measured = measure(prepare("gate"), {"gate": 1}, 30, pool)

    # The median of the cosines is .15.
    assert _column(measured, "before_cosine") == pytest.approx([0.0, 0.75, 0.05, 0.0])
    assert _column(measured, "after_cosine") == pytest.approx([0.05, 0.0, 0.0, 0.0])
    assert _column(measured, "before_coverage") == [0.0, 1.0, 0.0, 0.0]
    assert _column(measured, "before_asks") == [0.0, 1.0, 0.0, 0.0]
    assert _column(measured, "answers") == pytest.approx([0.0, 0.75, 0.0, 0.0])
    assert _column(measured, "answers_words") == [0.0, 1.0, 0.0, 0.0]
    assert _column(measured, "window_gain") == [0.0, 1.0, 0.0, 0.0]
    assert _column(measured, "asks") == [1.0, 0.0, 0.0, 0.0]


def test_a_memory_knows_how_far_the_best_of_its_topic_is_above_it():
    pool = replace(
        _pool(["gate", "tree", "lamp", "gate gate"], cosines=[0.9, 0.2, 0.1, 0.5]),
        topic=np.array([0, 0, -1, 1]),
    )

    measured = measure(prepare("gate"), {"gate": 2}, 10, pool)

    assert _column(measured, "topic_cosine") == pytest.approx([0.0, 0.7, 0.0, 0.0])
    assert _column(measured, "topic_words")[2:] == pytest.approx([0.0, 0.0])


def test_a_topic_of_four_candidates_or_more_is_a_talk():
    pool = replace(
        _pool(["gate"] * 10, candidates=9), topic=np.array([0, 0, 0, 0, 1, 1, 1, -1, -1, 1])
    )

    assert _column(measure(prepare("gate"), {}, 10, pool), "in_topic") == [1.0] * 4 + [0.0] * 5


def test_a_query_without_terms_measures_meaning_alone():
    measured = measure(
        KeywordQuery((), (), ()), {}, 10, _pool(["gate", "tree"], cosines=[0.3, 0.1])
    )

    assert _column(measured, "cosine") == [0.3, 0.1]
    for name in ("coverage", "words_share", "exact", "pairs", "passage"):
        assert _column(measured, name) == [0.0, 0.0]
