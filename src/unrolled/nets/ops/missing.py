"""Missing numbers, in torch; the meaning is written in ``program.ops.missing``."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from unrolled.nets.trace import op
from unrolled.program.ops.missing import LONGEST


@op(outputs=2)
def decay(
    x: Tensor, /, weight: Tensor, bias: Tensor, *, columns: tuple[int, ...], marks: int, elapsed: int | None = None
) -> tuple[Tensor, Tensor]:
    numbers, missing = x[..., list(columns)], x[..., marks : marks + len(columns)]
    steps = torch.arange(x.shape[1], device=x.device)[:, None]
    seen = missing < 0.5
    at = torch.where(seen, steps, 0).cummax(1).values
    before = F.pad(at[:, :-1], (0, 0, 1, 0))
    passed = torch.zeros_like(x[..., 0]) if elapsed is None else x[..., elapsed].clamp(max=LONGEST)
    clock = F.pad(passed[:, 1:].exp2(), (1, 0)).cumsum(1)[..., None].expand_as(numbers)
    since = clock - clock.gather(1, before)
    last = torch.where(seen.gather(1, at), numbers.gather(1, at), numbers)
    y = x.clone()
    y[..., list(columns)] = numbers + missing * torch.exp(-torch.relu(weight * since + bias)) * (last - numbers)
    return y, torch.log2(1 + since)
