"""The published data sets, from their files to batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.append import append
from unrolled.prepare.build import build
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.read import read
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import infer
from unrolled.prepare.series import Series
from unrolled.prepare.wide import rows_as_series

pytestmark = pytest.mark.shared


def _ends(series: Series, steps: int, horizon: int) -> Samples:
    """The last window of every sequence that has a truth."""
    end = series.starts[1:] - horizon
    return Samples(end - steps, end, np.arange(len(series.ids)))


def test_etth1_in_the_usual_split(shared_data: Path) -> None:
    table = read(shared_data / "ett" / "ETTh1.csv")
    loads = [name for name in table.columns if name != "date"]
    schema, _ = infer(table, task="forecast", target=loads)
    assert (schema.frequency, schema.missing, schema.calendar) == (3600, "error", ("hour_of_day", "day_of_week"))
    series = build(table, schema)
    preprocessor = Preprocessor(schema, horizon=96).fit(series, [(0, 0, 8640)])
    end = np.arange(11520, 14400 - 96 + 1)
    samples = Samples(end - 336, end, np.zeros(len(end), dtype=np.int64))
    truth, last = preprocessor.arrays(series, samples[::16]), preprocessor.truth(series, samples)
    assert truth.x.shape[1:] == (336, 11) and truth.known is not None and truth.known.shape[1:] == (96, 4)
    raw = np.stack([table.columns[name] for name in loads], axis=1)
    repeat = np.repeat(raw[end - 1][:, None], 96, axis=1)
    error = (last - repeat) / raw[:8640].std(axis=0)
    # The published figures of the repeat-last forecast: 1.294 and 0.713.
    assert np.mean(error**2) == pytest.approx(1.294, abs=5e-4)
    assert np.mean(np.abs(error)) == pytest.approx(0.713, abs=5e-4)


@pytest.mark.parametrize(
    ("file", "target", "rows", "rmse"),
    [("AAPL_2014_2025.csv", "Close", 2913, 3.315), ("finance-charts-apple.csv", "AAPL.Close", 506, 1.245)],
)
def test_apple_prices(shared_data: Path, file: str, target: str, rows: int, rmse: float) -> None:
    table = read(shared_data / "stock_aapl" / file)
    schema, _ = infer(table, task="forecast", target=target)
    assert schema.time is not None and schema.rhythm is not None and schema.rhythm.weekdays == "1111100"
    series = build(table, schema)
    assert len(series.values) == rows
    preprocessor = Preprocessor(schema, horizon=1, transforms={"target": ["log_return", "standard"]})
    first = int(np.ceil(rows * 0.8)) if rows == 506 else rows - 583
    preprocessor.fit(series, [(0, 0, first)])
    end = np.arange(first, rows)
    samples = Samples(end - 30, end, np.zeros(len(end), dtype=np.int64))
    # No change, in model scale, is the mean return away from zero: undone, it is the last price.
    scale = preprocessor.to_json()["scaling"]["chains"][0]["states"][1]
    still = np.full((len(end), 1, 1), -scale["center"][0][0] / scale["scale"][0][0])
    error = preprocessor.invert(still, series, samples) - preprocessor.truth(series, samples)
    assert np.sqrt(np.mean(error**2)) == pytest.approx(rmse, abs=2e-3)


def test_a_model_of_one_apple_file_says_what_the_other_lacks(shared_data: Path) -> None:
    folder = shared_data / "stock_aapl"
    schema, _ = infer(read(folder / "AAPL_2014_2025.csv"), task="forecast", target="Close")
    with pytest.raises(DataError, match="the model needs 'Adj Close', 'High', 'Low', 'Open', 'Volume', 'Close'"):
        build(read(folder / "finance-charts-apple.csv"), schema)


def test_m4_hourly_with_a_row_a_series(shared_data: Path) -> None:
    folder = shared_data / "m4_hourly"
    table = rows_as_series(read(folder / "Hourly-train.csv"))
    schema, _ = infer(table, task="forecast")
    train = build(table, schema)
    assert len(train.ids) == 414 and sorted(set(train.lengths.tolist())) == [700, 960]
    series, spans = append(train, build(rows_as_series(read(folder / "Hourly-test.csv")), schema))
    assert len(spans) == 414 and {b - a for _, a, b in spans} == {48}
    samples = Samples(
        np.array([a - 168 for _, a, _ in spans]), np.array([a for _, a, _ in spans]), np.array([s for s, _, _ in spans])
    )
    preprocessor = Preprocessor(schema, horizon=48, per_series=True)
    preprocessor.fit(series, [(s, int(series.starts[s]), a) for s, a, _ in spans])
    arrays, truth = preprocessor.arrays(series, samples), preprocessor.truth(series, samples)
    yesterday = np.tile(arrays.x[:, -24:, :1], (1, 2, 1))
    forecast = preprocessor.invert(yesterday, series, samples)
    smape = 200 * np.abs(forecast - truth) / (np.abs(forecast) + np.abs(truth))
    assert np.mean(smape) == pytest.approx(13.912, abs=2e-3)  # the official figure of the seasonal naive forecast
    assert np.abs(arrays.x).max() < 40  # 414 units, one scale


def test_cmapss_engines(shared_data: Path) -> None:
    folder = shared_data / "cmapss"
    table = read(folder / "train_FD001.txt")
    schema, _ = infer(table, task="regress")
    series = build(table, schema)
    assert (len(series.ids), len(series.values), schema.of_role("target")[0].name) == (100, 20631, "rul")
    preprocessor = Preprocessor(schema, cap=125)
    preprocessor.fit(series, [(s, int(series.starts[s]), int(series.starts[s + 1])) for s in range(100)])
    test = build(read(folder / "test_FD001.txt"), schema)
    samples = Samples(np.maximum(test.starts[:-1], test.starts[1:] - 50), test.starts[1:], np.arange(100))
    arrays = preprocessor.arrays(test, samples)
    assert arrays.x.shape[:2] == (100, 50) and arrays.lengths is not None and arrays.lengths.min() == 31
    given = np.loadtxt(folder / "RUL_FD001.txt")
    np.testing.assert_array_equal(preprocessor.truth(test, samples)[:, 0, 0], given)
    mean = np.minimum(np.concatenate([np.arange(n)[::-1] for n in series.lengths]), 125).mean()
    constant = preprocessor.invert(np.zeros((100, 1, 1)), test, samples)[:, 0, 0]
    np.testing.assert_allclose(constant, mean, rtol=1e-6)
    # The published figure of the constant prediction.
    assert np.sqrt(np.mean((constant - given) ** 2)) == pytest.approx(43.07, abs=5e-3)


@pytest.mark.parametrize(
    ("name", "suffix", "classes", "shape"),
    [
        ("GunPoint", "ts", 2, (50, 150, 1)),
        ("ECG5000", "tsv", 5, (500, 140, 1)),
        ("JapaneseVowels", "ts", 9, (270, 26, 12)),
    ],
)
def test_ucr_and_uea_sets(shared_data: Path, name: str, suffix: str, classes: int, shape: tuple[int, ...]) -> None:
    folder = shared_data / "ucr_uea" / name
    table = read(folder / f"{name}_TRAIN.{suffix}")
    schema, _ = infer(table, task="classify")
    series = build(table, schema)
    preprocessor = Preprocessor(schema)
    preprocessor.fit(series, [(s, int(series.starts[s]), int(series.starts[s + 1])) for s in range(len(series.ids))])
    samples = Samples(series.starts[:-1], series.starts[1:], np.arange(len(series.ids)))
    arrays = preprocessor.arrays(series, samples)
    assert len(preprocessor.classes[0]) == classes and arrays.x.shape == shape
    assert (arrays.lengths is None) == (name != "JapaneseVowels")
    assert arrays.y is not None and set(arrays.y[:, 0]) == set(range(classes))
    inside = np.concatenate([row[:length] for row, length in zip(arrays.x, series.lengths, strict=True)])
    np.testing.assert_allclose(inside.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(inside.std(axis=0), 1, atol=1e-4)


def test_monthly_passengers(shared_data: Path) -> None:
    table = read(shared_data / "airpassengers" / "airline-passengers.csv")
    schema, _ = infer(table, task="forecast")
    assert str(schema.rhythm) == "1 month" and schema.calendar == ("month_of_year",)
    series = build(table, schema)
    preprocessor = Preprocessor(schema, horizon=12, transforms={"target": ["log", "difference", "standard"]})
    preprocessor.fit(series, [(0, 0, 96)])
    times = preprocessor.times(series, _ends(series, 24, 0))
    assert times is not None
    months = [str(month) for month in times[0].astype("datetime64[M]")]
    assert months == [f"1961-{month:02d}" for month in range(1, 13)]
