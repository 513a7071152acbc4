"""A layer with an external memory, in torch; the meaning is written in ``program.ops.memory``.

Letters: B batch, T time, D inputs, H units of the controller, N slots, M width of a slot, R heads of each kind.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.nets.trace import op
from unrolled.program.ops.memory import neighbours, steps


@op()
def memory(
    x: Tensor,
    /,
    weight_heads: Tensor,
    bias_heads: Tensor,
    *,
    slots: int,
    width: int,
    heads: int,
    reach: int,
    **controller: Tensor,
) -> Tensor:
    empty = x.new_zeros(len(x), slots, width)
    first = x.new_zeros(len(x), 2 * heads, slots)
    first[..., 0] = 1
    state = (x.new_zeros(len(x), controller["weight_hh"].shape[1]),) * 2
    ring = torch.from_numpy(neighbours(slots, reach)).to(x.device)
    every = steps(x, controller, (weight_heads, bias_heads), (empty, first, state), ring)
    return torch.stack([torch.cat(parts, -1) for parts in every], 1)
