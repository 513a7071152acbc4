"""Sparse changes and activations, in torch; the meaning is written in ``program.ops.sparse``."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.nets.trace import op


@op(outputs=2)
def delta(x: Tensor, /, *state: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    (told,) = state or (torch.zeros_like(x[:, 0]),)
    steps = []
    for x_t in x.unbind(1):
        told = torch.where((x_t - told).abs() > threshold, x_t, told)
        steps.append(told)
    return torch.stack(steps, 1), told


@op()
def top_k(x: Tensor, /, *, count: int) -> Tensor:
    size = x.abs()
    least = size.topk(count, dim=-1).values[..., -1:]
    return torch.where(size >= least, x, 0)
