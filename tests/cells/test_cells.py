"""Every cell against its paper, transcribed by another hand, and against torch."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from tests.oracles import recurrent as oracles
from tests.oracles import variants
from torch import nn

from unrolled import cells, engine
from unrolled.program.equations import Equations
from unrolled.program.functions import sigmoid, tanh
from unrolled.testing import check_cell

ALL = [
    (cells.RNN(), oracles.rnn),
    (cells.RNNRelu(), oracles.rnn_relu),
    (cells.RNNModReLU(), variants.rnn_modrelu),
    (cells.LSTM(), oracles.lstm),
    (cells.LSTMProjected(2), oracles.lstm_projected),
    (cells.GRU(), oracles.gru),
    (cells.GRUBefore(), oracles.gru_before),
    (cells.GRUDecay(), variants.gru_d),
    (cells.GRUDelta(0.3), oracles.oracle(variants.delta(0.3))),
    (cells.GRULayerNorm(), variants.gru_layer_norm),
    (cells.IndRNN(), variants.indrnn),
    (cells.LRU(), variants.lru),
    (cells.LSTMCoupled(), variants.lstm_cifg),
    (cells.LSTMDropout(0.4), oracles.lstm),
    (cells.LSTMLayerNorm(), variants.lstm_layer_norm),
    (cells.LSTMPeephole(), variants.lstm_peephole),
    (cells.LSTMSeparable(), variants.lstm_separable),
    (cells.LSTMTimeAware(), variants.lstm_time_aware),
    (cells.LSTMVariational(0.4), oracles.lstm),
    (cells.LSTMZoneout(0.3, 0.1), oracles.oracle(variants.zoneout(0.3, 0.1))),
    (cells.MGU(), variants.mgu),
    (cells.MinGRU(), variants.min_gru),
    (cells.MinLSTM(), variants.min_lstm),
    (cells.SLSTM(1), oracles.oracle(variants.slstm(1))),
    (cells.SLSTM(), oracles.oracle(variants.slstm(4))),
]


@pytest.mark.parametrize(("cell", "oracle"), ALL, ids=lambda value: getattr(value, "name", ""))
def test_a_cell_holds_its_contract_and_its_paper(cell: Equations, oracle: Any) -> None:
    check_cell(cell, oracle)


def test_every_built_in_cell_is_tested_here() -> None:
    assert {cell.name for cell, _ in ALL} == {name for name in cells.cells() if _is_ours(name)}


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


class Light(cells.Cell):
    """A user's cell with one recurrent product, by a block of each head, a vector and a held mask."""

    name = "test_light"
    gates = ("f", "n")
    recurrent = ("n",)
    vectors = ("u",)
    noise = ("d", "e")
    held = ("e",)

    @property
    def heads(self) -> int:
        return 3

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        f = sigmoid(x.f + R.u * h)
        return (f * h + (1 - f) * tanh(x.n + R.n(x.d * h)) * (x.e + 1),)

    def rates(self) -> dict[str, float]:
        return {"d": 0.5, "e": 0.25}


def test_a_users_own_cell_holds_the_contract() -> None:
    check_cell(Light())
    shapes = Light().shapes(2, 6)
    assert shapes["weight_hh"] == (3, 2, 2) and shapes["bias_hh"] == (6,) and shapes["bias_ih"] == (12,)


def test_heads_are_blocks_on_the_diagonal() -> None:
    """The same numbers as with one head and zeros outside of the blocks."""
    one, four, hidden = cells.SLSTM(1), cells.SLSTM(4), 8
    random = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(shape, generator=random, dtype=torch.float64)
        for name, shape in four.shapes(3, hidden).items()
    }
    gates = [
        torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
        for blocks in weights["weight_hh"].chunk(4)
    ]
    x = torch.randn(2, 5, 3, generator=random, dtype=torch.float64)
    actual = engine.run(four, x, weights)
    expected = engine.run(one, x, weights | {"weight_hh": torch.cat(gates)})
    torch.testing.assert_close((actual[0], *actual[1]), (expected[0], *expected[1]), rtol=1e-12, atol=1e-12)


def test_peepholes_reach_the_gates() -> None:
    cell = cells.LSTMPeephole()
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
