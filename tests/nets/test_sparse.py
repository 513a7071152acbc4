"""Sparse changes and activations, and the multiplications that they save, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.nets import Net, multiplications, ops
from unrolled.program.shapes import Inputs, Outputs


def _net(*spec: Any, numbers: int = 3) -> Net:
    torch.manual_seed(0)
    return Net([*spec], Inputs(numbers=numbers), Outputs()).eval()


def test_delta_tells_what_moved() -> None:
    x = torch.tensor([[[0.04], [0.2], [0.28], [0.31], [0.25], [-0.2]]])
    told = torch.tensor([[[0.0], [0.2], [0.2], [0.31], [0.31], [-0.2]]])
    torch.testing.assert_close(ops.delta(x, threshold=0.1)[0], told)
    torch.testing.assert_close(ops.delta(x, threshold=0.0)[0], x)


def test_top_k_keeps_the_largest_of_each_step() -> None:
    net = _net({"dense": {"size": 7, "activation": None}}, {"top_k": {"keep": 0.4}}, "pool")
    seen: list[Any] = []
    net.layers[1].register_forward_hook(lambda _module, given, flow: seen.append((given[0].x, flow.x)))
    net(torch.randn(4, 5, 3))
    before, after = seen[0]
    for row, kept in zip(before.flatten(0, 1), after.flatten(0, 1), strict=True):
        largest = sorted(range(7), key=lambda k: -abs(row[k].item()))[:3]
        torch.testing.assert_close(kept, torch.where(torch.isin(torch.arange(7), torch.tensor(largest)), row, 0))


def test_delta_gru_without_threshold_is_the_gru() -> None:
    net, plain = _net({"gru_delta": {"size": 5, "threshold": 0}}), _net({"gru": {"size": 5}})
    plain.load_state_dict(net.state_dict())
    x = torch.randn(2, 9, 3)
    torch.testing.assert_close(net(x), plain(x))


def _slow(lengths: list[int] | None = None) -> tuple[Tensor, Tensor | None]:
    x = torch.randn(2, 40, 3, generator=torch.Generator().manual_seed(1)).mul(0.1).cumsum(1)
    return x, None if lengths is None else torch.tensor(lengths)


@pytest.mark.parametrize("lengths", [None, [40, 17]])
def test_delta_networks_are_counted_product_by_product(lengths: list[int] | None) -> None:
    net = _net({"delta": {"threshold": 0.2}}, {"gru_delta": {"size": 4, "threshold": 0.1}})
    x, true = _slow(lengths)
    rnn: Any = net.layers[1]
    weights = rnn.rnn.state_dict()
    needed = 0
    for b, steps in enumerate(lengths or [40, 40]):
        h, told_h, told_x = torch.zeros(4), torch.zeros(4), torch.zeros(3)
        for t in range(steps):
            new_x = torch.where((x[b, t] - told_x).abs() > 0.2, x[b, t], told_x)
            new_h = torch.where((h - told_h).abs() > 0.1, h, told_h)
            needed += 12 * int((new_x != told_x).sum() + (new_h != told_h).sum())
            told_x, told_h = new_x, new_h
            a_r, a_z, a_n = (weights["weight_ih_l0"] @ told_x + weights["bias_ih_l0"]).chunk(3)
            b_r, b_z, b_n = (weights["weight_hh_l0"] @ told_h + weights["bias_hh_l0"]).chunk(3)
            z = (a_z + b_z).sigmoid()
            h = (1 - z) * torch.tanh(a_n + (a_r + b_r).sigmoid() * b_n) + z * h
    found = multiplications(net, x, true)
    assert found.dense == sum(lengths or [40, 40]) * 12 * 7
    assert found.needed == needed and 0.5 < found.saved < 1


def test_zeros_need_no_product_and_states_do() -> None:
    net = _net({"dense": {"size": 8}}, {"top_k": {"keep": 0.25}}, {"lstm": {"size": 4, "bidirectional": True}})
    x = torch.randn(2, 10, 3)
    assert multiplications(_net({"gru": {"size": 4}}), x).saved == 0
    seen: list[Tensor] = []
    net.layers[1].register_forward_hook(lambda _module, _given, flow: seen.append(flow.x))
    found = multiplications(net, x)
    inputs = int((seen[0] != 0).sum())
    assert found.dense == 2 * 20 * 16 * 12 and found.needed == 2 * (16 * inputs + 20 * 16 * 4)
    assert not net.training and multiplications(net.train(), x) == found and net.training


def test_a_higher_threshold_saves_more() -> None:
    x, _ = _slow()
    saved = [multiplications(_net({"gru_delta": {"size": 8, "threshold": at}}), x).saved for at in (0.01, 0.1, 0.3)]
    assert saved == sorted(saved) and saved[0] < saved[-1] < 1


def test_each_layer_of_a_stack_is_counted() -> None:
    x = torch.randn(2, 10, 3)
    found = multiplications(_net({"gru": {"size": 4, "layers": 2}}), x)
    assert found.dense == found.needed == 20 * 12 * (3 + 4 + 4 + 4)
