"""Regressor: several targets, intervals, rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.metrics import r2_score

from unrolled import Regressor
from unrolled.core.errors import ConfigError

Array = npt.NDArray[Any]


def small(**changes: Any) -> Regressor:
    chosen = {"epochs": 15, "batch_size": 16, "learning_rate": 0.03, "random_state": 0, **changes}
    return Regressor(chosen.pop("net", [{"gru": {"size": 8}}]), **chosen)


def levels(count: int, seed: int = 0) -> tuple[Array, Array]:
    """Noisy constants around -50 to 150, and their level."""
    random = np.random.default_rng(seed)
    level = random.uniform(-50, 150, count)
    return level[:, None] + random.normal(0, 5, (count, 6)), level


def test_answers_are_in_the_units_of_the_truth() -> None:
    (X, y), (other, truth) = levels(150), levels(150, seed=1)
    model = small().fit(X, y)
    predicted = model.predict(other)
    assert np.abs(predicted - truth).mean() < 15
    assert model.score(other, truth) == pytest.approx(r2_score(truth, predicted))


def test_intervals_hold_what_they_promise() -> None:
    (X, y), (other, truth) = levels(300), levels(600, seed=1)
    low, high = small(valid=0.4).fit(X, y).predict_interval(other)
    assert (low < high).all()
    assert 0.82 < np.mean((low <= truth) & (truth <= high)) < 0.98
    narrow, wide = small(valid=0.4, settings={"task": {"coverage": 0.5}}).fit(X, y).predict_interval(other)
    assert 0.38 < np.mean((narrow <= truth) & (truth <= wide)) < 0.62


def test_no_validation_part_no_interval() -> None:
    X, y = levels(20)
    with pytest.raises(ConfigError, match="no validation part"):
        small(epochs=1).fit(X, y).predict_interval(X)


def test_few_sequences_are_all_learnt_from() -> None:
    X, y = levels(90)
    assert small(epochs=1).fit(X[:63], y[:63]).run_.data.parts == {"train": 63}
    assert small(epochs=1).fit(X[:64], y[:64]).run_.data.parts == {"train": 54, "valid": 10}
    assert small(epochs=1, valid=6).fit(X[:60], y[:60]).run_.data.parts == {"train": 54, "valid": 6}


def test_several_targets() -> None:
    X, y = levels(120)
    Y = np.stack([y, -y / 1000], axis=1)
    model = small().fit(X, Y)
    assert model.predict(X).shape == (120, 2)
    assert model.score(X, Y) > 0.8
    low, high = model.predict_interval(X)
    assert low.shape == high.shape == (120, 2)
    assert model.predict_table(X).columns == ["id", "y_0", "y_0_low", "y_0_high", "y_1", "y_1_low", "y_1_high"]
    np.testing.assert_array_equal(small(epochs=1).fit(X, y[:, None]).predict(X), small(epochs=1).fit(X, y).predict(X))


def test_a_truth_in_every_row_of_a_table() -> None:
    life, engines = 60, 12
    random = np.random.default_rng(0)
    wear = np.arange(life)[None] + random.normal(0, 2, (engines, life))
    frame = pl.DataFrame(
        {
            "engine": np.repeat(np.arange(engines), life),
            "cycle": np.tile(np.arange(life), engines),
            "wear": wear.ravel(),
            "left": np.tile(life - 1.0 - np.arange(life), engines),
        }
    )
    settings = {"data": {"group": "engine", "time": "cycle"}}
    model = small(window=5, epochs=4, batch_size=32, settings=settings).fit(frame, "left")
    table = model.predict_table(frame.drop("left"))
    assert len(table) == engines * (life - 4)  # one a window
    answers = table.select(engine=pl.col("id").cast(pl.Int64), cycle=pl.col("time").cast(pl.Int64), answer="left")
    both = frame.join(answers, on=["engine", "cycle"])
    assert len(both) == len(table)
    np.testing.assert_array_equal(model.predict(frame), table["left"].to_numpy())
    assert model.score(frame) == pytest.approx(r2_score(both["left"], both["answer"]), rel=1e-5)
    assert model.score(frame) > 0.8


def test_a_users_own_loss_and_metric() -> None:
    X, y = levels(120)
    settings = {"task": {"loss": only_upwards, "metrics": [worst]}}
    model = small(valid=0, settings=settings).fit(X, y)
    assert (model.predict(X) > y).mean() > 0.9
    assert model.evaluation_.model["worst"].value > 0
    assert model.run_.config["task"]["loss"].endswith(":only_upwards")


def only_upwards(output: Any, truth: Any) -> Any:
    """Being too low costs a hundred times what being too high does."""
    gap = output[:, 0, :, 0] - truth
    return gap.clamp(min=0) + 100 * (-gap).clamp(min=0)


def worst(truth: Any, prediction: Any) -> float:
    return float(np.abs(truth - prediction).max())
