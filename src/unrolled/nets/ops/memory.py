"""A layer with an external memory, in torch; the meaning is written in ``program.ops.memory``.

Letters: B batch, T time, D inputs, H units of the controller, N slots, M width of a slot, R heads of each kind.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from unrolled.nets.trace import op
from unrolled.program.ops.memory import neighbours, steps


@op(outputs=5)
def memory(
    x: Tensor, /, *state: Tensor, slots: int, width: int, heads: int, reach: int, **weights: Tensor
) -> tuple[Tensor, ...]:
    if not state:
        where = x.new_zeros(len(x), 2 * heads, slots)
        where[..., 0] = 1
        state = (x.new_zeros(len(x), slots, width), where, *x.new_zeros(2, len(x), weights["weight_hh"].shape[1]))
    ring = torch.from_numpy(neighbours(slots, reach)).to(x.device)
    units, found = [], []
    for *parts, read in steps(x, state, ring, weights, linear):
        units.append(parts[2])
        found.append(read)
    return torch.cat([torch.stack(units, 1), torch.stack(found, 1)], -1), *parts
