"""What the report draws says what the arrays say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from unrolled.core.records import ConfusionPicture, CurvePicture, ForecastPicture, ResidualPicture, ScatterPicture
from unrolled.evaluate.matrix import confusion_picture
from unrolled.evaluate.pictures import (
    calibration_curve,
    failure_curves,
    forecasts,
    residuals,
    scatters,
)
from unrolled.prepare.answer import Answer


def drawn(part: Any, *, quantiles: bool = False, value: Any = None) -> list[ForecastPicture]:
    value = part.truth + 1 if value is None else value
    bands = np.stack([value - 2, value + 2], axis=-1) if quantiles else None
    names = tuple(f"y{m}" for m in range(value.shape[2]))
    found = forecasts(part, Answer("forecast", value, bands, (0.1, 0.9), targets=names))
    return [picture for picture in found if isinstance(picture, ForecastPicture)]


def test_windows_of_a_forecast_are_laid_end_to_end_up_to_the_last_row(make_part: Any) -> None:
    hours = np.datetime64("2024-01-01", "h") + np.arange(30)
    part = make_part([np.arange(30.0)], window=4, horizon=3, time=hours.astype("datetime64[ns]"))
    (picture,) = drawn(part, quantiles=True)
    assert picture.truth == tuple(np.arange(6.0, 30.0))  # 8 windows of 3 steps, the last one at the end
    assert picture.forecast == tuple(np.arange(7.0, 31.0))
    assert picture.low[0] == 5 and picture.high[-1] == 32
    assert picture.time[0] == "2024-01-01T06:00:00" and picture.time[18] == "2024-01-02"
    assert (picture.target, picture.series) == ("y0", "")


def test_a_forecast_without_time_counts_rows_and_gaps_are_null(make_part: Any) -> None:
    values = np.arange(8.0)
    values[5] = np.nan
    (picture,) = drawn(make_part([values], window=3, horizon=1))
    assert picture.time == ("4", "5", "6", "7", "8")
    assert picture.truth == (3, 4, None, 6, 7) and picture.forecast[2] is None
    assert picture.model_validate_json(picture.model_dump_json()) == picture


def test_pictures_are_few_and_small(make_part: Any) -> None:
    wide = make_part([np.zeros((5000, 6))], window=2, horizon=7)
    found = drawn(wide)
    assert [picture.target for picture in found] == ["y0", "y1", "y2", "y3"]
    assert all(1900 < len(picture.time) <= 2000 for picture in found)
    many = drawn(make_part([np.zeros((20, 2))] * 9, window=2, horizon=2))
    assert [(picture.series, picture.target) for picture in many] == [(f"s{n}", "y0") for n in range(4)]
    long = drawn(make_part([np.zeros(2600)], window=2, horizon=2500))
    assert len(long) == 1 and len(long[0].time) == 2500  # one window always shows


def test_residuals_are_truth_minus_prediction() -> None:
    truth = np.array([[[1.0], [5.0]], [[np.nan], [9.0]]])
    (picture,) = residuals(truth, Answer("forecast", np.zeros((2, 2, 1)), targets=("y",)))
    assert isinstance(picture, ResidualPicture)
    assert picture.step_error == (1, 7)
    assert sum(picture.counts) == 3 and picture.edges[0] == 1 and picture.edges[-1] == 9
    assert len(picture.edges) == len(picture.counts) + 1
    assert residuals(np.full((2, 1, 1), np.nan), Answer("forecast", np.zeros((2, 1, 1)), targets=("y",))) == []


def test_a_scatter_is_thinned_evenly() -> None:
    truth = np.random.default_rng(0).permutation(5000).astype(float)[:, None]
    (picture,) = scatters(truth, Answer("regress", 2 * truth, targets=("y",)))
    assert isinstance(picture, ScatterPicture)
    assert len(picture.truth) == 1000 and picture.truth == tuple(np.arange(0.0, 5000, 5))
    assert picture.predicted == tuple(np.arange(0.0, 10_000, 10))


def test_the_confusion_matrix_is_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    truth, predicted = rng.integers(0, 3, (2, 40))
    picture = confusion_picture(truth, predicted, ("a", "b", "c", "never"))
    assert isinstance(picture, ConfusionPicture)
    labels = range(4)
    np.testing.assert_array_equal(picture.counts, metrics.confusion_matrix(truth, predicted, labels=labels))
    expected = metrics.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    np.testing.assert_allclose((picture.precision, picture.recall, picture.f1), expected[:3])


def test_the_precision_recall_curve_encloses_the_average_precision() -> None:
    rng = np.random.default_rng(2)
    positive = rng.random(5000) < 0.2
    chance = np.clip(0.3 * positive + 0.5 * rng.random(5000), 0, 1)
    curve, calibration = failure_curves(positive, chance)
    assert isinstance(curve, CurvePicture) and isinstance(calibration, CurvePicture)
    assert len(curve.x) <= 300 and curve.x[0] == 0 and curve.x[-1] == 1 and (np.diff(curve.x) >= 0).all()
    area = np.trapezoid(curve.lines["precision"], curve.x)
    assert area == pytest.approx(metrics.average_precision_score(positive, chance), abs=0.01)
    assert failure_curves(np.zeros(4, bool), np.full(4, 0.5)) == []


def test_a_calibration_curve_of_honest_probabilities_lies_on_the_diagonal() -> None:
    rng = np.random.default_rng(3)
    chance = rng.random(40_000)
    curve = calibration_curve(rng.random(40_000) < chance, chance)
    assert len(curve.x) == 10
    np.testing.assert_allclose(curve.lines["share"], curve.x, atol=0.03)
    assert len(calibration_curve(np.array([True, False]), np.array([0.1, 0.9])).x) == 2
