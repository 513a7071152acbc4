"""Gain, order, leaks beyond the past, cells compared, the gain at the edge, and the range of learning rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.diagnose.nets import batch_of, net_of, recurrent_of, squared
from torch import nn

from unrolled.cells import cell
from unrolled.data import Batch
from unrolled.diagnose import exponents, observe
from unrolled.diagnose.compared import through_time
from unrolled.diagnose.edge import edge_factor
from unrolled.diagnose.gain import gain, gains
from unrolled.diagnose.gates import gates
from unrolled.diagnose.inputs import inputs
from unrolled.diagnose.leak import leak
from unrolled.diagnose.order import order, roughness, shuffled
from unrolled.diagnose.rates import rate_range
from unrolled.prepare.decoding import NumberDecoding
from unrolled.train import TrainSettings


@pytest.mark.parametrize(("start", "expected"), [("orthogonal", 1.0), ("uniform", 3**-0.5)])
def test_the_gain_of_known_starts(start: str, expected: float) -> None:
    net = net_of({"gru": {"size": 64, "initial": {"recurrent": start}}})
    (run,) = observe(net, batch_of(count=2, time=5), squared)
    assert gain(run) == pytest.approx(expected, rel=0.02)


def test_a_cell_without_a_matrix_has_no_gain() -> None:
    (run,) = observe(net_of({"indrnn": {"size": 8}}), batch_of(count=2, time=5), squared)
    assert gain(run) is None and list(gains(run, None)) == []


def test_a_weak_start_is_told_even_when_training_healed_it() -> None:
    net, weak = net_of({"gru": {"size": 16}}), net_of({"gru": {"size": 16}})
    with torch.no_grad():
        for weights in recurrent_of(weak).weights():
            weights["weight_hh"].mul_(0.1)
    batch = batch_of(count=2, time=5)
    (run,), (start,) = observe(net, batch, squared), observe(weak, batch, squared)
    (found,) = gains(run, start)
    assert found.code == "gain_low" and found.figures["start"] == pytest.approx(0.1, rel=1e-3)
    assert next(gains(run, None)).code == "gain_usual"


def smooth_batch(*, ragged: bool = False) -> Batch:
    batch = batch_of(count=40, ragged=ragged)
    return replace(batch, x=batch.x.cumsum(1))


@pytest.mark.parametrize("ragged", [False, True])
def test_roughness_is_one_of_shuffled_steps_and_small_of_smooth_ones(ragged: bool) -> None:
    batch = smooth_batch(ragged=ragged)
    mixed = shuffled(batch, torch.Generator().manual_seed(0))
    rough, smooth = roughness([mixed]), roughness([batch])
    assert rough is not None and smooth is not None
    assert rough > 0.9 and smooth < 0.5


def test_roughness_looks_at_measured_columns_only() -> None:
    batch = batch_of(count=40)
    x = batch.x.clone()
    x[..., 2] = torch.linspace(-1, 1, 30)  # a calendar stays smooth in a file whose rows are shuffled
    clock = replace(batch, x=x)
    assert (roughness([clock], 2) or 0) > 0.9 > (roughness([clock]) or 0)


def test_order_is_judged_sample_by_sample() -> None:
    """A net that answers the last value: shuffled, its loss rises; a mean over time does not notice."""

    class Last(nn.Module):
        def forward(self, x: torch.Tensor, **_: object) -> torch.Tensor:
            return x[:, -1, :1]

    class Mean(nn.Module):
        def forward(self, x: torch.Tensor, **_: object) -> torch.Tensor:
            return x.mean(1)[:, :1]

    batch = smooth_batch()
    told = replace(batch, y=batch.x[:, -1, :1] + 0.1)
    assert next(order(Last(), [told], squared)).code == "order_matters"
    assert next(order(Mean(), [told], squared)).code == "order_unused"


def test_prices_of_a_day_are_no_leak_and_the_price_to_come_is_one() -> None:
    random = np.random.default_rng(0)
    close = 100 + random.normal(size=2000).cumsum()
    beside = close + 0.1 * random.normal(size=2000)
    ends = np.arange(50, 1900, 5)

    def batch(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Batch:
        x = np.stack([np.stack([close[e - 10 : e], column[e - 10 : e]], 1) for e in ends])
        y = np.stack([close[e : e + 3] for e in ends])[..., None]
        return Batch(x=torch.from_numpy(x).float(), y=torch.from_numpy(y).float())

    assert leak([batch(beside)], ["close", "beside"], 1, False).code == "no_leak"
    for ahead in (1, 3):  # any step of the horizon
        found = leak([batch(np.roll(close, -ahead))], ["close", "future"], 1, False)
        assert found.code == "leaked_target" and "'future'" in found.said.en


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_compared_gradient_is_that_of_the_jacobian(name: str) -> None:
    """In random directions the mean square of the gradient is the squared Frobenius norm of dh_T / dh_t."""
    (run,) = observe(net_of({"gru": {"size": 4}}), batch_of(count=1, time=6), squared)
    many = replace(run, request=run.request.but(x=run.request.x.detach().repeat(4000, 1, 1)))
    found = through_time(name, many)
    assert found.request.cell == cell(name)
    layer = {key: value.detach() for key, value in found.request.weights.items()}
    fresh = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[name](3, 4, batch_first=True)
    fresh.load_state_dict({f"{key}_l0": value for key, value in layer.items()})
    before = tuple(part[:1] for part in found.states[3])
    rest = run.request.x.detach()[:1, 3:]

    def last(h: torch.Tensor) -> torch.Tensor:
        state = (h[None], before[1].detach()[None]) if name == "lstm" else h[None]
        result: torch.Tensor = fresh(rest, state)[0][0, -1]
        return result

    jacobian = torch.autograd.functional.jacobian(last, before[0].detach())  # type: ignore[no-untyped-call]
    square = found.gradients[2][0].square().sum(1).mean()
    assert float(square) == pytest.approx(float(jacobian.square().sum()), rel=0.1)


def test_the_edge_gain_leads_to_the_edge() -> None:
    net, batch = net_of({"rnn": {"size": 24, "initial": {"recurrent": "orthogonal"}}}), batch_of(count=4, time=90)
    with torch.no_grad():
        for name, parameter in recurrent_of(net).named_parameters():
            parameter.mul_(0.5 if "hh" in name else 0.3)
    (run,) = observe(net, batch, squared)
    factor = edge_factor(run)
    assert factor is not None and factor > 1.5 and exponents(run, 1)[0] < -0.4
    with torch.no_grad():
        for name, parameter in recurrent_of(net).named_parameters():
            if "hh" in name:
                parameter.mul_(factor)
    assert abs(exponents(observe(net, batch, squared)[0], 1)[0]) < 0.05


def test_inputs_and_attention_are_told() -> None:
    net, batch = net_of({"gru": {"size": 8}}, {"attention": {}}, "linear"), batch_of(ragged=True)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "weight_ih" in name:
                parameter[:, 2] = 0
    decoding = NumberDecoding(task="regress", targets=("y",))
    told = {found.code: found for found in inputs(net, [batch], ["a", "b", "c"], decoding)}
    assert "'c'" in told["inputs_idle"].said.en and told["inputs_idle"].figures["idle"] == 1
    shares = dict(zip(told["inputs_idle"].pictures[0].labels, told["inputs_idle"].pictures[0].values, strict=True))  # type: ignore[union-attr]
    assert sum(shares.values()) == pytest.approx(1) and shares["c"] == 0
    (attention,) = (found for code, found in told.items() if code.startswith("attention"))
    assert attention.level == "watch"  # untrained, it weighs all steps alike


class Endless:
    """The same batches every epoch."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return 1

    def epoch(self, number: int = 0, start: int = 0) -> Iterator[Batch]:
        yield self.batch


@pytest.mark.parametrize(
    ("rate", "code"), [(0.01, "rate_in_range"), (5.0, "rate_above_range"), (1e-7, "rate_below_range")]
)
def test_the_range_of_learning_rates(rate: float, code: str) -> None:
    net, batch = net_of({"gru": {"size": 8}}), batch_of(count=16, time=10)
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    learnable = replace(batch, y=batch.x.mean((1, 2))[:, None])
    found = rate_range(net, Endless(learnable), squared, TrainSettings(learning_rate=rate, device="cpu"))
    assert found.code == code
    assert all(torch.equal(weights[name], value) for name, value in net.state_dict().items())
    assert found.figures["lowest"] == pytest.approx(10 * found.figures["chosen"], rel=0.06)


def test_a_gate_that_began_closed_is_told_though_training_opened_it() -> None:
    net, closed = net_of({"lstm": {"size": 8}}), net_of({"lstm": {"size": 8, "initial": {"forget": -6}}})
    batch = batch_of(count=4, time=10)
    (run,), (start,) = observe(net, batch, squared), observe(closed, batch, squared)
    told = {found.code: found.level for found in gates(run, start)}
    assert told["forgot_at_once"] == "watch"
    assert "memory_held" in {found.code for found in gates(run, run)}
