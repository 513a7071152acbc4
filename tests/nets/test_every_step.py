"""Nets that answer at every step: the plan, streams and padding agree with the net."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled.core.errors import ConfigError
from unrolled.nets import Net, NetSpec
from unrolled.nets.custom import CustomNet
from unrolled.program.check import check
from unrolled.program.plan import run
from unrolled.program.shapes import Inputs, Outputs

_INPUTS = Inputs(numbers=2, categories=(5,), static_numbers=2)
_EVERY = Outputs(targets=2, values=3, every=True)
_SPECS: dict[str, list[Any]] = {
    "causal": [{"lstm": {"size": 6}}, {"linear": {"hidden": [5]}}],
    "two-way": [{"gru": {"size": 6, "bidirectional": True}}],
    "autoencoder": [{"gru": {"size": 6}}, {"bottleneck": {"size": 3}}, "positions", {"gru": {"size": 4}}],
}


def _given(batch: int = 3, steps: int = 7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.randn(batch, steps, 3)
    x[..., 2] = torch.randint(0, 6, (batch, steps)).float()
    return x, torch.tensor([steps, 4, 1])[:batch], torch.randn(batch, 2)


@pytest.mark.parametrize("spec", _SPECS.values(), ids=_SPECS)
def test_the_plan_and_shorter_sequences_agree(spec: list[Any]) -> None:
    x, lengths, static = _given()
    net = Net(spec, _INPUTS, _EVERY).eval()
    y = net(x, lengths, static)
    assert y.shape == (3, 7, 2, 3)
    weights = {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}
    plan = check(net.plan(), weights)
    found = run(plan, weights, x.numpy(), lengths.numpy(), static.numpy())
    for row, length in enumerate(lengths.tolist()):
        alone = net(x[row : row + 1, :length], None, static[row : row + 1])[0]
        torch.testing.assert_close(y[row, :length], alone)
        np.testing.assert_allclose(found[row, :length], alone.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_stream_gives_the_answer_of_each_step() -> None:
    x, _, static = _given()
    net = Net(_SPECS["causal"], _INPUTS, _EVERY).eval()
    whole = net(x, None, static).detach().numpy()
    stream = net.stream(3, static=static)
    first, rest = stream.step(x[:, 0].numpy()), stream.process(x[:, 1:].numpy())
    assert first.shape == (3, 1, 2, 3) and rest.shape == (3, 6, 1, 2, 3)
    np.testing.assert_allclose(np.concatenate([first[:, None], rest], 1)[:, :, 0], whole, rtol=1e-4, atol=1e-5)


def test_an_autoencoder_does_not_stream() -> None:
    net = Net(_SPECS["autoencoder"], _INPUTS, _EVERY)
    with pytest.raises(ConfigError, match=r"net\[1\].*bottleneck"):
        net.stream()
    from unrolled.runtime import Stream

    weights = {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}
    with pytest.raises(ConfigError, match="spread"):
        Stream(net.plan(), weights, static=np.zeros((1, 2), np.float32))


def test_no_pooling_is_added_and_none_is_taken() -> None:
    assert [layer.name for layer in NetSpec.parse(["lstm"], every=True).layers] == ["lstm", "linear"]
    for spec in (["lstm", "pool"], [{"conv": {"stride": 2}}], [{"patch": {"length": 2}}]):
        with pytest.raises(ConfigError, match="answer at each step"):
            Net(spec, Inputs(numbers=2), _EVERY)
    with pytest.raises(ConfigError, match=r"net\[1\].*use the head linear|'decoder' does not give"):
        NetSpec.parse(["lstm", "decoder"], every=True)


def test_a_module_of_ones_own_answers_every_step() -> None:
    net = CustomNet(torch.nn.Linear(2, 6), Inputs(numbers=2), _EVERY)
    x = torch.randn(4, 5, 2)
    torch.testing.assert_close(net(x), net.module(x).reshape(4, 5, 2, 3))
    with pytest.raises(ConfigError, match=r"Return \(B, 5, 2, 3\)"):
        CustomNet(torch.nn.Linear(2, 5), Inputs(numbers=2), _EVERY)(x)
