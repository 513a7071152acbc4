"""What every preset keeps: batches and padding change nothing, the plan equals the net, and so does its stream."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.core.tolerances import TOLERANCES
from unrolled.nets import Net, NetSpec
from unrolled.nets.presets import Preset, presets
from unrolled.program.plan import run
from unrolled.program.shapes import Inputs, Outputs

EVERY = pytest.mark.parametrize("entry", presets(), ids=lambda entry: entry.name)
CLOSE = TOLERANCES["float64"]._asdict()
STEPS = 26  # more than a piece of the hierarchical net


def made(entry: Preset) -> Net:
    """The preset in double precision, for inputs that its task has."""
    torch.manual_seed(0)
    items = 6 if "recommend" in entry.task else 0
    inputs = Inputs(
        numbers=0 if items else 36 if entry.name == "video" else 3,
        categories=(items,) if items else (),
        targets=2 if "forecast" in entry.task else 0,
        masked=(0,),
    )
    every = not {"tag", "anomaly"}.isdisjoint(entry.task)
    values = 1 if "pairs" in entry.task else items or 2
    outputs = Outputs(steps=10, targets=2) if "forecast" in entry.task else Outputs(values=values, every=every)
    return Net(entry.name, inputs, outputs).double().eval()


def batch(entry: Preset, net: Net, count: int = 3) -> tuple[Tensor, Tensor]:
    """``(B, T, D)`` and true lengths."""
    random = torch.Generator().manual_seed(1)
    x = torch.randn(count, STEPS, net.x.columns, generator=random, dtype=torch.float64)
    lengths = torch.tensor([STEPS, 7, 25][:count])
    if "recommend" in entry.task:
        x = torch.randint(0, 7, x.shape, generator=random).double()
    if "pairs" in entry.task:  # the first column says which side a step belongs to
        x[..., 0] = (torch.arange(STEPS) >= lengths[:, None] // 2).double()
    return x, lengths


@EVERY
def test_neighbours_and_padding_change_nothing(entry: Preset) -> None:
    net = made(entry)
    x, lengths = batch(entry, net)
    with torch.no_grad():
        together = net(x.masked_fill((torch.arange(STEPS) >= lengths[:, None])[..., None], torch.nan), lengths)
        for b, length in enumerate(lengths.tolist()):
            steps = slice(length) if net.outputs.every else slice(None)
            alone = net(x[b : b + 1, :length], lengths[b : b + 1])
            torch.testing.assert_close(alone[0], together[b][steps], **CLOSE)


@EVERY
def test_the_plan_is_the_net(entry: Preset) -> None:
    net = made(entry)
    x, lengths = batch(entry, net)
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        expected = net(x, lengths).numpy()
    found = run(net.plan(), weights, x.numpy(), lengths.numpy())
    for b, length in enumerate(lengths.tolist()):
        steps = slice(length) if net.outputs.every else slice(None)
        np.testing.assert_allclose(found[b][steps], expected[b][steps], **CLOSE)


@EVERY
def test_it_streams_or_says_what_waits(entry: Preset) -> None:
    net = made(entry)
    if net.streamable():
        assert all(note.en.startswith("net[") and note.zh for note in net.streamable())
        with pytest.raises(ConfigError, match="cannot run step by step"):
            net.stream()
        return
    x, _ = batch(entry, net, count=1)
    found = torch.from_numpy(np.array(net.stream().process(x.numpy())))
    with torch.no_grad():
        for t in (0, 9, STEPS - 1):
            expected = net(x[:, : t + 1])
            at = expected[:, -1:] if net.outputs.every else expected
            torch.testing.assert_close(found[:, t].reshape(at.shape), at, rtol=1e-6, atol=1e-8)


@EVERY
def test_every_weight_learns_and_the_spec_builds_it_again(entry: Preset) -> None:
    net = made(entry).train()
    x, lengths = batch(entry, net)
    y = net(x, lengths)
    answers: list[Any] = [y, *net.other_answers()]
    torch.autograd.backward(torch.stack([(answer * torch.randn_like(answer)).sum() for answer in answers]).sum())
    without = [name for name, weight in net.named_parameters() if weight.grad is None]
    assert not [name for name in without if name.startswith("layers")]
    again = Net(NetSpec.parse(net.spec.dump(), every=net.outputs.every), net.inputs, net.outputs).double().eval()
    again.load_state_dict(net.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(again(x, lengths), net.eval()(x, lengths), equal_nan=True, **CLOSE)
