"""GRU with layer normalisation (Ba, Kiros & Hinton 2016, arXiv 1607.06450, supplement: GRU).

LN(v) = (v - mean(v)) / sqrt(var(v) + 1e-5). The two gates are normalised together, the candidate by itself, for what
the input brings and what the state brings apart:

    r', z' = s LN(W_rz x_t + b) + s' LN(R_rz h_{t-1} + b') + d
    n = tanh(s_n LN(W_n x_t + b_n) + d_n + sigmoid(r') (s'_n LN(R_n h_{t-1} + b'_n) + d'_n))
    h_t = (1 - sigmoid(z')) n + sigmoid(z') h_{t-1}

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(3H, D)``, R ``(3H, H)``, and for each gate the gains s, s' and the bias d
``(H,)``, here s_r, r_r, d_r, ..., and e_n for d'_n; the state is h, the output. 3 (D H + H^2 + 2 H) + 10 H weights.
Gains start at 1, biases at 0. z keeps, as in ``gru``; the paper writes the mirror. It has no b and b' before the
norms: ``bias: false`` leaves them out.

Use it where a GRU is to be deep or learn fast, as ``lstm_layer_norm``; three quarters of that cell's weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.cells.cell import Cell, Uniform
from unrolled.cells.norm import joint_norm
from unrolled.program.functions import Array, layer_norm, sigmoid, tanh


class GRULayerNorm(Cell):
    """Gated recurrent unit with normalised contributions."""

    name = "gru_layer_norm"
    gates = ("r", "z", "n")
    vectors = ("s_r", "s_z", "s_n", "r_r", "r_z", "r_n", "d_r", "d_z", "d_n", "e_n")

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        x_r, x_z = joint_norm(x.r, x.z)
        h_r, h_z = joint_norm(R.r(h), R.z(h))
        r = sigmoid(R.s_r * x_r + R.r_r * h_r + R.d_r)
        z = sigmoid(R.s_z * x_z + R.r_z * h_z + R.d_z)
        n = tanh(R.s_n * layer_norm(x.n) + R.d_n + r * (R.r_n * layer_norm(R.n(h)) + R.e_n))
        h = (1 - z) * n + z * h
        return (h,)

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        return {name: np.full(hidden_size, 0.0 if name[0] in "de" else 1.0) for name in self.vectors}
