"""minGRU (Feng et al. 2024, "Were RNNs all we needed?", arXiv 2410.01201, section 3.1).

The gate and the candidate see the input only, so that the state enters linearly and all steps can be computed at once:

    z = sigmoid(W_z x_t + b_z)     update gate
    n = W_n x_t + b_n              candidate
    h_t = (1 - z) h_{t-1} + z n

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(2H, D)``; the state is h, the output. 2 (D H + H) weights. z *replaces*, as
the paper has it. Its appendix also has a form with a positive candidate, for sums of logarithms; this one needs none.

Use it for long sequences, in stacks of two layers and more: cheap, and parallel in time on a GPU. One layer cannot
make its gate depend on what it remembers.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.cell import Cell
from unrolled.program.functions import sigmoid


class MinGRU(Cell):
    """Gated recurrent unit without recurrent products."""

    name = "min_gru"
    gates = ("z", "n")
    recurrent = ()

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        z = sigmoid(x.z)
        h = (1 - z) * h + z * x.n
        return (h,)
