"""The external memory against the paper's equations, slot by slot, and on what it is for."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from unrolled.core.errors import ConfigError
from unrolled.nets import Net, ops
from unrolled.program.shapes import Inputs, Outputs

SIZE, SLOTS, WIDTH = 5, 6, 3


def _net(**options: Any) -> Net:
    torch.manual_seed(0)
    spec = [{"memory": {"size": SIZE, "slots": SLOTS, "width": WIDTH, **options}}, {"pool": {"kind": "mean"}}]
    net = Net(spec, Inputs(numbers=2), Outputs()).double().eval()
    with torch.no_grad():
        for weight in net.layers[0].parameters():
            weight.normal_(std=0.7)
    return net


def _body(net: Net, x: Tensor) -> Tensor:
    seen: list[Tensor] = []
    net.layers[1].register_forward_pre_hook(lambda _, given: seen.append(given[0].x))
    net(x)
    return seen[0]


def _address(steered: Tensor, store: Tensor, before: Tensor, reach: int) -> Tensor:
    """Equations 5 to 9, one head of one sequence."""
    key, rest = steered[:WIDTH].tanh(), steered[WIDTH:]
    strength, gate, sharp = softplus(rest[0]), rest[1].sigmoid(), 1 + softplus(rest[2])
    shift = rest[3:].softmax(0)
    lengths = ((store**2).sum(1) + 1e-4).sqrt() * (key @ key + 1e-4).sqrt()  # so that an empty slot has a gradient
    content = (strength * (store @ key) / lengths).softmax(0)
    mixed = gate * content + (1 - gate) * before
    moved = torch.zeros_like(mixed)
    for slot in range(SLOTS):
        for k, by in enumerate(range(-reach, reach + 1)):
            moved[(slot + by) % SLOTS] += shift[k] * mixed[slot]
    return moved**sharp / (moved**sharp).sum()


@pytest.mark.parametrize(("heads", "reach"), [(1, 1), (2, 2)])
def test_memory_by_hand(heads: int, reach: int) -> None:
    net, x = _net(heads=heads, reach=reach), torch.randn(2, 7, 2, dtype=torch.float64)
    layer: Any = net.layers[0]
    cell = nn.LSTMCell(2 + heads * WIDTH, SIZE).double()
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in layer.rnn.state_dict().items()})
    each, y = WIDTH + 3 + 2 * reach + 1, _body(net, x)
    for b in range(2):
        store, read = torch.zeros(SLOTS, WIDTH).double(), torch.zeros(heads * WIDTH).double()
        where = [torch.eye(SLOTS)[0].double()] * (2 * heads)
        state = (torch.zeros(1, SIZE).double(), torch.zeros(1, SIZE).double())
        for t in range(7):
            state = cell(torch.cat([x[b, t], read])[None], state)
            parts = list(layer.heads(state[0][0]).split([each] * 2 * heads + [WIDTH] * 2 * heads))
            where = [_address(parts[k], store, where[k], reach) for k in range(2 * heads)]
            for k in range(heads):
                erase, add = parts[2 * heads + k].sigmoid(), parts[3 * heads + k].tanh()
                store = store * (1 - torch.outer(where[heads + k], erase)) + torch.outer(where[heads + k], add)
            read = torch.cat([where[k] @ store for k in range(heads)])
            torch.testing.assert_close(y[b, t], torch.cat([state[0][0], read]))


def test_addresses_are_shares_and_empty_slots_have_a_finite_gradient() -> None:
    net = _net()
    x = torch.randn(2, 30, 2, dtype=torch.float64, requires_grad=True)
    y = net(x)
    y.sum().backward()
    assert x.grad is not None and x.grad.isfinite().all() and x.grad.abs().sum() > 0
    for weight in net.parameters():
        assert weight.grad is not None and weight.grad.isfinite().all()
    extreme = net(torch.full((1, 5, 2), 1e6, dtype=torch.float64))
    assert extreme.isfinite().all()


def test_what_is_written_can_be_read_much_later() -> None:
    """Weights set by hand: at the first step slot 0 is written, then nothing is, and the read head stays there."""
    net = _net()
    layer: Any = net.layers[0]
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        steered = layer.heads.bias
        for head in (0, 1):
            at = head * (WIDTH + 6)
            steered[at + WIDTH + 1] = -50  # by place, not by content
            steered[at + WIDTH + 2] = 20  # sharp
            steered[at + WIDTH + 4] = 50  # stay
        add = 2 * (WIDTH + 6) + WIDTH
        steered[2 * (WIDTH + 6) : add] = -50  # erase nothing
        layer.rnn.weight_ih_l0[2 * SIZE, 0] = 50  # the candidate of unit 0 is the sign of the first input
        layer.rnn.bias_ih_l0[[0, 3 * SIZE]] = 50  # its input and output gates are open,
        layer.rnn.bias_ih_l0[SIZE] = -50  # and it forgets at once
        layer.heads.weight[add, 0] = 1
    x = torch.zeros(1, 100, 2, dtype=torch.float64)
    x[0, 0, 0] = 1
    y = _body(net, x)[0, :, SIZE]
    torch.testing.assert_close(y, torch.full_like(y, math.tanh(math.tanh(1))), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("heads", "reach"), [(1, 0), (1, 1), (2, 1), (1, 3)])
def test_sharp_heads_stay_on_one_slot_however_long_they_wait(heads: int, reach: int) -> None:
    """Those that read stay, those that write go on step by step; a round over all slots leaves most as it was."""
    slots, steps = 16, 100
    net = Net(
        [{"memory": {"size": 8, "slots": slots, "width": 3, "heads": heads, "reach": reach, "sharp": True}}],
        Inputs(numbers=2),
        Outputs(),
    )
    layer: Any = net.layers[0]
    weights = {**layer.rnn.weights()[0], "weight_heads": layer.heads.weight, "bias_heads": layer.heads.bias}
    where = torch.zeros(1, 2 * heads, slots)
    where[..., 0] = 1
    store = torch.ones(1, slots, 3)
    state = (store, where, *torch.zeros(2, 1, 8))
    with torch.no_grad():
        layer.heads.weight.zero_()  # whatever the controller says
        layer.heads.bias[-heads * 3 :] = 0  # nothing is added
        run = partial(ops.memory, slots=slots, width=3, heads=heads, reach=reach, **weights)
        found = run(torch.randn(1, steps, 2), *state)[2][0]
        kept = run(torch.randn(1, slots, 2), *state)[1]
    assert found.amax(1).min() > 0.9, found.amax(1)
    assert found.argmax(1).tolist() == [0] * heads + [steps * min(reach, 1) % slots] * heads
    if reach:
        assert kept.min() > 0.8**heads, kept


def test_waiting_leaves_the_memory_as_it_is() -> None:
    """Where nothing is erased or added the memory is the same after 100 steps, wherever the heads go."""
    net, width = _net(heads=2), 3
    layer: Any = net.layers[0]
    weights = {**layer.rnn.weights()[0], "weight_heads": layer.heads.weight, "bias_heads": layer.heads.bias}
    with torch.no_grad():
        for part, value in ((slice(-4 * width, -2 * width), -1e3), (slice(-2 * width, None), 0.0)):
            layer.heads.weight[part] = 0
            layer.heads.bias[part] = value
    store, where = torch.randn(2, SLOTS, width).double(), torch.rand(2, 4, SLOTS).double().softmax(-1)
    x, units = torch.randn(2, 100, 2).double(), torch.zeros(2, 2, SIZE).double()
    _, after, moved, *_ = ops.memory(x, store, where, *units, slots=SLOTS, width=width, heads=2, reach=1, **weights)
    assert torch.equal(after, store) and (moved - where).abs().max() > 0.1


def test_sizes_have_bounds() -> None:
    with pytest.raises(ConfigError, match="slots"):
        _net(slots=1)


def test_heads_begin_as_on_a_tape() -> None:
    """On average over what the controller says, those that read stay and those that write move on."""
    torch.manual_seed(0)
    moved = torch.zeros(4, 8)
    for _ in range(50):
        net = Net([{"memory": {"size": 5, "slots": 8, "width": 3, "heads": 2}}], Inputs(numbers=2), Outputs())
        layer: Any = net.layers[0]
        weights = {**layer.rnn.weights()[0], "weight_heads": layer.heads.weight, "bias_heads": layer.heads.bias}
        moved += ops.memory(torch.randn(1, 3, 2), slots=8, width=3, heads=2, reach=1, **weights)[2][0].detach()
    ahead = moved[:, 1:4].sum(1) - moved[:, 5:].sum(1)
    assert ahead[2:].min() > 10 and ahead[:2].abs().max() < 5, ahead
