"""GRU with decay of the state (Che, Purushotham, Cho, Sontag & Liu 2018, GRU-D, Scientific Reports 8:6085, eq. 3-10).

What the state holds fades as far as the step says, such as with the time since a value was last seen:

    d = exp(-max(0, W_d x_t + b_d))                         decay of the state, eq. 10
    k = d h_{t-1}                                           eq. 12
    r = sigmoid(W_r x_t + b_r + R_r k + b'_r)               reset gate
    z = sigmoid(W_z x_t + b_z + R_z k + b'_z)               update gate
    n = tanh   (W_n x_t + b_n + R_n (r k) + b'_n)           candidate
    h_t = (1 - z) n + z k

x_t holds the inputs, the marks of missing values and the intervals since the last observation, as the layer ``decay``
puts them together. In the paper W_d reads the intervals alone; here it reads the whole of x_t, and of an interval
log2(1 + delta). As in ``gru`` z *keeps*; the paper has the mirror.

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(4H, D)``, R ``(3H, H)``; the state is h, the output.

Use it after the layer ``decay`` for irregular series with many missing values, such as laboratory results.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import exp, relu, sigmoid, tanh


class GRUDecay(Cell):
    """Gated recurrent unit whose state decays before each step."""

    name = "gru_d"
    gates = ("r", "z", "n", "d")
    recurrent = ("r", "z", "n")

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        d = exp(-relu(x.d))
        k = d * h
        r = sigmoid(x.r + R.r(k))
        z = sigmoid(x.z + R.z(k))
        n = tanh(x.n + R.n(r * k))
        h = (1 - z) * n + z * k
        return (h,)
