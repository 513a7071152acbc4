"""Streams of different kind and rate in one net: columns by name, and layers at a slower pace."""

from __future__ import annotations

import copy
import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError, DataError
from unrolled.nets import Net, Recurrent
from unrolled.program.shapes import Inputs, Outputs
from unrolled.testing.compare import assert_close

NAMED = Inputs(numbers=4, categories=(5,), masked=(1,), names=("fast", "slow", "time_delta", "slow", "kind"))


def _two(*slow: Any, merge: str = "gated", every: int = 3) -> list[Any]:
    branches = [[{"gru": {"size": 4}}], [{"slow": {"every": every, "layers": [*slow]}}]]
    return [{"parallel": {"branches": branches, "columns": [["fast"], ["slow"]], "merge": merge}}]


def _net(spec: list[Any], inputs: Inputs = NAMED) -> Net:
    torch.manual_seed(0)
    return Net(spec, inputs, Outputs(values=2)).eval()


def _x(steps: int = 11) -> Tensor:
    x = torch.randn(2, steps, 5, generator=torch.Generator().manual_seed(1))
    x[..., 4] = torch.arange(steps) % 5
    return x


def test_a_name_stands_for_all_that_is_made_of_it() -> None:
    spec = [{"parallel": {"branches": [["lstm"], ["lstm"]], "columns": [["kind", 0], ["slow"]]}}]
    layer: Any = _net(spec).layers[0]
    assert layer.columns == ((4, 5, 6, 7, 0), (1, 3))


@pytest.mark.parametrize(
    ("before", "columns", "said"),
    [
        ([], ["fats"], "Did you mean 'fast'"),
        ([{"dense": {"size": 4}}], ["fast"], "have no names here"),
        ([], [8], "reads column 8, and there are 8"),
    ],
)
def test_columns_that_are_not_there(before: list[Any], columns: list[Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _net([*before, {"parallel": {"branches": [["gru"], ["gru"]], "columns": [columns, [0]]}}])
    with pytest.raises(ConfigError, match="have no names here"):
        _net(_two("gru"), Inputs(numbers=3))


def test_slow_layers_by_hand() -> None:
    net, x = _net([{"slow": {"every": 3, "layers": [{"gru": {"size": 4}}]}}, {"pool": {"kind": "mean"}}]), _x()
    part: Any = net.layers[0]
    gru = nn.GRU(8, 4, batch_first=True)
    gru.load_state_dict(part.layers[0].rnn.state_dict())
    told = gru(net.x(x)[:, ::3])[0]
    held = torch.stack([told[:, t // 3] for t in range(11)], 1)
    head: Any = net.layers[2]
    torch.testing.assert_close(net(x).flatten(1), head.trunk[0](held.mean(1)))


@pytest.mark.parametrize("merge", ["concat", "sum", "gated", "attention"])
@pytest.mark.parametrize("slow", [[{"gru": {"size": 4}}], [{"conv": {"padding": "causal", "kernel": 2}}, "layer_norm"]])
def test_two_rates_stream(slow: list[Any], merge: str) -> None:
    net, x = _net([*_two(*slow, merge=merge), {"lstm": {"size": 3}}]), _x()
    with torch.no_grad():
        expected = torch.stack([net(x[:, : t + 1]) for t in range(11)], 1)
    assert not net.streamable()
    stream = net.stream(batch=2)
    steps = [torch.from_numpy(np.array(stream.step(x[:, t].numpy()))) for t in range(4)]
    kept = stream.snapshot()
    torch.testing.assert_close(torch.stack(steps, 1), expected[:, :4], rtol=1e-4, atol=1e-5)
    for cuts in ([4, 6, 7, 11], [4, 4, 11]):
        stream.restore(kept)
        chunks = [stream.process(x[:, a:b].numpy()) for a, b in pairwise(cuts)]
        torch.testing.assert_close(torch.from_numpy(np.concatenate(chunks, 1)), expected[:, 4:], rtol=1e-4, atol=1e-5)
    stream.reset()
    torch.testing.assert_close(torch.from_numpy(stream.process(x.numpy())), expected, rtol=1e-4, atol=1e-5)


def test_a_slow_layer_inside_a_slow_one_streams() -> None:
    inner = {"slow": {"every": 2, "layers": [{"gru": {"size": 3}}]}}
    net, x = _net([{"slow": {"every": 3, "layers": [{"rnn": {"size": 4}}, inner]}}]), _x(14)
    with torch.no_grad():
        expected = torch.stack([net(x[:, : t + 1]) for t in range(14)], 1)
    torch.testing.assert_close(torch.from_numpy(net.stream(batch=2).process(x.numpy())), expected, rtol=1e-4, atol=1e-5)


def test_what_pooled_slow_layers_say_is_held() -> None:
    spec = _two({"gru": {"size": 4}}, {"pool": {"kind": "mean"}})
    spec[0]["parallel"]["branches"][0].append("pool")
    net, x = _net(spec), _x()
    with torch.no_grad():
        expected = torch.stack([net(x[:, : t + 1]) for t in range(11)], 1)
    stream = net.stream(batch=2)
    steps = [torch.from_numpy(np.array(stream.step(x[:, t].numpy()))) for t in range(11)]
    torch.testing.assert_close(torch.stack(steps, 1), expected, rtol=1e-4, atol=1e-5)


def test_slow_layers_keep_every_step() -> None:
    with pytest.raises(ConfigError, match="keep every step"):
        _net([{"slow": {"every": 2, "layers": [{"conv": {"stride": 2}}]}}])


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda stream: pickle.loads(pickle.dumps(stream))])
def test_a_copy_goes_on_from_the_same_state_by_itself(lazy: bool, copied: Any) -> None:
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).numpy()
    torch.manual_seed(0)
    net = Net([{"conv": {"channels": 4, "padding": "causal", "norm": None}}, "gru"], Inputs(numbers=3), Outputs())
    for first in (Recurrent("lstm", 3, 4, 2).stream(lazy=lazy), net.eval().stream(lazy=lazy)):
        for row in x[:3]:
            first.step(row)
        second = copied(first)
        ahead = [first.step(row) for row in x[3:]]
        for row, expected in zip(x[3:], ahead, strict=True):
            assert np.array_equal(second.step(row), expected)


def test_weights_of_bfloat16_stream_in_float32() -> None:
    torch.manual_seed(0)
    layer, x = Recurrent("gru", 3, 4, dtype=torch.bfloat16), torch.randn(5, 3)
    expected, _ = copy.deepcopy(layer).float()(x[None])
    y = layer.stream().process(x.numpy())
    assert y.dtype == np.float32
    assert_close(torch.from_numpy(y), expected[0], "stream")


@pytest.mark.parametrize("state", [None, 5, (), ((np.zeros((1, 3)),),)])
def test_what_is_no_state_is_refused(state: Any) -> None:
    with pytest.raises(DataError, match="state"):
        Recurrent("gru", 3, 4).stream().restore(state)
