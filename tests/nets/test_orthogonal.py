"""Recurrent weights that are rotations: they stay so, travel as plain matrices, and keep what they are told."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from scipy.linalg import expm
from torch import Tensor

from unrolled import cells
from unrolled.cells import Initial
from unrolled.core.errors import ConfigError
from unrolled.nets import Net
from unrolled.nets.orthogonal import draw_angles, free, rotations
from unrolled.nets.recurrent import Recurrent
from unrolled.program.shapes import Inputs, Outputs


def _blocks(layer: Recurrent) -> list[Tensor]:
    weights = [each["weight_hh"].detach() for each in layer.weights()]
    size = weights[0].shape[-1]
    return [block for weight in weights for block in weight.reshape(-1, size, size)]


def _trained(layer: torch.nn.Module, columns: int, steps: int = 10) -> None:
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    x = torch.randn(4, 6, columns, dtype=next(layer.parameters()).dtype)
    for _ in range(steps):
        optimizer.zero_grad()
        y = layer(x)
        torch.autograd.backward((y[0] if isinstance(y, tuple) else y).square().mean())
        optimizer.step()


@pytest.mark.parametrize("cell", ["rnn", "rnn_modrelu", "gru", "slstm"])
def test_every_block_is_a_rotation_before_and_after_training(cell: str) -> None:
    torch.manual_seed(0)
    layer = Recurrent(cell, 3, 8, 2, orthogonal=True, bidirectional=True, dtype=torch.float64)
    before = _blocks(layer)
    _trained(layer, 3)
    after = _blocks(layer)
    for block in (*before, *after):
        torch.testing.assert_close(block @ block.T, torch.eye(len(block), dtype=torch.float64), atol=1e-12, rtol=0)
        assert torch.linalg.det(block) > 0
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(before, after, strict=True))


def test_the_exponential_is_that_of_scipy_and_has_its_gradient() -> None:
    skew = torch.randn(2, 6, dtype=torch.float64, requires_grad=True)
    for numbers, block in zip(skew.detach(), rotations(skew, (8, 4)).detach().chunk(2), strict=True):
        above = torch.zeros(4, 4, dtype=torch.float64)
        above[torch.triu(torch.ones(4, 4), 1) > 0] = numbers
        torch.testing.assert_close(block, torch.from_numpy(expm((above - above.T).numpy())))
    assert torch.autograd.gradcheck(lambda numbers: rotations(numbers, (8, 4)), skew)


def test_it_starts_with_pairs_of_units_that_turn() -> None:
    shape = (5, 5)
    skew = torch.empty(free(shape))
    draw_angles(skew, 5)
    matrix = rotations(skew, shape)
    pairs = torch.tensor([[1, 1, 0, 0, 0]] * 2 + [[0, 0, 1, 1, 0]] * 2 + [[0, 0, 0, 0, 1]])
    assert not matrix[pairs == 0].any() and matrix[4, 4] == 1
    assert matrix[0, 0] == matrix[1, 1] and matrix[0, 1] == -matrix[1, 0] != 0


def test_what_is_stored_is_the_plain_matrix_after_any_step() -> None:
    torch.manual_seed(0)
    net = Net([{"rnn_modrelu": {"size": 6, "orthogonal": True}}], Inputs(numbers=2), Outputs())
    _trained(net, 2)
    (name,) = (name for name in net.state_dict() if "weight_hh" in name)
    layer = next(part for part in net.modules() if isinstance(part, Recurrent))
    torch.testing.assert_close(net.state_dict()[name], layer.weights()[0]["weight_hh"].detach(), rtol=0, atol=0)
    plain = Net([{"rnn_modrelu": {"size": 6}}], Inputs(numbers=2), Outputs())
    plain.load_state_dict({key: value for key, value in net.state_dict().items() if "skew" not in key})
    x = torch.randn(3, 5, 2)
    torch.testing.assert_close(plain(x), net(x))


def test_a_copy_a_pickle_and_a_state_dict_give_the_same_net() -> None:
    spec, x = [{"gru": {"size": 4, "orthogonal": True, "layers": 2}}], torch.randn(3, 5, 2)
    net, other = (Net(spec, Inputs(numbers=2), Outputs()) for _ in range(2))
    _trained(net, 2)
    other.load_state_dict(net.state_dict())
    for twin in (other, copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin(x), net(x))


def test_streams_read_the_rotation() -> None:
    net = Net([{"rnn_modrelu": {"size": 6, "orthogonal": True}}], Inputs(numbers=2), Outputs())
    _trained(net, 2)
    net.eval()
    x = torch.randn(1, 7, 2)
    stream = net.stream()
    for t in range(7):
        y = stream.step(x[:, t].numpy())
        torch.testing.assert_close(torch.as_tensor(y), net(x[:, : t + 1]).detach(), atol=1e-5, rtol=1e-5)


def test_a_linear_net_keeps_the_length_of_its_state_for_ever() -> None:
    layer = Recurrent(cells.RNNModReLU(), 1, 12, orthogonal=True, bias=False, dtype=torch.float64)
    h = torch.randn(1, 2, 12, dtype=torch.float64, requires_grad=True)
    y, (final,) = layer(torch.zeros(2, 1000, 1, dtype=torch.float64), (h,))
    torch.testing.assert_close(final.norm(dim=2), h.norm(dim=2), rtol=1e-9, atol=0)
    (gradient,) = torch.autograd.grad(y[:, -1].square().sum(), h)
    torch.testing.assert_close(gradient, 2 * h, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("cell", "options", "message"),
    [
        ("indrnn", {}, "indrnn has no square recurrent product"),
        (cells.LSTMProjected(2), {}, "lstm_projected has no square recurrent product"),
        ("rnn", {"initial": Initial(recurrent="uniform")}, "initial.recurrent"),
    ],
)
def test_what_cannot_be_orthogonal_is_refused(cell: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Recurrent(cell, 3, 4, orthogonal=True, **options)
