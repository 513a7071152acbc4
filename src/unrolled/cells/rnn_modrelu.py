"""Recurrent network with modReLU (Arjovsky, Shah & Bengio 2016, arXiv 1511.06464, eq. 6-8), for real numbers.

    z   = W x_t + b + R h_{t-1} + b'
    h_t = sign(z) relu(abs(z) + s)

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(H, D)``, R ``(H, H)``, s ``(H,)``; the state is h, the output. The shift s
starts at 0, where the units are linear; as it falls, small sums become 0, and large ones only shrink by it. With a
rotation for R (``orthogonal: true``) the state keeps its length, and its gradient too.

Use it with ``orthogonal: true`` where something must be kept over hundreds of steps unchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.cells.cell import Cell, Uniform
from unrolled.program.functions import Array, positive, relu


class RNNModReLU(Cell):
    """Elman's network with units that keep their sign and move their size."""

    name = "rnn_modrelu"
    gates = ("h",)
    vectors = ("s",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        z = x.h + R.h(h)
        h = (positive(z) - positive(-z)) * relu(abs(z) + R.s)
        return (h,)

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        return {"s": np.zeros(1)}
