"""Draws the initial values that ``unrolled.cells.Initial`` describes.

Letters: D input, H hidden, G gates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from unrolled.cells import Initial
from unrolled.program.equations import Equations


@torch.no_grad()
def draw(cell: Equations, weights: Mapping[str, Tensor], initial: Initial) -> None:
    """Fill one layer's parameters (one direction), in place, from torch's generator."""
    gates = len(cell.gates)
    bound = 1 / math.sqrt(weights["weight_ih"].shape[0] // gates)
    for role, weight in weights.items():
        if role == "weight_hh" and initial.recurrent == "orthogonal":
            for block in weight.chunk(gates):  # drawn in float32: there is no QR in half precision
                block.copy_(nn.init.orthogonal_(torch.empty_like(block, dtype=torch.float32)))
        elif role in ("weight_ih", *(f"weight_{name}" for name in cell.matrices)) and initial.input == "xavier":
            for block in weight.chunk(gates if role == "weight_ih" else 1):
                nn.init.xavier_uniform_(block)
        elif role.startswith("bias_") and initial.bias == "zero":
            nn.init.zeros_(weight)
        else:
            nn.init.uniform_(weight, -bound, bound)
    if cell.forget is not None and "bias_ih" in weights:
        weights["bias_ih"].chunk(gates)[cell.gates.index(cell.forget)].add_(initial.forget)
