"""Every cell against its paper, transcribed by another hand, and against torch."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from tests.oracles import recurrent as oracles
from torch import nn

from unrolled import cells, engine
from unrolled.program.equations import Equations
from unrolled.program.functions import sigmoid, tanh
from unrolled.testing import check_cell

ALL = [
    (cells.RNN(), oracles.rnn),
    (cells.RNNRelu(), oracles.rnn_relu),
    (cells.LSTM(), oracles.lstm),
    (cells.LSTMProjected(2), oracles.lstm_projected),
    (cells.GRU(), oracles.gru),
    (cells.GRUBefore(), oracles.gru_before),
]


@pytest.mark.parametrize(("cell", "oracle"), ALL, ids=lambda value: getattr(value, "name", ""))
def test_a_cell_holds_its_contract_and_its_paper(cell: Equations, oracle: Any) -> None:
    check_cell(cell, oracle)


def test_every_built_in_cell_is_tested_here() -> None:
    assert sorted(cell.name for cell, _ in ALL) == [n for n in cells.cells() if _is_ours(n)]


def _is_ours(name: str) -> bool:
    options = {"projection": 2} if name == "lstm_projected" else {}
    return type(cells.cell(name, **options)).__module__.startswith("unrolled.cells.")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("cell", "kind", "options"),
    [
        (cells.RNN(), nn.RNN, {}),
        (cells.RNNRelu(), nn.RNN, {"nonlinearity": "relu"}),
        (cells.LSTM(), nn.LSTM, {}),
        (cells.LSTMProjected(2), nn.LSTM, {"proj_size": 2}),
        (cells.GRU(), nn.GRU, {}),
    ],
    ids=["rnn", "rnn_relu", "lstm", "lstm_projected", "gru"],
)
@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_the_reference_equals_torch(cell: Equations, kind: Any, options: dict[str, Any], bias: bool) -> None:
    module = kind(3, 5, batch_first=True, bias=bias, dtype=torch.float64, **options)
    weights = {name.removesuffix("_l0"): weight for name, weight in module.named_parameters()}
    assert list(weights) == list(cell.shapes(3, 5, bias=bias))
    x = torch.randn(4, 6, 3, dtype=torch.float64)
    y, state = engine.run(cell, x, weights, backend="reference")
    expected, final = module(x)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(state, tuple(part[0] for part in _tuple(final)), rtol=1e-12, atol=1e-12)


def _tuple(final: Any) -> tuple[torch.Tensor, ...]:
    return final if isinstance(final, tuple) else (final,)


@pytest.mark.parametrize(
    ("cell", "mirrored"),
    [(cells.GRU(), oracles.gru_mirrored), (cells.GRUBefore(), oracles.gru_before_mirrored)],
    ids=["gru", "gru_before"],
)
def test_weights_of_the_mirrored_update_gate_convert(cell: Equations, mirrored: Any) -> None:
    random = np.random.default_rng(0)
    theirs = {name: random.normal(size=shape) for name, shape in cell.shapes(2, 4).items()}
    x, h = random.normal(size=(3, 5, 2)), random.normal(size=(3, 4))
    y, (final,) = mirrored(x, theirs, (h,))
    ours = {name: torch.from_numpy(weight) for name, weight in cells.mirror_update_gate(theirs).items()}
    actual, state = engine.run(cell, torch.from_numpy(x), ours, (torch.from_numpy(h),), backend="reference")
    np.testing.assert_allclose(actual.numpy(), y, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(state[0].numpy(), final, rtol=1e-12, atol=1e-12)


def test_mirroring_is_its_own_inverse_and_leaves_its_argument_alone() -> None:
    weights = {name: torch.randn(shape) for name, shape in cells.GRU().shapes(2, 3).items()}
    copies = {name: weight.clone() for name, weight in weights.items()}
    twice = cells.mirror_update_gate(cells.mirror_update_gate(weights))
    for name, weight in copies.items():
        assert torch.equal(weights[name], weight) and torch.equal(twice[name], weight)


def test_mirroring_finds_the_update_gate_in_another_order() -> None:
    weights = {"bias_ih": np.arange(1.0, 7.0)}
    mirrored = cells.mirror_update_gate(weights, gates=("z", "r", "h"))["bias_ih"]
    assert mirrored.tolist() == [-1, -2, 3, 4, 5, 6]


class Peephole(cells.Cell):
    """LSTM with peepholes (Gers & Schmidhuber 2000): a user's cell with one weight for each hidden unit."""

    name = "test_peephole"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    vectors = ("p_i", "p_f", "p_o")
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        i = sigmoid(x.i + R.i(h) + R.p_i * c)
        f = sigmoid(x.f + R.f(h) + R.p_f * c)
        c = f * c + i * tanh(x.g + R.g(h))
        o = sigmoid(x.o + R.o(h) + R.p_o * c)
        return o * tanh(c), c


class Light(cells.Cell):
    """A user's cell without a recurrent matrix."""

    name = "test_light"
    gates = ("f", "n")
    vectors = ("u",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        f = sigmoid(x.f + R.u * h)
        return (f * h + (1 - f) * tanh(x.n),)

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        shapes = super().shapes(input_size, hidden_size, bias=bias)
        return {name: shape for name, shape in shapes.items() if name not in ("weight_hh", "bias_hh")}


@pytest.mark.parametrize("cell", [Peephole(), Light()], ids=["vectors", "no recurrent matrix"])
def test_a_users_own_cell_holds_the_contract(cell: Equations) -> None:
    check_cell(cell)


def test_peepholes_reach_the_gates() -> None:
    cell = Peephole()
    weights = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in cell.shapes(1, 2).items()}
    weights["p_f"] = torch.tensor([1.0, -2.0], dtype=torch.float64)
    state = torch.zeros(1, 2).double(), torch.tensor([[3.0, 4.0]]).double()
    _, (h, c) = engine.run(cell, torch.zeros(1, 1, 1).double(), weights, state)
    expected = torch.sigmoid(torch.tensor([[3.0, -8.0]]).double()) * state[1]
    torch.testing.assert_close(c, expected)
    torch.testing.assert_close(h, 0.5 * torch.tanh(expected))


def test_cells_need_neither_torch_nor_devices() -> None:
    code = "import sys, unrolled.cells, unrolled.program.loop; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
