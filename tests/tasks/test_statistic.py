"""Weighted figures against scikit-learn and against really repeating the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_auc_score

from unrolled.tasks.statistic import Additive, Opaque, Ranking, among, mean, ratio

scores = hnp.arrays(np.float64, 12, elements=st.sampled_from([-2.0, -1.0, 0.0, 0.5, 0.5000001, 3.0]))
labels = hnp.arrays(np.bool_, 12).filter(lambda y: bool(y.any() and not y.all()))
groups = hnp.arrays(np.int64, 12, elements=st.integers(0, 4))
weights = hnp.arrays(np.int64, (3, 5), elements=st.integers(0, 3))

ORACLES = {"average_precision": average_precision_score, "roc_auc": roc_auc_score}


@pytest.mark.parametrize("kind", ORACLES)
@given(scores, labels)
def test_a_ranking_is_scikit_learns_ties_included(kind: Any, score: Any, positive: Any) -> None:
    assert Ranking(kind, "higher", score, positive).value == pytest.approx(ORACLES[kind](positive, score))


@pytest.mark.parametrize("kind", ORACLES)
@given(scores, labels, groups, weights)
def test_a_weighted_ranking_is_that_of_repeated_samples(
    kind: Any, score: Any, positive: Any, member: Any, weight: Any
) -> None:
    drawn = Ranking(kind, "higher", score, positive).draws(weight.astype(float), member)
    for row, value in zip(weight, drawn, strict=True):
        repeated = np.repeat(np.arange(12), row[member])
        if positive[repeated].any() and not positive[repeated].all():
            assert value == pytest.approx(ORACLES[kind](positive[repeated], score[repeated]))


def test_rankings_are_drawn_in_chunks_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    score, positive, member = rng.normal(size=50), rng.random(50) < 0.3, rng.integers(0, 10, 50)
    ranking = Ranking("roc_auc", "higher", score, positive)
    weight = rng.integers(1, 3, (7, 10)).astype(float)
    whole = ranking.draws(weight, member)
    monkeypatch.setattr("unrolled.tasks.statistic._CHUNK", 100)
    np.testing.assert_array_equal(ranking.draws(weight, member), whole)


@given(hnp.arrays(np.float64, (12, 2), elements=st.floats(-9, 9)), groups, weights)
def test_sums_count_a_group_as_often_as_it_is_drawn(amounts: Any, member: Any, weight: Any) -> None:
    cells = np.arange(12) % 3
    statistic = Additive("s", "lower", amounts, lambda sums: sums[:, 1, 0] - 2 * sums[:, 2, 1], cells, 3)
    for row, value in zip(weight, statistic.draws(weight.astype(float), member), strict=True):
        repeated = np.repeat(np.arange(12), row[member])
        at = [repeated[cells[repeated] == cell] for cell in range(3)]
        assert value == pytest.approx(amounts[at[1], 0].sum() - 2 * amounts[at[2], 1].sum())


def test_a_mean_leaves_out_what_is_missing() -> None:
    amounts = np.array([[1.0, np.nan], [np.nan, np.nan], [4.0, 7.0]])
    statistic = mean("m", amounts)
    assert statistic.value == 4
    np.testing.assert_array_equal(statistic.draws(np.array([[2.0, 9.0, 1.0]]), np.arange(3)), [13 / 4])
    assert np.isnan(mean("m", amounts[1:2]).value)
    assert ratio(np.ones((2, 1, 2))).tolist() == [1, 1]


def test_a_users_metric_has_a_value_and_no_interval() -> None:
    statistic = Opaque("mine", "higher", 0.7)
    assert statistic.value == 0.7
    assert np.isnan(statistic.draws(np.ones((4, 2)), np.zeros(5, np.int64))).all()


@pytest.mark.parametrize("kind", ["mean", "roc_auc"])
def test_a_figure_among_samples_is_drawn_with_all_of_them(kind: str) -> None:
    random = np.random.default_rng(0)
    amounts, positive, known = random.normal(size=60), random.random(60) < 0.5, random.random(60) < 0.6
    weights, member = random.integers(0, 3, (20, 12)).astype(float), np.arange(60) // 5

    def figure(rows: Any) -> Any:
        if kind == "mean":
            return mean("mean", amounts[rows])
        return Ranking("roc_auc", "higher", amounts[rows], positive[rows])

    (some,) = among(known, [figure(known)])
    assert some.value == figure(known).value and some.better == figure(known).better
    np.testing.assert_array_equal(some.draws(weights, member), figure(known).draws(weights, member[known]))
    assert among(np.ones(60, dtype=bool), [some]) == (some,)
