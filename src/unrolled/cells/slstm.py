"""sLSTM: exponential gates, a normaliser and heads (Beck et al. 2024, xLSTM, arXiv 2405.04517, eq. 8-17).

    z = tanh   (W_z x_t + b_z + R_z h_{t-1} + b'_z)     cell input, eq. 11
    i~ =        W_i x_t + b_i + R_i h_{t-1} + b'_i      input gate exp(i~), eq. 12
    f~ =        W_f x_t + b_f + R_f h_{t-1} + b'_f      forget gate sigmoid(f~), eq. 13
    o = sigmoid(W_o x_t + b_o + R_o h_{t-1} + b'_o)     output gate, eq. 14
    m_t = max(log sigmoid(f~) + m_{t-1}, i~)            stabiliser, eq. 15
    i = exp(i~ - m_t)                                   eq. 16
    f = exp(log sigmoid(f~) + m_{t-1} - m_t)            eq. 17
    c_t = f c_{t-1} + i z                               cell state, eq. 8
    n_t = f n_{t-1} + i                                 normaliser, eq. 9
    h_t = o c_t / n_t                                   eq. 10

exp(m) is taken out of c and n, which leaves h as it is and keeps every number finite. While nothing has been written,
n = 0, m_t is i~, as in the authors' code.

Shapes: x_t ``(B, D)``, h, c, n, m ``(B, H)``, W ``(4H, D)``, R ``(4N, H/N, H/N)``: each of the N heads mixes its own
units only; the state is (h, c, n, m), h is the output. 4 (D H + H^2 / N + 2 H) weights. As in the authors' code R
starts at zero, and the forget biases of each head fall from 5 to -7 as 5 - 12 k^0.3, with k from 0 to 1 over its units.

Use it where the net must revise what it stored, or track a state over long sequences: exponential gates can overwrite
at once, where an LSTM must first forget. Stack it with ``layer_norm``; raise ``heads`` as it gets wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.cells.cell import Cell, Uniform
from unrolled.core.errors import ConfigError
from unrolled.program.functions import Array, exp, log_sigmoid, positive, relu, sigmoid, tanh


@dataclass(frozen=True)
class SLSTM(Cell):
    """LSTM with exponential gates and ``heads`` = N groups of units, each with its own recurrence."""

    heads: int = 4

    name = "slstm"
    state = ("h", "c", "n", "m")
    gates = ("i", "f", "z", "o")

    def step(self, x: Any, R: Any, h: Any, c: Any, n: Any, m: Any) -> tuple[Any, Any, Any, Any]:
        z = tanh(x.z + R.z(h))
        o = sigmoid(x.o + R.o(h))
        i_ = x.i + R.i(h)
        f_ = log_sigmoid(x.f + R.f(h)) + m
        written = positive(n)
        m = i_ + written * relu(f_ - i_)  # the greater of both; i_ alone while nothing was written
        i = exp(i_ - m)
        f = exp(written * (f_ - m))
        c = f * c + i * z
        n = f * n + i
        h = o * c / n
        return h, c, n, m

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        share = np.linspace(0, 1, hidden_size // self.heads) ** 0.3
        return {"weight_hh": np.zeros(1), "bias_ih.f": np.tile(5 - 12 * share, self.heads)}

    def __post_init__(self) -> None:
        if self.heads < 1:
            raise ConfigError(f"must be at least 1, it is {self.heads}", where="heads")
