"""Adaptive computation time, in torch; the meaning is written in ``program.ops.ponder``."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.nets.trace import op
from unrolled.program import equations
from unrolled.program.ops.ponder import steps


@op(outputs=4)
def ponder(x: Tensor, /, *state: Tensor, cell: str, most: int, **weights: Tensor) -> tuple[Tensor, ...]:
    size, parts = weights["weight_hh"].shape[1], len(equations.cell(cell).state)
    (joined,) = state or (x.new_zeros(len(x), parts * size),)
    begin, after, found = torch.split(joined, size, 1), [joined], []
    for count, rest, *after in steps(x, begin, cell, most, weights):
        found.append((after[0], count, rest))
    y, counts, rests = (torch.stack(values, 1) for values in zip(*found, strict=True))
    return y, counts, rests, torch.cat(after, 1)
