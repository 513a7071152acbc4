"""LSTM with recurrent dropout on the candidate (Semeniuta, Severyn & Barth 2016, arXiv 1603.05118).

Only what is about to be written is dropped, so nothing that is remembered gets lost:

    i, f, g and o as in the LSTM
    c_t = f c_{t-1} + i d g / (1 - rate)
    h_t = o tanh(c_t)

In training d ``(B, H)`` is a new mask at every step, 0 with the probability ``rate`` and 1 elsewhere; outside of
training d / (1 - rate) is 1.

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(4H, D)``, R ``(4H, H)``; the state is (h, c), h is the output.
4 (D H + H^2 + 2 H) weights.

Use it when an LSTM overfits and dropout between layers is not enough, or there is but one layer; rates of 0.1 to 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.cells.cell import Cell, check_rate
from unrolled.program.functions import sigmoid, tanh


@dataclass(frozen=True)
class LSTMDropout(Cell):
    """LSTM that drops a share ``rate`` of what it writes."""

    rate: float = 0.25

    name = "lstm_dropout"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    noise = ("d",)
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        i = sigmoid(x.i + R.i(h))
        f = sigmoid(x.f + R.f(h))
        g = tanh(x.g + R.g(h))
        o = sigmoid(x.o + R.o(h))
        c = f * c + i * (x.d / (1 - self.rate) * g)
        h = o * tanh(c)
        return h, c

    def rates(self) -> dict[str, float]:
        return {"d": 1 - self.rate}

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
