"""GRU of a delta network (Neil, Lee, Delbruck & Liu 2017, arXiv 1612.05571, eq. 5-13).

A unit tells the others its state only when it has moved by more than a threshold since it last told it:

    q_t = h_{t-1} where abs(h_{t-1} - q_{t-1}) > threshold, else q_{t-1}     what was told
    r = sigmoid(W_r x_t + b_r + R_r q_t + b'_r)             reset gate
    z = sigmoid(W_z x_t + b_z + R_z q_t + b'_z)             update gate
    n = tanh   (W_n x_t + b_n + r (R_n q_t + b'_n))         candidate
    h_t = (1 - z) n + z h_{t-1}

The product with a column of R changes only where q has changed, so a device that keeps the products of the step before
needs no multiplication for the others; ``unrolled.nets.multiplications`` counts them, ``stream(lazy=True)`` leaves them
out. With threshold 0 it is the GRU.
The layer ``delta`` does the same for the inputs.

Shapes: x_t ``(B, D)``, h and q ``(B, H)``, W ``(3H, D)``, R ``(3H, H)``; the state is (h, q), h is the output.

Use it where the input changes slowly and each multiplication costs energy, as in always-on sensing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.cells.cell import Cell
from unrolled.core.errors import ConfigError
from unrolled.program.functions import positive, sigmoid, tanh


@dataclass(frozen=True)
class GRUDelta(Cell):
    """Gated recurrent unit that reacts to changes of its state beyond ``threshold``."""

    threshold: float = 0.05

    name = "gru_delta"
    state = ("h", "q")
    gates = ("r", "z", "n")

    def step(self, x: Any, R: Any, h: Any, q: Any) -> tuple[Any, Any]:
        moved = positive(abs(h - q) - self.threshold)
        q = moved * h + (1 - moved) * q
        r = sigmoid(x.r + R.r(q))
        z = sigmoid(x.z + R.z(q))
        n = tanh(x.n + r * R.n(q))
        h = (1 - z) * n + z * h
        return h, q

    def __post_init__(self) -> None:
        if self.threshold < 0:
            raise ConfigError(f"must not be negative, it is {self.threshold}", where="threshold")
