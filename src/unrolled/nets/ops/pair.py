"""Two sequences in one, in torch; the meaning is written in ``program.ops.pair``."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.nets.trace import op
from unrolled.program.ops.types import Join


@op(outputs=2)
def split_sides(x: Tensor, lengths: Tensor | None, /) -> tuple[Tensor, Tensor]:
    batch, time, _ = x.shape
    steps = torch.arange(time, device=x.device)
    stop = torch.full((batch,), time, device=x.device) if lengths is None else lengths.to(x.device)
    side = torch.where(steps < stop[:, None], (x[..., 0] > 0.5).long(), 2)
    found, count = [], []
    for wanted in (0, 1):
        order = torch.argsort((side != wanted).long(), dim=1, stable=True)
        found.append(x[..., 1:].gather(1, order[..., None].expand(-1, -1, x.shape[2] - 1)))
        count.append((side == wanted).sum(1).clamp(min=1))
    both = torch.cat(count)
    return torch.cat(found)[:, : int(both.max()) if batch else 1], both


@op(outputs=2)
def swap_sides(x: Tensor, lengths: Tensor | None, /) -> tuple[Tensor, Tensor]:
    own = torch.full((len(x),), x.shape[1], device=x.device) if lengths is None else lengths
    return x.roll(len(x) // 2, 0), own.roll(len(own) // 2)


@op()
def compare(x: Tensor, y: Tensor, /) -> Tensor:
    return torch.cat([x, y, x - y, x * y], dim=-1)


@op()
def join_sides(y: Tensor, /, *, kind: Join) -> Tensor:
    u, v = y.chunk(2)
    if kind == "cosine":
        size = (u.square().sum(-1, keepdim=True) * v.square().sum(-1, keepdim=True)).clamp(min=1e-16).sqrt()
        return (u * v).sum(-1, keepdim=True) / size
    both = [(u - v).abs(), u * v]
    return torch.cat([u, v, *both] if kind == "all" else both, dim=-1)
