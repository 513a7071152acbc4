"""Depthwise-separable LSTM (products split as by Chollet 2017, arXiv 1610.02357, in an LSTM as by Pfeuffer & Dietmayer
2019, arXiv 1907.06876).

One matrix, shared by all gates, mixes the units (the pointwise factor); each gate then weighs each unit by itself (the
depthwise factor). The matrix comes first, as in blueprint-separable products (Haase & Amthor 2020, arXiv 2003.13549),
because it can then be shared:

    a = W x_t + b,   k = R h_{t-1} + b'
    i = sigmoid(u_i a + v_i k + d_i)     input gate
    f = sigmoid(u_f a + v_f k + d_f)     forget gate
    g = tanh   (u_g a + v_g k + d_g)     candidate
    o = sigmoid(u_o a + v_o k + d_o)     output gate
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(H, D)``, R ``(H, H)``, u, v, d ``(H,)`` for each gate; the state is
(h, c), h is the output. D H + H^2 + 14 H weights. u and v start as random signs, so that each gate's product is
again as orthogonal as R; d starts at 0, d_f open.

Use it for nets that must be small or fast: about a quarter of an LSTM's weights and products. Each gate of a unit
sees the same mixture, so give it more units than an LSTM.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.cells.cell import Cell, Uniform
from unrolled.program.functions import Array, sigmoid, tanh


class LSTMSeparable(Cell):
    """LSTM whose gates share one product and weigh it unit by unit."""

    name = "lstm_separable"
    state = ("h", "c")
    gates = ("k",)
    vectors = (
        *("u_i", "u_f", "u_g", "u_o"),
        *("v_i", "v_f", "v_g", "v_o"),
        *("d_i", "d_f", "d_g", "d_o"),
    )
    forget = "d_f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        a, k = x.k, R.k(h)
        i = sigmoid(R.u_i * a + R.v_i * k + R.d_i)
        f = sigmoid(R.u_f * a + R.v_f * k + R.d_f)
        g = tanh(R.u_g * a + R.v_g * k + R.d_g)
        o = sigmoid(R.u_o * a + R.v_o * k + R.d_o)
        c = f * c + i * g
        h = o * tanh(c)
        return h, c

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        signs = {name: np.where(uniform(hidden_size) < 0.5, -1.0, 1.0) for name in self.vectors if name[0] in "uv"}
        return signs | {name: np.zeros(hidden_size) for name in self.vectors if name[0] == "d"}
