"""Missing numbers, in torch; the meaning is written in ``program.ops.missing``."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from unrolled.nets.trace import op
from unrolled.program.ops.missing import LONGEST


@op(outputs=5)
def decay(
    x: Tensor,
    /,
    *state: Tensor,
    columns: tuple[int, ...],
    marks: int,
    elapsed: int | None = None,
    **rate: Tensor,
) -> tuple[Tensor, ...]:
    numbers, missing = x[..., list(columns)], x[..., marks : marks + len(columns)]
    last, known, age = state or (torch.zeros_like(numbers[:, 0]),) * 3
    interval = torch.ones_like(x[..., 0]) if elapsed is None else x[..., elapsed].clamp(max=LONGEST).exp2()
    if not state:
        interval = F.pad(interval[:, 1:], (1, 0))
    clock = F.pad(interval, (1, 0)).cumsum(1)[..., None].expand(-1, -1, len(columns))
    seen = torch.cat([known[:, None] > 0.5, missing < 0.5], 1)
    values = torch.cat([last[:, None], numbers], 1)
    at = torch.where(seen, torch.arange(seen.shape[1], device=x.device)[:, None], 0).cummax(1).values
    now = clock - clock.gather(1, at) + torch.where(at == 0, age[:, None], 0)
    since = now[:, :-1] + interval[..., None]
    seen, values = seen.gather(1, at), values.gather(1, at)
    y = x.clone()
    share = missing * seen[:, 1:] * torch.exp(-torch.relu(rate["weight"] * since + rate["bias"]))
    y[..., list(columns)] = numbers + share * (values[:, 1:] - numbers)
    return y, torch.log2(1 + since), values[:, -1], seen[:, -1].to(x.dtype), now[:, -1]
