"""minLSTM (Feng et al. 2024, "Were RNNs all we needed?", arXiv 2410.01201, section 3.2).

Gates and candidate see the input only, and the two gates share out the state:

    f = sigmoid(W_f x_t + b_f)     forget gate
    i = sigmoid(W_i x_t + b_i)     input gate
    n = W_n x_t + b_n              candidate
    f' = f / (f + i),   i' = i / (f + i)
    h_t = f' h_{t-1} + i' n

f' is computed as ``sigmoid(log f - log i)``, as in the paper's appendix: the quotient would be 0 / 0 where both gates
are shut.

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(3H, D)``; the state is h, the output. 3 (D H + H) weights.

Use it as ``min_gru``, where keeping and writing need gates of their own; that one is smaller and usually enough.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import log_sigmoid, sigmoid


class MinLSTM(Cell):
    """Long short-term memory without recurrent products."""

    name = "min_lstm"
    gates = ("f", "i", "n")
    recurrent = ()
    forget = "f"

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        f = sigmoid(log_sigmoid(x.f) - log_sigmoid(x.i))
        h = f * h + (1 - f) * x.n
        return (h,)
