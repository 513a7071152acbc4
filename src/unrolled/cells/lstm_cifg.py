"""LSTM with coupled input and forget gates (Greff et al. 2017, arXiv 1503.04069, variant CIFG).

What is forgotten makes room for what comes in, i = 1 - f:

    f = sigmoid(W_f x_t + b_f + R_f h_{t-1} + b'_f)     forget gate
    g = tanh   (W_g x_t + b_g + R_g h_{t-1} + b'_g)     candidate
    o = sigmoid(W_o x_t + b_o + R_o h_{t-1} + b'_o)     output gate
    c_t = f c_{t-1} + (1 - f) g
    h_t = o tanh(c_t)

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(3H, D)``, R ``(3H, H)``; the state is (h, c), h is the output.
3 (D H + H^2 + 2 H) weights. Greff et al. keep the peepholes of f and o; here there are none.

Use it in the place of an LSTM to save a quarter of the weights and of the time: in the comparison of Greff et al. it
was no worse. Its cell state never leaves -1 .. 1, so it cannot count.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import sigmoid, tanh


class LSTMCoupled(Cell):
    """LSTM whose input gate is one minus the forget gate."""

    name = "lstm_cifg"
    state = ("h", "c")
    gates = ("f", "g", "o")
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        f = sigmoid(x.f + R.f(h))
        g = tanh(x.g + R.g(h))
        o = sigmoid(x.o + R.o(h))
        c = f * c + (1 - f) * g
        h = o * tanh(c)
        return h, c
