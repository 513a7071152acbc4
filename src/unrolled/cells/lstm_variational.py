"""LSTM with variational recurrent dropout (Gal & Ghahramani 2016, arXiv 1512.05287).

The same units of the state are dropped at every step of a sequence:

    k = d h_{t-1} / (1 - rate)
    i = sigmoid(W_i x_t + b_i + R_i k + b'_i)     input gate
    f = sigmoid(W_f x_t + b_f + R_f k + b'_f)     forget gate
    g = tanh   (W_g x_t + b_g + R_g k + b'_g)     candidate
    o = sigmoid(W_o x_t + b_o + R_o k + b'_o)     output gate
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

In training d ``(B, H)`` is one mask for a whole sequence, 0 with the probability ``rate`` and 1 elsewhere; outside of
training d / (1 - rate) is 1. The paper drops the input in the same way: put a ``dropout`` layer before this one.

Shapes: x_t ``(B, D)``, h and c ``(B, H)``, W ``(4H, D)``, R ``(4H, H)``; the state is (h, c), h is the output.
4 (D H + H^2 + 2 H) weights.

Use it against overfitting, as Keras' ``recurrent_dropout``; rates of 0.1 to 0.5. Memory suffers less under
``lstm_dropout``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.cells.cell import Cell, check_rate
from unrolled.program.functions import sigmoid, tanh


@dataclass(frozen=True)
class LSTMVariational(Cell):
    """LSTM that drops a share ``rate`` of what it feeds back, the same for a whole sequence."""

    rate: float = 0.25

    name = "lstm_variational"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    noise = ("d",)
    held = ("d",)
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        k = x.d / (1 - self.rate) * h
        i = sigmoid(x.i + R.i(k))
        f = sigmoid(x.f + R.f(k))
        g = tanh(x.g + R.g(k))
        o = sigmoid(x.o + R.o(k))
        c = f * c + i * g
        h = o * tanh(c)
        return h, c

    def rates(self) -> dict[str, float]:
        return {"d": 1 - self.rate}

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
