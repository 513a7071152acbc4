"""How the parameters of a recurrent layer start.

Letters: D input, H hidden, G gates.
"""

from __future__ import annotations

from typing import Literal

from unrolled.core.records import Record


class Initial(Record):
    """Initial values; each gate's block of a weight is drawn by itself.

    "orthogonal": a random rotation (Saxe, McClelland & Ganguli 2014, arXiv 1312.6120), so that the state neither
    grows nor fades at first. "xavier": uniform, bound sqrt(6 / (D + H)) (Glorot & Bengio 2010). "uniform": torch's
    own, bound 1 / sqrt(H). Vectors of a cell start "uniform", its other matrices as its input weights; what
    ``Cell.starts`` gives goes before all of this.
    """

    recurrent: Literal["orthogonal", "uniform"] = "orthogonal"
    input: Literal["xavier", "uniform"] = "xavier"
    bias: Literal["zero", "uniform"] = "zero"
    forget: float = 1.0
    """Added to the bias of the forget gate; no effect where there is none."""


TORCH = Initial(recurrent="uniform", input="uniform", bias="uniform", forget=0.0)
"""What ``torch.nn`` does: everything uniform, bound 1 / sqrt(H)."""
