"""The forecasting task: sizes, losses, calibration, what it measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from unrolled.core.errors import ConfigError, DataError
from unrolled.data.batch import Batch
from unrolled.prepare.answer import Answer
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import NumberDecoding
from unrolled.prepare.series import Column
from unrolled.program.shapes import Outputs
from unrolled.tasks import Forecast, Scales, make_task

TWO = (Column(name="a", role="target"), Column(name="u"), Column(name="b", role="target"))


def batch(y: Any) -> Batch:
    return Batch(x=torch.zeros(len(y), 1, 1), y=torch.as_tensor(y))


@pytest.mark.parametrize(
    "settings, outputs",
    [
        ({"horizon": 5}, Outputs(steps=5, targets=2, values=1)),
        ({"horizon": 5, "strategy": "recursive"}, Outputs(steps=1, targets=2, values=1)),
        ({"horizon": 5, "loss": "quantile", "quantiles": [0.1, 0.5, 0.9]}, Outputs(steps=5, targets=2, values=3)),
    ],
)
def test_output_sizes(make_series: Any, settings: dict[str, Any], outputs: Outputs) -> None:
    assert make_task("forecast", settings).outputs(make_series([9], TWO)) == outputs


def test_every_loss_is_chosen_by_name() -> None:
    torch.manual_seed(0)
    output, y = torch.randn(4, 3, 2, 1), torch.randn(4, 3, 2)
    expected = {
        "mse": functional.mse_loss(output[..., 0], y),
        "mae": functional.l1_loss(output[..., 0], y),
        "huber": functional.huber_loss(output[..., 0], y, delta=0.3),
    }
    for name, value in expected.items():
        torch.testing.assert_close(make_task("forecast", {"loss": name, "delta": 0.3}).loss(output, batch(y)), value)


def test_a_recursive_net_learns_the_first_step_only() -> None:
    y = torch.tensor([[[1.0], [99.0]]])
    task = make_task("forecast", {"horizon": 2, "strategy": "recursive"})
    assert task.loss(torch.zeros(1, 1, 1, 1), batch(y)) == 1
    assert task.measure([(torch.zeros(1, 1, 1, 1), batch(y))]).value == 1


def test_the_measure_reads_all_pairs_and_fits_the_loss() -> None:
    pairs = [(torch.zeros(2, 1, 1, 1), batch([[[3.0]], [[3.0]]])), (torch.zeros(1, 1, 1, 1), batch([[[6.0]]]))]
    assert make_task("forecast").measure(pairs).model_dump() == {
        "name": "mse", "value": 18.0, "low": None, "high": None, "better": "lower"
    }  # fmt: skip
    assert make_task("forecast", {"loss": "mae"}).measure(pairs).value == 4
    assert make_task("forecast", {"monitor": "rmse"}).measure(pairs).name == "rmse"
    quantile = make_task("forecast", {"loss": "quantile", "quantiles": [0.5]})
    assert quantile.measure(pairs).model_dump(include={"name", "value"}) == {"name": "crps", "value": 4.0}


def test_an_unknown_monitor_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="rmse"):
        make_task("forecast", {"monitor": "acc"}).measure([(torch.zeros(1, 1, 1, 1), batch([[[3.0]]]))])


def test_intervals_hold_what_they_promise_on_new_data() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(4000, 2, 1)) * np.array([1.0, 3.0])[:, None]
    output = np.zeros((4000, 2, 1, 1))
    task = Forecast()
    plain = NumberDecoding(task="forecast", targets=("y",), horizon=2)
    fitted = task.calibrate(output[:2000], truth[:2000], plain)
    answer = decode(output[2000:], fitted)
    found = {s.name: s.value for s in task.metrics(truth[2000:], answer)}
    assert found["coverage"] == pytest.approx(0.9, abs=0.02)
    sigma = np.array([1.0, 3.0])
    expected = np.mean(sigma) / np.sqrt(np.pi)  # CRPS of a normal forecast of its own noise
    assert found["crps"] == pytest.approx(expected, rel=0.05)
    assert task.calibrate(output[:0], truth[:0], plain) is plain


def test_figures_in_units_standardised_and_scaled() -> None:
    truth = np.zeros((2, 2, 2))
    answer = Answer("forecast", np.array([[[1.0, 10.0]] * 2, [[3.0, 30.0]] * 2]), targets=("a", "b"))
    scales = Scales(deviation=np.array([1.0, 10.0]), naive=np.array([[1.0, 10.0], [2.0, 20.0]]))
    found = {s.name: s.value for s in Forecast().metrics(truth, answer, scales)}
    assert found["mae"] == 11 and found["mae_standardised"] == 2 and found["mse_standardised"] == 5
    assert found["rmse:a"] == pytest.approx(np.sqrt(5)) and found["rmse:b"] == pytest.approx(np.sqrt(500))
    assert found["mase"] == pytest.approx((1 + 1.5) / 2)
    assert "mape" not in found  # the truth is zero everywhere


def test_the_headline_depends_on_what_is_comparable() -> None:
    one, two = (Answer("forecast", np.zeros((2, 1, m)), targets=("a", "b")[:m]) for m in (1, 2))
    same, different = np.array([[1.0], [1.0]]), np.array([[1.0], [5.0]])
    assert Forecast().headline(one, Scales(naive=same)) == "rmse"
    assert Forecast().headline(one, Scales(naive=different)) == "mase"
    assert Forecast().headline(two, Scales(deviation=np.ones(2))) == "mse_standardised"


def test_a_window_that_does_not_fit_is_a_sentence(make_series: Any) -> None:
    series = make_series([9])
    with pytest.raises(DataError, match=r"8 input rows and 4 rows to predict.*longest sequence has 9 rows"):
        make_task("forecast", {"horizon": 4}).samples(series, [(0, 0, 9)], window=8)
    assert len(make_task("forecast", {"horizon": 4}).samples(series, [], window=8)) == 0


@pytest.mark.parametrize("quantiles", [[], [0.5, 0.1], [0.0, 0.5], [0.5, 0.5], [0.5, 1.0]])
def test_quantiles_that_make_no_sense_are_refused(quantiles: list[float]) -> None:
    with pytest.raises(ConfigError, match="quantiles"):
        make_task("forecast", {"quantiles": quantiles})


def test_a_category_cannot_be_forecast(make_series: Any) -> None:
    series = make_series([5], [Column(name="y", role="target", kind="category", categories=("a", "b"))])
    with pytest.raises(ConfigError, match="'y' is a category"):
        Forecast().outputs(series)
    with pytest.raises(ConfigError, match="needs a target"):
        Forecast().outputs(make_series([5], [Column(name="u")]))
