"""Rolling origins: what is known, what is judged, and the summary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.evaluate import Backtest, Fold, Part, backtest, folds
from unrolled.prepare.answer import Answer
from unrolled.prepare.series import Series
from unrolled.tasks import Forecast, make_task


def test_origins_step_to_the_end_and_nothing_after_them_is_known(make_part: Any) -> None:
    series = make_part([np.zeros(20), np.zeros(9)]).series
    found = folds(series, horizon=3, count=3, step=2)
    assert [fold.test for fold in found] == [
        ((0, 13, 16), (1, 22, 25)),
        ((0, 15, 18), (1, 24, 27)),
        ((0, 17, 20), (1, 26, 29)),
    ]
    assert [fold.train for fold in found] == [
        ((0, 0, 13), (1, 20, 22)),
        ((0, 0, 15), (1, 20, 24)),
        ((0, 0, 17), (1, 20, 26)),
    ]
    assert [fold.origin for fold in found] == ["14", "16", "18"]
    assert [fold.test[0] for fold in folds(series, horizon=3, count=2)] == [(0, 14, 17), (0, 17, 20)]


def test_a_sequence_too_short_for_an_origin_is_left_out_and_none_is_an_error(make_part: Any) -> None:
    series = make_part([np.zeros(20), np.zeros(9)]).series
    assert [len(fold.test) for fold in folds(series, horizon=4, count=3)] == [1, 2, 2]
    with pytest.raises(DataError, match="6 origins, 4 rows apart, need more than 24 rows; the longest sequence has 20"):
        folds(series, horizon=4, count=6)


def test_the_origin_is_a_time_stamp_where_there_is_one(make_part: Any) -> None:
    days = (np.datetime64("2024-01-01", "D") + np.arange(20)).astype("datetime64[ns]")
    assert folds(make_part([np.zeros(20)], time=days).series, horizon=3, count=1)[0].origin == "2024-01-18"


def run_on(task: Forecast, series: Series, seen: list[Fold], forecast: Any) -> Any:
    def run(fold: Fold) -> tuple[Part, Answer]:
        seen.append(fold)
        samples = task.samples(series, fold.test, window=4)
        part = Part(series, samples, series.values[samples.end[:, None] + np.arange(2)].astype(np.float64))
        return part, Answer("forecast", forecast(fold, part), targets=("y0",))

    return run


def test_each_origin_is_judged_and_the_summary_spreads_over_them(make_part: Any) -> None:
    rng = np.random.default_rng(0)
    series = make_part([rng.normal(size=60), rng.normal(size=50)]).series
    task = make_task("forecast", {"horizon": 2, "season": 5})
    assert isinstance(task, Forecast)
    seen: list[Fold] = []

    def grown(fold: Fold, part: Part) -> Any:
        """ "Fitted" anew at each origin: the mean of what is known then."""
        known = np.concatenate([series.values[begin:end] for _, begin, end in fold.train])
        return np.full(part.truth.shape, known.mean())

    found = backtest(task, folds(series, horizon=2, count=4), run_on(task, series, seen, grown))
    assert Backtest.model_validate_json(found.model_dump_json()) == found
    assert len(seen) == 4 and [origin.count for origin in found.origins] == [2] * 4
    rmse = np.array([origin.model["rmse"].value for origin in found.origins])
    fold = seen[2]
    truth = np.concatenate([series.values[begin:end, 0] for _, begin, end in fold.test])
    known = np.concatenate([series.values[begin:end, 0] for _, begin, end in fold.train])
    assert rmse[2] == pytest.approx(np.sqrt(np.mean((truth - known.mean()) ** 2)), rel=1e-5)
    spread = {figure.name: figure for figure in found.summary["model"]}["rmse"]
    assert (spread.mean, spread.deviation) == pytest.approx((rmse.mean(), rmse.std(ddof=1)))
    assert (spread.lowest, spread.highest) == (rmse.min(), rmse.max())
    assert set(found.summary) == {"model", "persistence", "seasonal_naive"}  # nothing was given to train on


def test_one_fixed_model_is_rolled_forward(make_part: Any) -> None:
    wave = np.sin(np.arange(80) / 3)
    part = make_part([wave])
    task = make_task("forecast", {"horizon": 2})
    assert isinstance(task, Forecast)
    train = make_part([wave], horizon=2, stop=60)
    origins = folds(part.series, horizon=2, count=5, step=1)
    found = backtest(task, origins, run_on(task, part.series, [], lambda _, p: p.truth + 0.5), train=train)
    assert [origin.model["mae"].value for origin in found.origins] == pytest.approx([0.5] * 5)
    assert "linear" in found.summary and "mse_standardised" in {figure.name for figure in found.summary["model"]}
