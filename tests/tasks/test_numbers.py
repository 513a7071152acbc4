"""Figures of numeric predictions against scikit-learn, closed forms and hand computation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import norm
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, r2_score, root_mean_squared_error

from unrolled.tasks.numbers import (
    crps,
    errors,
    interval_figures,
    nasa_score,
    percentages,
    r_squared,
    scaled,
)

arrays = hnp.arrays(np.float64, (9, 2, 3), elements=st.floats(-1e3, 1e3, allow_subnormal=False))


@given(arrays, arrays)
def test_rmse_mae_and_mape_are_scikit_learns(truth: Any, prediction: Any) -> None:
    flat = truth.ravel(), prediction.ravel()
    rmse, mae = errors(truth, prediction)
    assert rmse.value == pytest.approx(root_mean_squared_error(*flat))
    assert mae.value == pytest.approx(mean_absolute_error(*flat))
    nonzero = flat[0] != 0
    if nonzero.any():
        expected = 100 * mean_absolute_percentage_error(flat[0][nonzero], flat[1][nonzero])
        if np.abs(flat[0][nonzero]).min() > np.finfo(float).eps:  # scikit-learn's guard against zero
            assert percentages(truth, prediction)[0].value == pytest.approx(expected)


def test_missing_truth_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    truth, prediction = rng.normal(size=(2, 20, 3, 2))
    holed, flat = truth.copy(), (truth.ravel()[7:], prediction.ravel()[7:])
    holed.ravel()[:7] = np.nan
    rmse, mae = errors(holed, prediction)
    assert rmse.value == pytest.approx(root_mean_squared_error(*flat))
    assert mae.value == pytest.approx(mean_absolute_error(*flat))


def test_smape_by_hand() -> None:
    truth = np.array([100.0, 50.0, 0.0, -10.0]).reshape(4, 1, 1)
    prediction = np.array([110.0, 25.0, 0.0, 10.0]).reshape(4, 1, 1)
    expected = np.mean([200 * 10 / 210, 200 * 25 / 75, 0, 200])
    assert percentages(truth, prediction)[1].value == pytest.approx(expected)


def test_mase_is_the_mean_over_series_of_scaled_errors() -> None:
    truth = np.zeros((3, 2, 1))
    prediction = np.array([[1.0, 3.0], [10.0, 30.0], [5.0, 5.0]])[:, :, None]
    naive = np.array([[2.0], [4.0], [0.0]])  # the third series is constant: no scale, left out
    assert scaled(truth, prediction, naive).value == pytest.approx((2 / 2 + 20 / 4) / 2)


@given(hnp.arrays(np.float64, (9, 1, 3), elements=st.floats(-1e3, 1e3)), st.floats(-1e5, 1e5))
def test_r2_is_scikit_learns_and_does_not_mind_an_offset(truth: Any, offset: float) -> None:
    if np.std(truth, axis=(0, 1)).min() < 1e-2:
        return
    prediction = truth + np.sin(np.arange(27)).reshape(9, 1, 3)
    expected = r2_score(truth[:, 0], prediction[:, 0])
    assert r_squared(truth, prediction).value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert r_squared(truth + offset, prediction + offset).value == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_r2_of_a_constant_truth_is_not_defined() -> None:
    assert np.isnan(r_squared(np.ones((4, 1, 1)), np.zeros((4, 1, 1))).value)


def test_the_nasa_score_by_hand() -> None:
    truth = np.full((4, 1, 1), 100.0)
    prediction = np.array([87.0, 110.0, 100.0, np.nan]).reshape(4, 1, 1)
    assert nasa_score(truth, prediction).value == pytest.approx(2 * (np.e - 1))


@settings(max_examples=25)
@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_crps_of_many_quantiles_is_the_closed_form_of_the_normal(z: float, sigma: float) -> None:
    """CRPS of N(0, s) at y = z s is s (z (2 F(z) - 1) + 2 f(z) - 1 / sqrt(pi)) (Gneiting & Raftery 2007)."""
    levels = (np.arange(500) + 0.5) / 500
    quantiles = (sigma * norm.ppf(levels)).reshape(1, 1, 1, -1)
    expected = sigma * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert crps(np.full((1, 1, 1), z * sigma), quantiles, tuple(levels)).item() == pytest.approx(expected, rel=5e-3)


def test_crps_of_one_median_is_the_absolute_error() -> None:
    truth, median = np.array([[[3.0]]]), np.array([[[[5.0]]]])
    assert crps(truth, median, (0.5,)).item() == 2


def test_coverage_counts_the_ends_and_skips_the_unknown() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0, np.nan]).reshape(5, 1, 1)
    quantiles = np.broadcast_to(np.array([2.0, 3.0]), (5, 1, 1, 2))
    _, coverage = interval_figures(truth, quantiles, (0.1, 0.9))
    assert coverage.value == 0.5
    assert coverage.better == "nominal"
