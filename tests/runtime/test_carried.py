"""Layers that remember more than a cell's state, step by step: they equal the whole sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled.core.errors import DataError
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

B, T = 2, 11
HOLES = Inputs(numbers=5, masked=(1,), time_delta=True, length=T)
SPECS: list[list[Any]] = [
    ["decay", {"gru_d": {"size": 4}}],
    [{"delta": {"threshold": 0.4}}, {"gru_delta": {"size": 4, "threshold": 0.1}}, "delta"],
    [{"memory": {"size": 4, "slots": 5, "width": 3, "heads": 2}}, {"linear": {"hidden": [3]}}],
    [{"lstm": {"size": 6}}, {"top_k": {"keep": 0.5}}, "layer_norm"],
    [{"early_exit": {"layers": ["decay", {"lstm_time_aware": {"size": 4}}], "threshold": 0.55}}],
]


def _net(spec: list[Any]) -> Net:
    torch.manual_seed(0)
    net = Net(spec, HOLES, Outputs(values=2)).double().eval()
    with torch.no_grad():
        for weight in net.parameters():
            weight.normal_(std=0.5)
    assert not net.streamable()
    return net


def _x() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(B, T, 5, generator=generator, dtype=torch.float64)
    x[..., 4] = (torch.rand(B, T, generator=generator) < 0.6).double()
    x[1, :3, 4] = 1
    return x


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("cuts", [[1] * T, [4, 0, 1, 6], [T]], ids=str)
def test_any_cutting_gives_the_answers_so_far(spec: list[Any], cuts: list[int]) -> None:
    net, x = _net(spec), _x()
    with torch.no_grad():
        expected = torch.stack([net(x[:, : t + 1]) for t in range(T)], 1).numpy()
    stream = net.stream(batch=B)
    parts = [stream.process(part.numpy()) for part in torch.split(x, cuts, 1)]
    np.testing.assert_allclose(np.concatenate(parts, 1), expected, rtol=1e-6, atol=1e-8)
    stream.reset()
    np.testing.assert_allclose(stream.process(x.numpy()), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_snapshot_goes_on_elsewhere(spec: list[Any]) -> None:
    net, x = _net(spec), _x().numpy()
    stream, other = (net.stream(batch=B) for _ in range(2))
    fresh = stream.snapshot()
    stream.process(x[:, :4])
    state = stream.snapshot()
    first = stream.process(x[:, 4:])
    other.restore(state)
    assert np.array_equal(other.process(x[:, 4:]), first)
    stream.restore(fresh)
    assert np.array_equal(stream.process(x[:, :4]), net.stream(batch=B).process(x[:, :4]))


def test_a_state_of_another_number_of_streams_is_refused() -> None:
    net, x = _net(SPECS[1]), _x().numpy()
    one = net.stream()
    one.process(x[:1])
    with pytest.raises(DataError, match="streams"):
        net.stream(batch=B).restore(one.snapshot())
