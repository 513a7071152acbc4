"""LSTM with peepholes (Gers & Schmidhuber 2000, "Recurrent nets that time and count", IJCNN; Graves 2013, eq. 7-11).

Each gate also sees the cell state, one weight for each unit; the output gate sees the new one (Graves 2013,
arXiv 1308.0850):

    i = sigmoid(W_i x_t + b_i + R_i h_{t-1} + b'_i + p_i c_{t-1})     input gate, eq. 7
    f = sigmoid(W_f x_t + b_f + R_f h_{t-1} + b'_f + p_f c_{t-1})     forget gate, eq. 8
    g = tanh   (W_g x_t + b_g + R_g h_{t-1} + b'_g)                   candidate
    c_t = f c_{t-1} + i g                                             eq. 9
    o = sigmoid(W_o x_t + b_o + R_o h_{t-1} + b'_o + p_o c_t)         output gate, eq. 10
    h_t = o tanh(c_t)                                                 eq. 11

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(4H, D)``, R ``(4H, H)``, p_i, p_f, p_o ``(H,)``; the state is (h, c),
h is the output. 4 (D H + H^2 + 2 H) + 3 H weights.

Use it where exact intervals matter: counting steps, timing of spikes, rhythm. Elsewhere the plain LSTM is as good.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import sigmoid, tanh


class LSTMPeephole(Cell):
    """LSTM whose gates see the cell state."""

    name = "lstm_peephole"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    vectors = ("p_i", "p_f", "p_o")
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        i = sigmoid(x.i + R.i(h) + R.p_i * c)
        f = sigmoid(x.f + R.f(h) + R.p_f * c)
        g = tanh(x.g + R.g(h))
        c = f * c + i * g
        o = sigmoid(x.o + R.o(h) + R.p_o * c)
        h = o * tanh(c)
        return h, c
