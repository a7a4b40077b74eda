"""The figures of `scripts/eval` are what they say, compared with their plain definitions."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.benchmarks.measure import percentile
from scripts.evaluation.metrics import (
    Bin,
    Hits,
    all_at,
    auc,
    bound_at,
    kept_at,
    mrr,
    recall_at,
    reliability,
    share_from,
)

_DEPTH = 10
# Few different values, so that ties are common.
_VALUES = st.lists(
    st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]) | st.floats(0, 1), min_size=1, max_size=30
)
_RATES = st.sampled_from([0.0, 0.1, 0.25, 0.29, 0.5, 1.0])


@st.composite
def _hits(draw):
    ranks = draw(st.sets(st.integers(1, _DEPTH), max_size=4))
    missed = draw(st.integers(0 if ranks else 1, 3))
    return Hits(tuple(sorted(ranks)), len(ranks) + missed)


_QUESTIONS = st.lists(_hits(), min_size=1, max_size=20)


def test_any_evidence_counts_for_recall_and_every_one_for_all() -> None:
    questions = [Hits((2, 7), 2), Hits((), 1), Hits((1,), 4), Hits((4, 5), 2)]

    assert [recall_at(questions, k) for k in (1, 2, 4, 10)] == [0.25, 0.5, 0.75, 0.75]
    assert all_at(questions, 5) == (0.5 + 0 + 0.25 + 1) / 4
    assert mrr(questions) == (1 / 2 + 0 + 1 + 1 / 4) / 4


@given(questions=_QUESTIONS, data=st.data())
def test_the_order_of_questions_and_of_ranks_is_nothing(questions, data) -> None:
    shuffled = [
        Hits(tuple(data.draw(st.permutations(hits.ranks))), hits.evidence)
        for hits in data.draw(st.permutations(questions))
    ]

    for k in range(1, _DEPTH + 1):
        assert recall_at(shuffled, k) == recall_at(questions, k)
        assert all_at(shuffled, k) == all_at(questions, k)
    assert mrr(shuffled) == mrr(questions)


@given(questions=_QUESTIONS)
def test_recall_grows_with_depth_and_bounds_the_rest(questions) -> None:
    recalls = [recall_at(questions, k) for k in range(1, _DEPTH + 1)]
    shares = [all_at(questions, k) for k in range(1, _DEPTH + 1)]

    assert recalls == sorted(recalls)
    assert shares == sorted(shares)
    assert all(0 <= share <= recall <= 1 for share, recall in zip(shares, recalls, strict=True))
    assert recalls[0] - 1e-12 <= mrr(questions) <= recalls[-1] + 1e-12


@given(questions=st.lists(st.integers(1, _DEPTH) | st.none(), min_size=1, max_size=20))
def test_with_one_piece_of_evidence_all_is_recall(questions) -> None:
    hits = [Hits(() if rank is None else (rank,), 1) for rank in questions]

    assert all_at(hits, 5) == pytest.approx(recall_at(hits, 5))


@given(positives=_VALUES, negatives=_VALUES)
def test_auc_is_the_share_of_pairs_in_order_and_half_of_the_ties(positives, negatives) -> None:
    pairs = list(product(positives, negatives))
    in_order = sum(positive > negative for positive, negative in pairs)
    ties = sum(positive == negative for positive, negative in pairs)

    assert auc(positives, negatives) == pytest.approx((in_order + ties / 2) / len(pairs))


@given(positives=_VALUES, negatives=_VALUES, data=st.data())
def test_auc_is_bounded_symmetric_and_blind_to_order(positives, negatives, data) -> None:
    area = auc(positives, negatives)

    assert 0 <= area <= 1
    assert auc(negatives, positives) == pytest.approx(1 - area)
    assert auc(data.draw(st.permutations(positives)), negatives) == area
    assert auc(positives, data.draw(st.permutations(negatives))) == area


@given(values=_VALUES)
def test_auc_of_values_against_themselves_is_a_half(values) -> None:
    assert auc(values, values) == 0.5


def test_auc_of_parted_values_is_whole_or_nothing() -> None:
    assert auc([0.8, 0.9], [0.1, 0.2, 0.3]) == 1
    assert auc([0.1], [0.5, 0.9]) == 0


@given(positives=_VALUES, negatives=_VALUES, rate=_RATES)
def test_kept_is_the_most_any_allowed_threshold_keeps(positives, negatives, rate) -> None:
    thresholds = [*positives, *negatives, math.inf]
    allowed = [
        threshold for threshold in thresholds if share_from(negatives, threshold) <= rate + 1e-9
    ]

    assert kept_at(positives, negatives, rate) == max(
        share_from(positives, threshold) for threshold in allowed
    )


@given(negatives=_VALUES, rate=_RATES)
def test_no_more_than_the_rate_is_over_the_bound(negatives, rate) -> None:
    bound = bound_at(negatives, rate)

    assert sum(value > bound for value in negatives) <= rate * len(negatives) + 1e-9


def test_a_rate_that_is_a_whole_number_of_negatives_is_used_up() -> None:
    negatives = [place / 100 for place in range(100)]

    assert bound_at(negatives, 0.29) == 0.70
    assert bound_at([0.5, 0.5], 0.5) == 0.5
    assert bound_at([0.5], 1.0) == -math.inf


@given(answers=st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_every_answer_is_in_one_bin(answers) -> None:
    bins = reliability(answers)

    assert len(bins) == 10
    assert sum(bin.count for bin in bins) == len(answers)
    assert sum(round((bin.right or 0) * bin.count) for bin in bins) == sum(r for _, r in answers)
    assert [bin.low for bin in bins[1:]] == [bin.high for bin in bins[:-1]]
    for bin in bins:
        assert (bin.mean is None) == (bin.right is None) == (bin.count == 0)
        assert bin.mean is None or bin.low - 1e-9 <= bin.mean <= bin.high + 1e-9


def test_a_bin_begins_with_its_lower_edge_and_the_last_holds_one() -> None:
    bins = reliability([(0.0, False), (0.5, True), (0.75, False), (1.0, True)], bins=2)

    assert bins == [Bin(0.0, 0.5, 1, 0.0, 0.0), Bin(0.5, 1.0, 3, 0.75, 2 / 3)]


@given(samples=_VALUES, share=st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_the_first_sample_that_enough_do_not_exceed(samples, share) -> None:
    value = percentile(samples, share)

    assert value in samples
    assert sum(sample <= value for sample in samples) >= share * len(samples) - 1e-9
    assert sum(sample < value for sample in samples) < share * len(samples) + 1e-9
