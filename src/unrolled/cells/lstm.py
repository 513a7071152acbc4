"""Long short-term memory (Hochreiter & Schmidhuber 1997, Neural Computation 9:1735-1780).

With the forget gate of Gers, Schmidhuber & Cummins 2000 (Neural Computation 12:2451-2471), without peepholes:

    i = sigmoid(W_i x_t + b_i + R_i h_{t-1} + b'_i)     input gate
    f = sigmoid(W_f x_t + b_f + R_f h_{t-1} + b'_f)     forget gate
    g = tanh   (W_g x_t + b_g + R_g h_{t-1} + b'_g)     candidate
    o = sigmoid(W_o x_t + b_o + R_o h_{t-1} + b'_o)     output gate
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(4H, D)``, R ``(4H, H)``; the state is (h, c), h is the output.
The forget gate's bias starts at 1 (Jozefowicz, Zaremba & Sutskever 2015, ICML).

Use it as the first choice for long memory: the cell state keeps a value as long as f stays near 1.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import sigmoid, tanh


class LSTM(Cell):
    """Long short-term memory."""

    name = "lstm"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        i = sigmoid(x.i + R.i(h))
        f = sigmoid(x.f + R.f(h))
        g = tanh(x.g + R.g(h))
        o = sigmoid(x.o + R.o(h))
        c = f * c + i * g
        h = o * tanh(c)
        return h, c
