"""A net that finds anomalies, with the score of its errors as its answer.

The score is that of ``prepare.scores``, written in torch so that it has a gradient: to the inputs as what the net reads
and as what it is held against.

Letters: B batch, T time, C channels, V steps ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from unrolled.nets import Net
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow
from unrolled.nets.layer import Bracket
from unrolled.prepare.decoding import AnomalyDecoding

_SMALL = 1e-12  # below which a root has no slope to speak of


def with_score(net: Net, decoding: AnomalyDecoding, place: int | None, known: Tensor | None = None) -> Net:
    """A copy of the net whose output ``(B, 1, 1, 1)`` is the score.

    Args:
        net: left as it was.
        decoding: how its errors are read.
        place: the step whose score is taken, from 0; None: that of the whole sequence.
        known: ``(1, T, C)`` where the row has a value; None: everywhere.
    """
    made = deepcopy(net)
    chain = Chain([], made.layers.shape)
    chain.append(_Score(decoding, place, known))
    made.layers = chain.extend(made.layers)
    return made.eval()


class _Score(Bracket):
    """Around all layers: what goes in is held against what comes out."""

    def __init__(self, decoding: AnomalyDecoding, place: int | None, known: Tensor | None) -> None:
        super().__init__()
        self.decoding, self.place, self.known = decoding, place, known

    def forward(self, flow: Flow, inner: Callable[[Flow], Flow]) -> Flow:
        after = inner(flow)
        rows = self._rows(after.x, flow)
        if self.place is not None:
            score = rows[:, self.place]
        elif self.decoding.combine == "max":
            score = rows.amax(1)
        else:
            count = torch.full_like(rows[:, 0], rows.shape[1]) if flow.lengths is None else flow.lengths
            score = rows.sum(1) / count
        return replace(after, x=score[:, None, None, None])

    def _rows(self, output: Tensor, flow: Flow) -> Tensor:
        """``(B, T)`` scores of the rows; 0 where there is none."""
        decoding, shape = self.decoding, (self.decoding.ahead, len(self.decoding.channels))
        center = output.new_tensor(decoding.center).reshape(shape) if decoding.center else 0.0
        scale = output.new_tensor(decoding.scale).reshape(shape) if decoding.scale else 1.0
        truth = flow.x[..., : shape[1]]
        known = self._known(flow)
        if decoding.kind == "reconstruction":
            errors, spoken = (truth - output[..., 0])[:, :, None], known[:, :, None]
        else:
            errors = torch.stack([_late(truth[:, k + 1 :] - output[:, : -k - 1, :, k], k) for k in range(shape[0])], 2)
            spoken = torch.stack([_late(known[:, k + 1 :], k) for k in range(shape[0])], 2)
        squares = torch.where(spoken, ((errors - center) / scale).square(), 0.0)
        count = spoken.sum((2, 3))
        mean = squares.sum((2, 3)) / count.clamp_min(1)
        return torch.where(count > 0, mean.clamp_min(_SMALL).sqrt(), 0.0)

    def _known(self, flow: Flow) -> Tensor:
        """``(B, T, C)`` where a row has a value, and is one that gets a score."""
        count, time = flow.x.shape[:2]
        steps = torch.arange(time)
        inside = (steps >= self.decoding.warm_up).expand(count, -1)
        if flow.lengths is not None:
            inside = inside & (steps < flow.lengths[:, None])
        each = inside[..., None].expand(-1, -1, len(self.decoding.channels))
        return each if self.known is None else each & self.known


def _late(values: Tensor, steps: int) -> Tensor:
    """``(B, T, C)`` with the rows that no forecast ``steps + 1`` ahead speaks of put before."""
    return pad(values, (0, 0, steps + 1, 0))
