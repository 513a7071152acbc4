"""Parts of a net at a slower pace, in torch; the meaning is written in ``program.ops.pace``."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.nets.trace import op


@op(outputs=3)
def thin(x: Tensor, lengths: Tensor | None, /, *state: Tensor, every: int) -> tuple[Tensor, Tensor | None, Tensor]:
    passed = int(state[0][0]) if state else 0
    after = x.new_full((len(x),), (passed + x.shape[1]) % every)
    return x[:, -passed % every :: every], None if lengths is None else -(-lengths // every), after


@op(outputs=3)
def hold(x: Tensor, like: Tensor, /, *state: Tensor, every: int) -> tuple[Tensor, Tensor, Tensor]:
    passed = int(state[0][0]) if state else 0
    before = state[1] if state else torch.zeros_like(x[:, 0])
    joined, steps = torch.cat([before[:, None], x], 1), like.shape[1]
    index = (passed + torch.arange(steps, device=x.device)) // every - (passed - 1) // every
    return joined[:, index], x.new_full((len(x),), (passed + steps) % every), joined[:, -1]
