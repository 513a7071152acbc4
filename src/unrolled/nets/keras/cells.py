"""Keras' cells with other activations than the usual ones; with those, our own cells serve.

Letters: B batch, D input, H hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.cells import GRU, LSTM, RNN, Cell, GRUBefore, RNNRelu
from unrolled.core.errors import ConfigError
from unrolled.nets.keras.activations import IN_CELLS


@dataclass(frozen=True)
class FreeLSTM(Cell):
    """``unrolled.cells.LSTM`` with chosen functions for candidate and output, and for the gates."""

    activation: str
    gate: str

    name = "keras_lstm"
    state = ("h", "c")
    gates = LSTM.gates
    forget = LSTM.forget

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        act, gate = IN_CELLS[self.activation], IN_CELLS[self.gate]
        i = gate(x.i + R.i(h))
        f = gate(x.f + R.f(h))
        g = act(x.g + R.g(h))
        o = gate(x.o + R.o(h))
        c = f * c + i * g
        h = o * act(c)
        return h, c


@dataclass(frozen=True)
class FreeGRU(Cell):
    """``unrolled.cells.GRU``, or ``GRUBefore``, with chosen functions."""

    activation: str
    gate: str
    after: bool

    name = "keras_gru"
    gates = GRU.gates

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        act, gate = IN_CELLS[self.activation], IN_CELLS[self.gate]
        r = gate(x.r + R.r(h))
        z = gate(x.z + R.z(h))
        n = act(x.n + (r * R.n(h) if self.after else R.n(r * h)))
        h = (1 - z) * n + z * h
        return (h,)


@dataclass(frozen=True)
class FreeRNN(Cell):
    """``unrolled.cells.RNN`` with a chosen function."""

    activation: str

    name = "keras_rnn"
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        h = IN_CELLS[self.activation](x.h + R.h(h))
        return (h,)


def cell_of(kind: str, activation: str, gate: str, after: bool, where: str) -> Cell:
    """Our cell with the equations of Keras' ``kind``.

    Raises:
        ConfigError: an activation cannot stand inside a cell.
    """
    wrong = [name for name in (activation, gate) if name not in IN_CELLS]
    if wrong:
        raise ConfigError(f"the activation {wrong[0]!r} cannot stand inside a cell", where=where)
    if kind == "SimpleRNN":
        usual_rnn = {"tanh": RNN, "relu": RNNRelu}
        return usual_rnn[activation]() if activation in usual_rnn else FreeRNN(activation)
    usual = (activation, gate) == ("tanh", "sigmoid")
    if kind == "LSTM":
        return LSTM() if usual else FreeLSTM(activation, gate)
    return (GRU() if after else GRUBefore()) if usual else FreeGRU(activation, gate, after)
