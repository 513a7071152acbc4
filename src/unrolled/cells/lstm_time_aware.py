"""Time-aware LSTM (Baytas, Xiao, Zhang, Wang, Jain & Zhou 2017, T-LSTM, KDD, section 3.2).

The short-term part of the memory is discounted by the time since the step before, the long-term part stays:

    s = tanh(R_s c_{t-1} + b_s)                             short-term memory
    d = sigmoid(W_d x_t + b_d)                              what remains of it
    k = c_{t-1} - s + d s                                   adjusted memory
    i, f, g, o from x_t and h_{t-1} as in the LSTM
    c_t = f k + i g
    h_t = o tanh(c_t)

In the paper d is 1 / Delta or 1 / log(e + Delta) of the interval Delta. Here it is learned: where x_t holds
log2(Delta), as data with irregular times does, d can be 1 / (1 + a Delta^p) with a and p for each unit (p = a = 1 from
the weight -log(2) and no bias). b_d starts at 2, so that at first most remains.

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(5H, D)``, R ``(4H, H)``, R_s ``(H, H)``, b_s ``(H,)``; the state is
(h, c), h is the output.

Use it where the time between steps is irregular and says how much of the recent past still counts, such as visits of
patients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.cells.cell import Cell, Uniform
from unrolled.program.functions import Array, sigmoid, tanh


class LSTMTimeAware(Cell):
    """LSTM whose short-term memory is discounted at each step."""

    name = "lstm_time_aware"
    state = ("h", "c")
    gates = ("i", "f", "g", "o", "d")
    recurrent = ("i", "f", "g", "o")
    vectors = ("b_s",)
    matrices = ("s",)
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        s = tanh(R.s(c) + R.b_s)
        d = sigmoid(x.d)
        k = c - s + d * s
        i = sigmoid(x.i + R.i(h))
        f = sigmoid(x.f + R.f(h))
        g = tanh(x.g + R.g(h))
        o = sigmoid(x.o + R.o(h))
        c = f * k + i * g
        h = o * tanh(c)
        return h, c

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        shapes = super().shapes(input_size, hidden_size, bias=bias)
        return shapes | {"weight_s": (hidden_size, hidden_size)}

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        return {"b_s": np.zeros(hidden_size), "bias_ih.d": np.full(hidden_size, 2.0)}
