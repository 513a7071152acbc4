"""The gradient through time of an RNN, an LSTM and a GRU: untrained, of one size, on what the net's own layer reads.

The picture that textbooks draw of backpropagation through time, on the data at hand (Pascanu et al. 2013,
arXiv 1211.5063; Hochreiter & Schmidhuber 1997).

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.core.diagnosis import Finding
from unrolled.data import Batch
from unrolled.diagnose.gradient_flow import curves, norms, reach
from unrolled.diagnose.recording import Recorded, observe
from unrolled.diagnose.wording import finding
from unrolled.nets import Recurrent

CELLS = ("rnn", "lstm", "gru")


class _Alone(nn.Module):
    """A layer whose last true output is projected on a direction of each sample's own."""

    def __init__(self, layer: Recurrent, directions: Tensor) -> None:
        super().__init__()
        self.layer, self.directions = layer, directions

    def forward(self, x: Tensor, lengths: Tensor | None = None, **_: Any) -> Tensor:
        y, _state = self.layer(x, lengths=lengths)
        last = y[:, -1] if lengths is None else y[torch.arange(len(y)), lengths - 1]
        projected: Tensor = (last * self.directions).sum(1)
        return projected


def through_time(cell: str, run: Recorded, seed: int = 0) -> Recorded:
    """A fresh layer of ``cell`` in the place of a recorded one, with the gradient of its last output.

    In random directions the mean square of that gradient is the squared norm of the Jacobian dh_T / dh_t.
    """
    request = run.request
    hidden = request.state[0].shape[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = Recurrent(cell, request.x.shape[2], hidden)
        directions = torch.randn(len(request.x), hidden)
    x = request.x.detach().flip(1) if request.reverse and request.lengths is None else request.x.detach()
    batch = Batch(x=torch.nan_to_num(x), y=torch.zeros(len(x), 1), lengths=request.lengths)
    (found,) = observe(_Alone(layer, directions), batch, lambda output, _: output.sum())
    return found


def compared(run: Recorded) -> Finding:
    """How far back each of three cells would reach on this data, before training."""
    by_cell = {cell: norms(through_time(cell, run)) for cell in CELLS}
    longest = max(map(len, by_cell.values()))
    picture = curves("cells_by_lag", by_cell)
    figures = {cell: float(reach(values)) for cell, values in by_cell.items()} | {"steps": float(longest)}
    return finding(
        "cells_compared", "fine", probe="gradient_flow", place=run.place, figures=figures, pictures=[picture]
    )
