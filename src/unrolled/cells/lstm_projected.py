"""LSTM with a recurrent projection (Sak, Senior & Beaufays 2014, arXiv 1402.1128, eq. 1-7, without peepholes).

The output is a smaller vector, and only that is fed back:

    i, f, g, o and c_t as in the LSTM, with R ``(4H, P)``
    h_t = W_hr (o tanh(c_t))

Shapes: x_t ``(B, D)``, c ``(B, H)``, h ``(B, P)``, W_hr ``(P, H)``; the state is (h, c), h is the output. This is
``torch.nn.LSTM(proj_size=P)``.

Use it for much memory with few weights: wide cells whose output, and so whose recurrent product, is narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.cells.cell import Cell
from unrolled.core.errors import ConfigError
from unrolled.program.functions import sigmoid, tanh


@dataclass(frozen=True)
class LSTMProjected(Cell):
    """LSTM whose output has ``projection`` = P units."""

    projection: int

    name = "lstm_projected"
    state = ("h", "c")
    gates = ("i", "f", "g", "o")
    matrices = ("hr",)
    forget = "f"

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        i = sigmoid(x.i + R.i(h))
        f = sigmoid(x.f + R.f(h))
        g = tanh(x.g + R.g(h))
        o = sigmoid(x.o + R.o(h))
        c = f * c + i * g
        h = R.hr(o * tanh(c))
        return h, c

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        shapes = super().shapes(input_size, hidden_size, bias=bias)
        return shapes | {"weight_hr": (self.projection, hidden_size)}

    def state_sizes(self, hidden_size: int) -> tuple[int, ...]:
        return (self.projection, hidden_size)

    def __post_init__(self) -> None:
        if self.projection < 1:
            raise ConfigError(f"must be at least 1, it is {self.projection}", where="projection")
