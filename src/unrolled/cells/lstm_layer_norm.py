"""LSTM with layer normalisation (Ba, Kiros & Hinton 2016, arXiv 1607.06450, supplement: LSTM).

LN(v) = (v - mean(v)) / sqrt(var(v) + 1e-5). What the input brings and what the state brings are each normalised over
all four gates together, the cell state by itself:

    i', f', g', o' = s LN(W x_t + b) + s' LN(R h_{t-1} + b') + d
    c_t = sigmoid(f') c_{t-1} + sigmoid(i') tanh(g')
    h_t = sigmoid(o') tanh(s_c LN(c_t) + d_c)

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(4H, D)``, R ``(4H, H)``, and for each gate the gains s, s' and the bias
d ``(H,)``, here s_i, r_i, d_i, ...; s_c, d_c ``(H,)``; the state is (h, c), h is the output.
4 (D H + H^2 + 2 H) + 14 H weights. Gains start at 1, biases at 0, d_f open. The paper has no b and b' before the
norms: ``bias: false`` leaves them out. Its three biases of a gate act as one, d.

Use it for deep or wide stacks and high learning rates, where the plain LSTM is slow to settle or diverges; it does not
depend on the batch, so training and streaming agree. Not where the scale of the input itself is the message.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.cells.cell import Cell, Uniform
from unrolled.cells.norm import joint_norm
from unrolled.program.functions import Array, layer_norm, sigmoid, tanh


class LSTMLayerNorm(Cell):
    """LSTM with normalised contributions and cell state."""

    name = "lstm_layer_norm"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    vectors = (
        *("s_i", "s_f", "s_g", "s_o"),
        *("r_i", "r_f", "r_g", "r_o"),
        *("d_i", "d_f", "d_g", "d_o"),
        *("s_c", "d_c"),
    )
    forget = "d_f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        x_i, x_f, x_g, x_o = joint_norm(x.i, x.f, x.g, x.o)
        h_i, h_f, h_g, h_o = joint_norm(R.i(h), R.f(h), R.g(h), R.o(h))
        i = sigmoid(R.s_i * x_i + R.r_i * h_i + R.d_i)
        f = sigmoid(R.s_f * x_f + R.r_f * h_f + R.d_f)
        g = tanh(R.s_g * x_g + R.r_g * h_g + R.d_g)
        o = sigmoid(R.s_o * x_o + R.r_o * h_o + R.d_o)
        c = f * c + i * g
        h = o * tanh(R.s_c * layer_norm(c) + R.d_c)
        return h, c

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        return {name: np.full(hidden_size, 0.0 if name[0] == "d" else 1.0) for name in self.vectors}
