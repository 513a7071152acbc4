"""Simple methods against hand computation and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score

from unrolled.evaluate import Contest, Part, baselines
from unrolled.evaluate.baselines import linear, logistic, majority, mean, persistence, prior, seasonal_naive
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series
from unrolled.tasks import Classify, Failure, Forecast, Regress, make_task


def test_persistence_repeats_the_last_known_value(make_part: Any) -> None:
    part = make_part([[1.0, 2, 3, np.nan, 5, 6]], window=3, horizon=1)
    answer = persistence(Contest(Forecast(), part, None, ("y0",)))
    assert answer.value[:, 0, 0].tolist() == [3, 3, 5]
    blind = make_part([[np.nan, np.nan, 3.0, 4]], window=2, horizon=1)
    assert np.isnan(persistence(Contest(Forecast(), blind, None, ("y0",))).value[0]).all()


def test_the_seasonal_naive_forecast_repeats_the_last_season(make_part: Any) -> None:
    wave = np.tile([1.0, 2, 3, 4], 5)
    part = make_part([wave], window=3, horizon=6, first=8)
    answer = seasonal_naive(Contest(Forecast(), part, None, ("y0",), season=4))
    assert answer is not None
    np.testing.assert_array_equal(answer.value, part.truth)
    assert seasonal_naive(Contest(Forecast(), part, None, ("y0",), season=1)) is None


def test_a_season_before_the_beginning_falls_back_to_the_last_value(make_part: Any) -> None:
    part = make_part([[9.0, 8, 7, 6, 5]], window=2, horizon=3)  # one window, of 9 and 8
    answer = seasonal_naive(Contest(Forecast(), part, None, ("y0",), season=3))
    assert answer is not None
    assert answer.value[0, :, 0].tolist() == [8, 9, 8]


def test_the_linear_forecast_is_scikit_learns_ridge_around_the_last_value(make_part: Any) -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(300, 2)), axis=0)
    train, test = make_part([walk], window=8, horizon=3, stop=200), make_part([walk], window=8, horizon=3, first=200)
    answer = linear(Contest(Forecast(), test, train, ("a", "b")))
    assert answer is not None
    for m in range(2):
        shifted = []
        for part in (train, test):
            x = np.stack(
                [part.series.values[b:e, m] for b, e in zip(part.samples.begin, part.samples.end, strict=True)]
            )
            shifted.append((x.astype(float) - x[:, -1:], x[:, -1:]))
        (x, last), (fresh, base) = shifted
        alpha = 1e-3 * (x**2).sum() / 8
        ridge = Ridge(alpha=alpha).fit(x, train.truth[..., m] - last)
        # scikit-learn centres the inputs, ours leaves the constant free: the same where it is not penalised
        np.testing.assert_allclose(answer.value[..., m], ridge.predict(fresh) + base, rtol=1e-4, atol=1e-4)


def test_the_linear_forecast_learns_a_linear_rule_whatever_the_size_of_a_series(make_part: Any) -> None:
    t = np.arange(60.0)
    waves = [10.0**k * (np.sin(t / 3 + k) + 5) for k in range(4)]
    train, test = make_part(waves, window=6, horizon=4, stop=45), make_part(waves, window=6, horizon=4, first=45)
    answer = linear(Contest(Forecast(), test, train, ("y0",)))
    assert answer is not None
    size = 10.0 ** test.samples.series[:, None, None]
    assert np.abs((answer.value - test.truth) / size).max() < 0.1
    assert linear(Contest(Forecast(), test, None, ("y0",))) is None


def test_gaps_do_not_reach_the_linear_forecast(make_part: Any) -> None:
    line = np.arange(50.0)
    line[[7, 20, 47]] = np.nan
    train, test = make_part([line], window=4, horizon=1, stop=40), make_part([line], window=4, horizon=1, first=44)
    answer = linear(Contest(Forecast(), test, train, ("y0",)))
    assert answer is not None and np.isfinite(answer.value).all()


def labelled(codes: Any, columns: tuple[Column, ...] = (), values: Any = None) -> Part:
    """One row, one sample a code."""
    n = len(codes)
    rows = np.zeros((n, len(columns)), np.float32) if values is None else np.asarray(values, np.float32)
    one = np.arange(n)
    series = Series(rows, np.empty((n, 0), np.float32), np.arange(n + 1), tuple(map(str, one)), columns)
    return Part(series, Samples(one, one + 1, one), np.asarray(codes, np.float64).reshape(n, -1))


def test_the_majority_class_is_scikit_learns_dummy() -> None:
    learnt = np.array([2, 0, 1, 2, 2, np.nan, 1])
    known = learnt[np.isfinite(learnt)]
    contest = Contest(Classify(), labelled(np.zeros(3)), labelled(learnt), ("x",), (("a", "b", "c"),))
    answer = majority(contest)
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((6, 1)), known)
    assert answer.probability is not None
    np.testing.assert_allclose(answer.probability[:, 0], dummy.predict_proba(np.zeros((3, 1))))
    np.testing.assert_array_equal(answer.value[:, 0], dummy.predict(np.zeros((3, 1))))


def test_the_mean_is_that_of_the_capped_training_part() -> None:
    contest = Contest(make_task("regress", {"cap": 10}), labelled(np.zeros(2)), labelled([4.0, 10, 99, np.nan]), ("x",))
    assert mean(contest).value.tolist() == [[8], [8]]
    assert mean(Contest(Regress(), labelled([1.0, 3]), None, ("x",))).value.tolist() == [[2], [2]]


def test_the_prior_and_the_logistic_regression_of_failures() -> None:
    rng = np.random.default_rng(1)
    columns = (Column(name="u"), Column(name="state", kind="category"), Column(name="empty"))
    values = rng.normal(size=(600, 3))
    values[:, 2] = np.nan
    values[5, 0] = np.nan
    label = (np.nan_to_num(values[:, 0]) + 0.5 * rng.normal(size=600) > 1).astype(float)
    train, test = labelled(label[:400], columns, values[:400]), labelled(label[400:], columns, values[400:])
    contest = Contest(Failure(), test, train, ("x",))
    share = prior(contest)
    assert share.probability is not None and not share.value.any()
    np.testing.assert_allclose(share.probability[:, 0, 1], label[:400].mean())
    answer = logistic(contest)
    assert answer is not None and answer.probability is not None
    assert average_precision_score(label[400:], answer.probability[:, 0, 1]) > 0.7
    assert 0 < answer.value.mean() < 0.5
    assert logistic(Contest(Failure(), test, labelled(np.zeros(9), columns, values[:9]), ("x",))) is None
    assert logistic(Contest(Failure(), test, None, ("x",))) is None


@pytest.mark.parametrize("task, names", [(Forecast(), ["persistence", "seasonal_naive", "linear"])])
def test_a_task_gets_the_baselines_it_names(make_part: Any, task: Any, names: list[str]) -> None:
    part = make_part([np.sin(np.arange(80.0))], horizon=1)
    assert list(baselines(Contest(task, part, part, ("y0",), season=6))) == names
