"""Baselines on real data against published figures and those computed by other means."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from unrolled.core.records import Evaluation
from unrolled.evaluate import Contest, Part, evaluate
from unrolled.evaluate.baselines import mean, persistence
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series
from unrolled.tasks import Forecast, Task, make_task

pytestmark = pytest.mark.shared


def part_of(task: Task, series: Series, spans: list[tuple[int, int, int]], window: int) -> Part:
    samples = task.samples(series, spans, window=window)
    steps = samples.end[:, None] + np.arange(getattr(task.settings, "horizon", 1))
    return Part(series, samples, series.values[steps].astype(np.float64))


def with_persistence(task: Task, train: Part, test: Part, names: tuple[str, ...]) -> Evaluation:
    return evaluate(task, test, persistence(Contest(task, test, train, names)), train=train, resamples=100)


def figures(found: Evaluation, baseline: str, *names: str) -> list[float]:
    scores = {scores.name: scores for scores in found.baselines}[baseline]
    return [scores[name].value for name in names]


def test_m4_hourly_official_seasonal_naive(shared_data: Path) -> None:
    rows = []
    with (
        (shared_data / "m4_hourly" / "Hourly-train.csv").open(newline="") as train,
        (shared_data / "m4_hourly" / "Hourly-test.csv").open(newline="") as test,
    ):
        pairs = zip(csv.reader(train), csv.reader(test), strict=True)
        next(pairs)
        for known, ahead in pairs:
            rows.append(np.array([float(cell) for cell in known[1:] + ahead[1:] if cell], np.float32))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    column = (Column(name="y", role="target"),)
    ids = tuple(f"H{number + 1}" for number in range(len(rows)))
    series = Series(np.concatenate(rows)[:, None], np.empty((len(rows), 0), np.float32), starts, ids, column)
    task = make_task("forecast", {"horizon": 48, "season": 24})
    learnt = [(s, int(starts[s]), int(starts[s + 1]) - 48) for s in range(len(rows))]
    judged = [(s, int(starts[s + 1]) - 48, int(starts[s + 1])) for s in range(len(rows))]
    test_part = part_of(task, series, judged, 168)
    assert len(test_part) == 414
    found = with_persistence(task, part_of(task, series, learnt, 168), test_part, ("y",))
    assert figures(found, "seasonal_naive", "smape", "mase") == pytest.approx([13.912, 1.193], abs=6e-4)
    assert figures(found, "persistence", "smape", "mase") == pytest.approx([43.003, 11.608], abs=6e-4)
    assert found.verdict.level == "poor" and "MASE" in found.verdict.en


def test_etth1_naive_and_linear_forecasts(shared_data: Path) -> None:
    frame = pl.read_csv(shared_data / "ett" / "ETTh1.csv", try_parse_dates=True)
    names = tuple(frame.columns[1:])
    values = frame.select(names).to_numpy().astype(np.float32)
    series = Series(
        values,
        np.empty((1, 0), np.float32),
        np.array([0, len(values)]),
        ("",),
        tuple(Column(name=name, role="target") for name in names),
        time=frame["date"].to_numpy().astype("datetime64[ns]"),
    )
    task = make_task("forecast", {"horizon": 96})
    train, test = part_of(task, series, [(0, 0, 8640)], 336), part_of(task, series, [(0, 11520, 14400)], 336)
    assert len(test) == 2785  # stride 1, no window dropped
    found = with_persistence(task, train, test, names)
    both = "mse_standardised", "mae_standardised"
    assert figures(found, "persistence", *both) == pytest.approx([1.294, 0.713], abs=6e-4)
    assert figures(found, "seasonal_naive", *both) == pytest.approx([0.512, 0.433], abs=6e-4)
    # NLinear (Zeng et al. 2023), trained by gradient descent on the same windows: 0.374 / 0.394
    assert figures(found, "linear", *both) == pytest.approx([0.374, 0.394], abs=4e-3)


def test_aapl_tomorrow_equals_today(shared_data: Path) -> None:
    frame = pl.read_csv(shared_data / "stock_aapl" / "AAPL_2014_2025.csv", try_parse_dates=True)
    values = frame.select("Close").to_numpy().astype(np.float32)
    series = Series(
        values,
        np.empty((1, 0), np.float32),
        np.array([0, len(values)]),
        ("",),
        (Column(name="Close", role="target"),),
        time=frame["Date"].to_numpy().astype("datetime64[ns]"),
    )
    split = len(values) - 583
    train, test = (part_of(Forecast(), series, [span], 30) for span in ((0, 0, split), (0, split, len(values))))
    found = with_persistence(Forecast(), train, test, ("Close",))
    assert figures(found, "persistence", "rmse", "mae", "mape") == pytest.approx([3.315, 2.224, 1.106], abs=6e-4)
    assert found.verdict.code == "copies_last_value"
    assert "5 rows" in next(note.en for note in found.notes if note.code == "season_used")  # trading days


@pytest.mark.parametrize("subset, given, capped", [("FD001", 43.07, 41.94), ("FD003", 45.07, 43.70)])
def test_cmapss_constant_prediction(shared_data: Path, subset: str, given: float, capped: float) -> None:
    folder = shared_data / "cmapss"
    suffix = ".txt" if subset == "FD001" else ".txt.gz"
    cycles = np.loadtxt(folder / f"train_{subset}{suffix}", usecols=(0, 1))
    lengths = np.bincount(cycles[:, 0].astype(int))[1:]
    life = np.concatenate([np.arange(n - 1, -1, -1.0) for n in lengths])
    final = np.loadtxt(folder / f"RUL_{subset}.txt")

    def cases(truth: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Part:
        one = np.arange(len(truth))
        series = Series(
            np.empty((len(truth), 0), np.float32),
            np.empty((len(truth), 0), np.float32),
            np.arange(len(truth) + 1),
            tuple(map(str, one)),
            (),
        )
        return Part(series, Samples(one, one + 1, one), truth[:, None])

    task = make_task("regress", {"cap": 125})
    contest = Contest(task, cases(final), cases(life), ("life",))
    found = evaluate(task, contest.part, mean(contest), train=contest.train, resamples=100)
    assert figures(found, "mean", "rmse", "rmse_capped") == pytest.approx([given, capped], abs=6e-3)
