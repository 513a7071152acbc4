"""Simple recurrent network (Elman 1990, "Finding structure in time", Cognitive Science 14:179-211).

    h_t = tanh(W x_t + b + R h_{t-1} + b')

``RNNRelu`` puts ``max(v, 0)`` for tanh (Le, Jaitly & Hinton 2015, arXiv 1504.00941): its state is unbounded.

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(H, D)``, R ``(H, H)``; the state is h, the output.

Use it for short sequences and for comparison: its gradient fades or grows with every step. Keep gradients clipped
with ``RNNRelu``, whose state has no bound.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import relu, tanh


class RNN(Cell):
    """Elman's network."""

    name = "rnn"
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        h = tanh(x.h + R.h(h))
        return (h,)


class RNNRelu(Cell):
    """Elman's network with rectified units."""

    name = "rnn_relu"
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        h = relu(x.h + R.h(h))
        return (h,)
