"""LSTM with zoneout (Krueger et al. 2017, arXiv 1606.01305).

Units stand still at random, in the place of being dropped:

    c~ and h~ = o tanh(c~) as c_t and h_t of the LSTM
    c_t = z_c c_{t-1} + (1 - z_c) c~
    h_t = z_h h_{t-1} + (1 - z_h) h~

In training z_c and z_h ``(B, H)`` are new masks at every step, 1 with the probability ``cell_rate`` and
``output_rate``; outside of training they are these probabilities, the mean.

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(4H, D)``, R ``(4H, H)``; the state is (h, c), h is the output.
4 (D H + H^2 + 2 H) weights.

Use it against overfitting on long sequences: gradients pass unhindered through units that stand still. The paper's
best rates for language were 0.5 (cell) and 0.05 (output).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.cells.cell import Cell, check_rate
from unrolled.program.functions import sigmoid, tanh


@dataclass(frozen=True)
class LSTMZoneout(Cell):
    """LSTM of which a share of the units, ``cell_rate`` and ``output_rate``, keeps its state at each step."""

    cell_rate: float = 0.5
    output_rate: float = 0.05

    name = "lstm_zoneout"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    noise = ("z_c", "z_h")
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        i = sigmoid(x.i + R.i(h))
        f = sigmoid(x.f + R.f(h))
        g = tanh(x.g + R.g(h))
        o = sigmoid(x.o + R.o(h))
        new_c = f * c + i * g
        new_h = o * tanh(new_c)
        c = x.z_c * c + (1 - x.z_c) * new_c
        h = x.z_h * h + (1 - x.z_h) * new_h
        return h, c

    def rates(self) -> dict[str, float]:
        return {"z_c": self.cell_rate, "z_h": self.output_rate}

    def __post_init__(self) -> None:
        check_rate("cell_rate", self.cell_rate)
        check_rate("output_rate", self.output_rate)
