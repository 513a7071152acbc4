"""Forecaster: forms of series, axes of answers, intervals, tables, the end of the fitted data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from unrolled import Forecaster
from unrolled.core.errors import ConfigError, DataError

Array = npt.NDArray[Any]
WAVE = np.sin(np.arange(160) / 4)
TWO = np.stack([WAVE, 5 - 2 * np.cos(np.arange(160) / 4)], axis=1)


def small(horizon: int = 3, **changes: Any) -> Forecaster:
    chosen = {"net": [{"gru": {"size": 6}}], "window": 12, "epochs": 4, "learning_rate": 0.03, "random_state": 0}
    return Forecaster(horizon, **{**chosen, **changes})


@pytest.mark.parametrize(
    "X, shape",
    [
        (WAVE, (3,)),
        (WAVE.tolist(), (3,)),
        (WAVE[:, None], (3, 1)),
        (TWO, (3, 2)),
        (np.stack([TWO, TWO[::-1], TWO * 2]), (3, 3, 2)),
        ([WAVE, WAVE[:50]], (2, 3)),
        ([TWO, TWO[:50]], (2, 3, 2)),
        (pl.Series("a", WAVE), (3,)),
        (pd.DataFrame({"a": WAVE}), (3,)),
    ],
    ids=["T", "list", "T1", "TM", "STM", "T_i", "T_iM", "polars", "pandas"],
)
def test_answers_have_the_axes_of_what_was_given(X: Any, shape: tuple[int, ...]) -> None:
    model = small(epochs=1).fit(X)
    low, high = model.predict_interval()
    assert model.predict().shape == low.shape == high.shape == shape
    assert (low <= high).all()
    np.testing.assert_array_equal(model.predict(), model.predict(X))
    np.testing.assert_array_equal(model.predict(), model.fit(X).predict())


def test_it_goes_on_from_the_end() -> None:
    model = small(6, epochs=40).fit(WAVE)
    assert np.abs(model.predict() - np.sin(np.arange(160, 166) / 4)).max() < 0.2
    assert np.abs(model.predict(WAVE[:101]) - WAVE[101:107]).max() < 0.2
    np.testing.assert_array_equal(model.predict(WAVE[89:101]), model.predict(WAVE[:101]))  # a window is enough


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 3), st.integers(12, 160))
def test_the_first_steps_of_a_horizon(horizon: int, end: int) -> None:
    model = FITTED
    np.testing.assert_array_equal(model.predict(WAVE[:end], horizon), model.predict(WAVE[:end])[:horizon])


FITTED = small(epochs=1).fit(WAVE)


def test_series_keep_their_places_and_units() -> None:
    series = [WAVE, 1000 + 100 * WAVE, WAVE[:60] - 50]
    model = small(epochs=20).fit(series)
    ahead = model.predict()
    truth = np.sin(np.arange(160, 163) / 4)
    assert np.abs(ahead[0] - truth).max() < 0.4
    assert np.abs(ahead[1] - (1000 + 100 * truth)).max() < 40
    assert np.abs(ahead[2] - (np.sin(np.arange(60, 63) / 4) - 50)).max() < 0.4


def test_score_is_the_skill_over_persistence() -> None:
    model = small(epochs=3).fit(TWO)
    new = TWO[40:100] + 0.1
    starts = range(12, 60 - 3 + 1)
    truth = np.stack([new[at : at + 3] for at in starts])
    ahead = np.stack([model.predict(new[at - 12 : at]) for at in starts])
    naive = np.stack([np.repeat(new[at - 1 : at], 3, axis=0) for at in starts])
    own, theirs = (((each - truth) ** 2).mean(axis=(0, 1)) for each in (ahead, naive))
    assert model.score(new) == pytest.approx((1 - own / theirs).mean(), rel=1e-4)


def test_intervals_hold_what_they_promise() -> None:
    random = np.random.default_rng(0)
    noisy = np.sin(np.arange(1500) / 4) + random.normal(0, 0.3, 1500)
    model = small(1, epochs=3, valid=0.4).fit(noisy[:1000])
    inside = []
    for at in range(1000, 1500, 2):
        low, high = model.predict_interval(noisy[:at])
        inside.append(low[0] <= noisy[at] <= high[0])
    assert 0.84 < np.mean(inside) < 0.96


def prices(rows: int = 120) -> pd.DataFrame:
    random = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    sunny = (np.arange(rows) % 7 < 2).astype(float)
    return pd.DataFrame({"sold": 10 + 5 * sunny + random.normal(0, 0.1, rows), "sunny": sunny}, index=days)


def test_a_table_with_time_and_what_is_known_in_advance() -> None:
    frame = prices()
    ahead = frame.copy()
    ahead.loc[ahead.index[-3:], "sold"] = np.nan
    model = small(epochs=60, settings={"data": {"known": ["sunny"], "calendar": []}}).fit(ahead, "sold")
    np.testing.assert_allclose(model.predict(), frame["sold"].to_numpy()[-3:], atol=1.0)
    table = model.predict_table()
    assert table["time"].to_list() == [stamp.to_pydatetime() for stamp in frame.index[-3:]]
    assert table.columns == ["id", "time", "step", "sold", "sold_low", "sold_high"]
    np.testing.assert_array_equal(table["sold"].to_numpy(), model.predict(ahead))
    cloudy = ahead.copy()
    cloudy.loc[cloudy.index[-3:], "sunny"] = 0.0
    assert not np.allclose(model.predict(cloudy), model.predict())


def test_a_table_of_several_series(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"shop": ["b"] * 80 + ["a"] * 60, "day": [*range(80), *range(60)], "sold": [*WAVE[:80], *(WAVE[:60] + 9)]}
    )
    frame.write_csv(tmp_path / "shops.csv")
    settings = {"data": {"group": "shop", "time": "day"}}
    model = small(settings=settings).fit(tmp_path / "shops.csv", "sold")
    assert model.predict().shape == (2, 3)
    assert model.predict_table()["id"].to_list() == ["b"] * 3 + ["a"] * 3
    np.testing.assert_array_equal(model.predict(frame), model.predict())
    assert model.predict(frame.filter(pl.col("shop") == "a")).shape == (1, 3)
    assert model.score(frame) > -10


def test_only_the_end_of_the_data_is_kept() -> None:
    model = small(epochs=1).fit([np.tile(WAVE, 50), np.tile(WAVE, 50)])
    kept = model.__getstate__()["_end"][0]
    assert len(kept.values) == 2 * 12


def test_a_net_of_one_step_is_rolled_out() -> None:
    model = small(8, settings={"task": {"strategy": "recursive"}}).fit(WAVE)
    assert model.bundle_.manifest.outputs["steps"] == 1
    rolled = WAVE
    for _ in range(8):
        rolled = np.append(rolled, model.predict(rolled, horizon=1))
    np.testing.assert_allclose(model.predict(), rolled[160:], rtol=1e-4)


def test_few_rows_are_all_learnt_from() -> None:
    assert "valid" not in small(epochs=1).fit(WAVE[:60]).run_.data.parts  # 9 rows hold 7 windows
    assert small(epochs=1).fit(WAVE[:80]).run_.data.parts["valid"] == 10  # 12 rows hold 10
    assert small(epochs=1, valid=6).fit(WAVE[:60]).run_.data.parts["valid"] == 4


def test_search_over_folds_in_time() -> None:
    search = GridSearchCV(small(), {"epochs": [1, 30]}, cv=TimeSeriesSplit(3)).fit(TWO)
    assert search.best_params_ == {"epochs": 30}


@pytest.mark.parametrize(
    "X, message",
    [
        (np.zeros((2, 2, 2, 2)), "4"),
        (np.array(["a", "b"]), "could not convert|numeric"),
        (np.ones(50), "everywhere"),
        (np.append(WAVE, np.inf), "infinity"),
        (WAVE[:10], "12 input rows and 3 rows to predict"),
        ([], "0 sample"),
        (pd.DataFrame({"a": WAVE, "b": WAVE}), "2 columns could be the target"),
    ],
)
def test_wrong_series_are_refused(X: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(epochs=1).fit(X)


def test_misuse_is_named() -> None:
    with pytest.raises(ConfigError, match="holds values"):
        small().fit(TWO, WAVE)  # type: ignore[arg-type]  # the misuse
    with pytest.raises(ConfigError, match="1 to 3 steps, not 4"):
        FITTED.predict(horizon=4)
    with pytest.raises(ConfigError, match=r"settings.task.horizon: it is 9 here, and 3 by the estimator"):
        small(settings={"task": {"horizon": 9}}).fit(WAVE)
    for wrong in (0, 1.5, "3"):
        with pytest.raises((ValueError, TypeError), match="horizon"):
            small(wrong).fit(WAVE)  # type: ignore[arg-type]  # the misuse
    with pytest.raises(ConfigError, match=r"settings\.data"):
        small(settings={"data": None}).fit(WAVE)
    with pytest.raises(ValueError, match="X has 2 features, but Forecaster is expecting 1 features as input"):
        FITTED.predict(TWO)
    with pytest.raises(DataError, match="looks back on 12 rows"):
        FITTED.predict(WAVE[:11])
    with pytest.raises(DataError, match="1 of 2 series are shorter than the window"):
        FITTED.predict([WAVE, WAVE[:11]])
    assert len(FITTED.predict_table([WAVE, WAVE[:11]])) == 3
    for call in (small().predict, lambda: small().score(WAVE), small().predict_interval, lambda: small().save("x")):
        with pytest.raises(NotFittedError):
            call()
