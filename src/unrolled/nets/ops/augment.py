"""Augmentation of sequences: happens in training only, so that nothing of it is in a plan.

Letters: B batch, T time, D inputs, W waves.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unrolled.nets.trace import tracing

_WAVES = 3


def scaling(x: Tensor, deviation: float, training: bool) -> Tensor:
    """Each sequence of ``(B, T, D)`` times a random factor around 1."""
    if not training or not deviation or tracing(x) is not None:
        return x
    return x * (1 + deviation * torch.randn(len(x), 1, 1, dtype=x.dtype, device=x.device))


def time_warp(x: Tensor, lengths: Tensor | None, strength: float, training: bool) -> Tensor:
    """Each sequence of ``(B, T, D)`` read at a speed that changes slowly; first step, last step and length stay.

    The step read at ``t`` (from 0 to 1) is ``t + sum_w a_w sin(pi w t) / (pi w)``, with ``a_w`` of standard deviation
    ``strength``: the speed is 1 plus ``W`` cosines of that size. Between steps it interpolates linearly.
    """
    if not training or not strength or tracing(x) is not None:
        return x
    steps = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)
    last = x.new_full((len(x), 1), x.shape[1] - 1) if lengths is None else lengths.to(x)[:, None] - 1
    t = (steps / last.clamp(min=1)).clamp(max=1)
    wave = math.pi * torch.arange(1, _WAVES + 1, dtype=x.dtype, device=x.device)
    size = strength * torch.randn(len(x), _WAVES, dtype=x.dtype, device=x.device)
    bent = t + (size[:, :, None] * torch.sin(wave[:, None] * t[:, None]) / wave[:, None]).sum(1)
    last = last.clamp(min=0)
    read = bent.clamp(0, 1) * last
    below = read.floor()
    above = torch.minimum(below + 1, last)
    earlier, later = (x.gather(1, step.long()[..., None].expand_as(x)) for step in (below, above))
    return torch.lerp(earlier, later, (read - below)[..., None])
