"""Which is the same? Two distorted views of a sequence find each other among those of all others.

NT-Xent of SimCLR (Chen et al. 2020, arXiv 2002.05709, eq. 1) with distortions for series as in TS-TCC (Eldele et al.
2021, arXiv 2106.14112): time warped, magnitude scaled, noise added. Letters: B batch, T time, H encoder's width,
E embedded inputs, P projection.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.pretext.question import Encode, Material, Question

_PROJECTION = 64


class Contrast(Question):
    """InfoNCE of both views of each sequence, beside guessing.

    Args:
        shape: what leaves the encoder.
        columns: not needed, the views are compared whole.
        temperature: divides the cosine of two views.
        warp, scale, noise: strengths of the distortions, see ``augment``; noise in standard deviations.
    """

    simple, measure = "chance", "info_nce"

    def __init__(
        self,
        shape: Shape,
        columns: int,
        *,
        temperature: float = 0.2,
        warp: float = 0.2,
        scale: float = 0.2,
        noise: float = 0.2,
    ) -> None:
        super().__init__()
        self._temperature, self._warp, self._scale, self._noise = temperature, warp, scale, noise
        self.project = nn.Sequential(nn.Linear(shape.size, shape.size), nn.ReLU(), nn.Linear(shape.size, _PROJECTION))

    def forward(self, encode: Encode, given: Material) -> Tensor:
        lengths = given.inside.sum(1)
        one, other = (self._summary(encode(self._view(given.x, lengths))) for _ in range(2))
        count = len(one)
        both = functional.normalize(torch.cat([one, other]), dim=1)
        alike = (both @ both.T / self._temperature).fill_diagonal_(-torch.inf)
        partner = torch.arange(2 * count, device=both.device).roll(count)
        loss = functional.cross_entropy(alike, partner, reduction="none").reshape(2, count).mean(0)
        terms = torch.full_like(loss, float(count > 1))  # alone, there is nothing to choose from
        return torch.stack([loss * terms, terms * math.log(2 * count - 1), terms], dim=1)

    def _view(self, x: Tensor, lengths: Tensor) -> Tensor:
        """``(B, T, E)`` distorted, differently each time."""
        x = ops.scaling(ops.time_warp(x, lengths, self._warp, True), self._scale, True)
        return x + self._noise * torch.randn_like(x)

    def _summary(self, flow: Flow) -> Tensor:
        """``(B, P)`` of the mean over all steps."""
        result: Tensor = self.project(ops.pool(flow.x, flow.lengths, kind="mean", backward=0))
        return result
