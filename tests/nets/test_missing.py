"""Missing and irregular data: decay of inputs and state, from the columns that ``prepare`` gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.nets import Net
from unrolled.prepare.build import build
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import infer
from unrolled.prepare.table import Table
from unrolled.program.shapes import Inputs, Outputs

HOLES = Inputs(numbers=6, categories=(3,), masked=(0, 2), time_delta=True)
"""Three numbers, log2 of the interval, marks of numbers 0 and 2, then a category."""


def _x(batch: int = 3, time: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, time, 7, generator=generator, dtype=torch.float64)
    x[..., 4:6] = (torch.rand(batch, time, 2, generator=generator) < 0.5).double()
    x[..., 6] = torch.randint(0, 3, (batch, time), generator=generator).double()
    x[:, 0, 3] = 0
    return x


def _decayed(x: Tensor, rates: Tensor, biases: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's recurrences, number by number (eq. 2, 10, 11); the mean is what stands where a number is missing."""
    filled, since = x.clone(), torch.zeros(*x.shape[:2], 2, dtype=x.dtype)
    for b in range(len(x)):
        for k, column in enumerate((0, 2)):
            delta, last, missing = 0.0, math.nan, False
            for t in range(x.shape[1]):
                interval = 2 ** x[b, t, 3].item()
                delta = 0.0 if t == 0 else interval + (delta if missing else 0.0)
                missing = x[b, t, 4 + k].item() == 1
                mean = x[b, t, column].item()
                if not missing:
                    last = mean
                elif not math.isnan(last):
                    share = math.exp(-max(0.0, rates[k].item() * delta + biases[k].item()))
                    filled[b, t, column] = share * last + (1 - share) * mean
                since[b, t, k] = math.log2(1 + delta)
    return filled, since


def test_decay_by_hand() -> None:
    torch.manual_seed(0)
    net = Net(["decay", {"gru_d": {"size": 3}}], HOLES, Outputs()).double().eval()
    layer: Any = net.layers[0]
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.3, 0.05]))
        layer.bias.copy_(torch.tensor([-0.2, 0.1]))
    seen: list[Tensor] = []
    layer.register_forward_hook(lambda _module, _given, flow: seen.append(flow.x))
    x = _x()
    net(x)
    filled, since = _decayed(x, layer.weight, layer.bias)
    embedded = seen[0].shape[-1] - 8
    assert embedded == net.x.size - 6
    torch.testing.assert_close(seen[0][..., :6], filled[..., :6])
    torch.testing.assert_close(seen[0][..., -2:], since)


def test_without_intervals_each_step_counts_as_one() -> None:
    net = Net(["decay"], Inputs(numbers=2, masked=(0,)), Outputs()).eval()
    seen: list[Tensor] = []
    net.layers[0].register_forward_hook(lambda _module, _given, flow: seen.append(flow.x))
    net(torch.tensor([[[4.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [5.0, 0.0], [6.0, 0.0]]]))
    torch.testing.assert_close(seen[0][0, :, 2], torch.log2(1 + torch.tensor([0.0, 1, 2, 3, 4, 1])))
    torch.testing.assert_close(seen[0][0, 1:4, 0], 4 * torch.exp(-0.1 * torch.tensor([1.0, 2, 3])))


def _table() -> Table:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(60, 2))
    numbers[random.random((60, 2)) < 0.4] = np.nan
    stamps = np.datetime64("2026-01-01", "m") + np.cumsum(random.integers(1, 90, 60)).astype("timedelta64[m]")
    return Table(
        {
            "t": stamps,
            "whole": random.normal(size=60),
            "a": numbers[:, 0],
            "b": numbers[:, 1],
            "y": random.normal(size=60),
        },
        source="table",
    )


def test_columns_stand_where_prepare_puts_them() -> None:
    """From a file's holes and times to what the net is told of them."""
    table = _table()
    schema, _ = infer(table, task="regress", target="y", time="t", missing="mask", time_delta=True, calendar=())
    series = build(table, schema)
    preprocessor = Preprocessor(schema).fit(series, [(0, 0, 60)])
    inputs = preprocessor.inputs()
    raw = series.values[:, [series.index(column) for column in series.of_role("feature")]]
    x = preprocessor.arrays(series, Samples(np.array([0]), np.array([60]), np.array([0]))).x[0]
    assert inputs.time_delta and [bool(np.isnan(raw[:, at]).any()) for at in range(3)] == [
        at in inputs.masked for at in range(3)
    ]
    marks = inputs.numbers - len(inputs.masked)
    np.testing.assert_array_equal(x[:, marks : inputs.numbers], np.isnan(raw[:, list(inputs.masked)]))
    assert series.time is not None and schema.rhythm is not None
    passed = np.diff(series.time).astype("timedelta64[s]").astype(float) / schema.rhythm.step
    np.testing.assert_allclose(2 ** x[1:, marks - 1], passed, rtol=1e-5)
    assert type(preprocessor).from_json(preprocessor.to_json()).inputs() == inputs
    net = Net("gru-d", inputs, Outputs())
    assert torch.isfinite(net(torch.from_numpy(x[None]))).all()


def test_what_an_early_bundle_does_not_say_is_no_contradiction() -> None:
    assert HOLES.sizes == Inputs(numbers=6, categories=(3,)) and HOLES.sizes != HOLES


@pytest.mark.parametrize(
    ("spec", "inputs", "said"),
    [
        (["decay"], Inputs(numbers=3), "missing: mask"),
        (["decay"], Inputs(numbers=3, masked=(1,), time_delta=True), "not among"),
        (["dense", "decay"], HOLES, r"net\[1\]\.decay: .*first layer"),
        ([{"residual": {"layers": ["decay"]}}], HOLES, "first layer"),
        ([{"parallel": {"branches": [["decay"], ["dense"]], "columns": [[0], [1]]}}], HOLES, "first layer"),
    ],
)
def test_decay_needs_the_columns_as_they_are(spec: list[Any], inputs: Inputs, said: str) -> None:
    with pytest.raises(ConfigError, match="(?s)" + said):
        Net(spec, inputs, Outputs())


def test_a_stale_state_fades() -> None:
    """With a decay that follows the interval alone, a long gap leaves nothing of what was before."""
    torch.manual_seed(0)
    net = Net(["decay", {"gru_d": {"size": 4}}], HOLES, Outputs()).double().eval()
    rnn: Any = net.layers[1]
    with torch.no_grad():
        rnn.rnn.weight_ih_l0[12:] = 0
        rnn.rnn.weight_ih_l0[12:, 3] = 1.0
    x, other = _x(), _x()
    other[:, :4, :3] += 1
    x[:, 4:, 4:6] = other[:, 4:, 4:6] = 0
    near, apart = (x.clone(), other.clone()), (x, other)
    for pair, gap in ((near, 0.0), (apart, 30.0)):
        for each in pair:
            each[:, 4, 3] = gap
    assert (net(near[0]) - net(near[1])).abs().max() > 1e-3
    torch.testing.assert_close(net(apart[0]), net(apart[1]), rtol=0, atol=1e-9)
