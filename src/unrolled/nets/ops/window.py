"""Normalisation of each window by itself, in torch; its meaning is written in ``program.ops.window``."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.nets.ops.time import last_step, mask
from unrolled.nets.trace import op
from unrolled.program.ops.types import Norm


@op(outputs=3)
def window_norm(
    x: Tensor,
    lengths: Tensor | None,
    /,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    kind: Norm,
    targets: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor | None]:
    own, scale = x[..., :targets], None
    if kind == "last":
        centre = last_step(own, lengths)[:, None]
        own = own - centre
    elif lengths is None:
        centre = own.mean(dim=1, keepdim=True)
        own = own - centre
        scale = torch.sqrt(own.square().mean(dim=1, keepdim=True) + eps)
    else:
        inside = mask(lengths, x)[..., None]
        count = inside.sum(dim=1, keepdim=True).clamp(min=1)
        centre = torch.where(inside, own, 0).sum(dim=1, keepdim=True) / count
        own = own - centre
        scale = torch.sqrt(torch.where(inside, own, 0).square().sum(dim=1, keepdim=True) / count + eps)
    if scale is not None:
        own = own / scale
    if weight is not None and bias is not None:
        own = torch.addcmul(bias, own, weight)
    return (torch.cat([own, x[..., targets:]], dim=-1) if x.shape[-1] > targets else own), centre, scale


@op()
def window_denorm(
    y: Tensor,
    centre: Tensor,
    scale: Tensor | None,
    /,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    if weight is not None and bias is not None:
        y = (y - bias[:, None]) / weight[:, None]
    centre = centre.unsqueeze(-1)
    return y + centre if scale is None else torch.addcmul(centre, y, scale.unsqueeze(-1))
