"""Scores of anomalies, against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.prepare.scores import (
    center_and_scale,
    errors,
    point_adjusted,
    row_scores,
    sequence_scores,
    threshold_of,
)


def test_a_row_is_measured_by_the_forecasts_made_of_it() -> None:
    random = np.random.default_rng(0)
    output, truth = random.normal(size=(2, 5, 3, 2)), random.normal(size=(2, 5, 3))
    found = errors(output, truth, "forecast")
    assert found.shape == (2, 5, 2, 3)
    for row in range(5):
        for k in range(2):
            made_at = row - 1 - k
            expected = truth[:, row] - output[:, made_at, :, k] if made_at >= 0 else np.full((2, 3), np.nan)
            np.testing.assert_array_equal(found[:, row, k], expected)
    np.testing.assert_array_equal(errors(output[..., :1], truth, "reconstruction")[:, :, 0], truth - output[..., 0])


def test_center_and_scale_withstand_outliers_and_constants() -> None:
    random = np.random.default_rng(1)
    found = random.normal(2, 3, (5001, 1, 4))
    found[:500, 0, 0] = 1000
    found[:, 0, 1] = 7
    found[:, 0, 2] = np.where(np.arange(5001) < 4000, 0, 1)
    found[:, 0, 3] = np.nan
    center, scale = center_and_scale(found)
    assert center[0, 0] == pytest.approx(2, abs=0.6) and scale[0, 0] == pytest.approx(3, rel=0.2)
    assert (center[0, 1], scale[0, 1]) == (7, 1)
    assert (center[0, 2], scale[0, 2]) == (0, pytest.approx(found[:, 0, 2].std()))
    assert (center[0, 3], scale[0, 3]) == (0, 1)


def test_a_score_is_the_root_mean_square_of_what_is_known() -> None:
    found = np.array([[[3.0, np.nan]], [[1, 5]], [[np.nan, np.nan]]])
    score = row_scores(found, np.array([[1.0, 1]]), np.array([[2.0, 1]]))
    np.testing.assert_allclose(score, [1, np.sqrt((0 + 16) / 2), 0])
    np.testing.assert_allclose(sequence_scores(score, np.array([2, 1]), "max"), [np.sqrt(8), 0])
    np.testing.assert_allclose(sequence_scores(score, np.array([1, 2]), "mean"), [1, np.sqrt(8) / 2])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.1, 9), (0.01, 10)])
def test_the_threshold_is_a_conformal_quantile(share: float, expected: float) -> None:
    assert threshold_of(np.arange(1.0, 10.0 + 1)[::-1], share) == pytest.approx(expected, abs=1)
    assert (np.arange(1.0, 11) > threshold_of(np.arange(1.0, 11), share)).mean() <= share


def test_point_adjustment_stops_at_the_end_of_a_sequence() -> None:
    label = np.array([0, 1, 1, 1, 0, 1]) > 0
    alarm = np.array([1, 0, 1, 0, 0, 0]) > 0
    fresh = np.array([1, 0, 0, 1, 0, 0]) > 0
    assert point_adjusted(alarm, label, fresh).tolist() == [True, True, True, False, False, False]
