"""Minimal gated unit (Zhou, Wu, Zhang & Zhou 2016, arXiv 1603.09420).

One gate does the work of the GRU's two:

    f = sigmoid(W_f x_t + b_f + R_f h_{t-1} + b'_f)          forget gate
    n = tanh   (W_n x_t + b_n + R_n (f h_{t-1}) + b'_n)      candidate
    h_t = (1 - f) h_{t-1} + f n

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(2H, D)``, R ``(2H, H)``; the state is h, the output. 2 (D H + H^2 + 2 H)
weights. Here f *replaces*: f = 1 takes the candidate.

Use it when memory or time are short, as on small devices: two thirds of a GRU's weights, often nearly its accuracy.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import sigmoid, tanh


class MGU(Cell):
    """Minimal gated unit."""

    name = "mgu"
    gates = ("f", "n")

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        f = sigmoid(x.f + R.f(h))
        n = tanh(x.n + R.n(f * h))
        h = (1 - f) * h + f * n
        return (h,)
