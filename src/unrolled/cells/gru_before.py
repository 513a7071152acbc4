"""Gated recurrent unit as first published, reset before the product (Cho et al. 2014, arXiv 1406.1078v3, eq. 5-8).

    r = sigmoid(W_r x_t + b_r + R_r h_{t-1} + b'_r)         reset gate, eq. 5
    z = sigmoid(W_z x_t + b_z + R_z h_{t-1} + b'_z)         update gate, eq. 6
    n = tanh   (W_n x_t + b_n + R_n (r h_{t-1}) + b'_n)     candidate, eq. 8
    h_t = (1 - z) n + z h_{t-1}                             eq. 7

This is Keras' ``GRU(reset_after=False)``; torch and cuDNN have only the other form (``gru``). Each gate has two
biases, as everywhere in torch's layout; the paper has none and Keras one: put it in b and leave b' zero.

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(3H, D)``, R ``(3H, H)``; the state is h, the output. For the meaning of z
and its mirror see ``gru``.

Use it for weights that were trained so; for a new net ``gru`` is as good and torch has kernels for it.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import sigmoid, tanh


class GRUBefore(Cell):
    """Gated recurrent unit, reset gate applied before the recurrent product."""

    name = "gru_before"
    gates = ("r", "z", "n")

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        r = sigmoid(x.r + R.r(h))
        z = sigmoid(x.z + R.z(h))
        n = tanh(x.n + R.n(r * h))
        h = (1 - z) * n + z * h
        return (h,)
