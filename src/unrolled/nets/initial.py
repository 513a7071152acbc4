"""Draws the initial values that ``unrolled.cells.Initial`` describes.

Letters: D input, H hidden, G gates, N heads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.cells import Initial
from unrolled.program.equations import Equations


@torch.no_grad()
def draw(cell: Equations, weights: Mapping[str, Tensor], initial: Initial) -> None:
    """Fill one layer's parameters (one direction), in place, from torch's generator."""
    gates = cell.gates
    hidden = weights["weight_ih"].shape[0] // len(gates)
    bound = 1 / math.sqrt(hidden)
    for role, weight in weights.items():
        if role == "weight_hh" and initial.recurrent == "orthogonal":
            for block in weight if weight.dim() == 3 else weight.chunk(weight.shape[0] // hidden):
                # drawn in float32: there is no QR in half precision
                block.copy_(nn.init.orthogonal_(torch.empty_like(block, dtype=torch.float32)))
        elif role in ("weight_ih", *(f"weight_{name}" for name in cell.matrices)) and initial.input == "xavier":
            for block in weight if weight.dim() == 3 else weight.chunk(len(gates) if role == "weight_ih" else 1):
                nn.init.xavier_uniform_(block)
        elif role.startswith("bias_") and initial.bias == "zero":
            nn.init.zeros_(weight)
        else:
            nn.init.uniform_(weight, -bound, bound)
    for name, values in cell.starts(hidden, _uniform).items():
        role, _, gate = name.partition(".")
        if role in weights:
            recurrent = gates if cell.recurrent is None else cell.recurrent
            target = _part(weights[role], recurrent if role.endswith("_hh") else gates, gate)
            target.copy_(torch.as_tensor(values))
    if cell.forget in cell.vectors:
        weights[cell.forget].add_(initial.forget)
    elif cell.forget is not None and "bias_ih" in weights:
        _part(weights["bias_ih"], gates, cell.forget).add_(initial.forget)


def _uniform(*shape: int) -> Any:
    """NumPy numbers from 0 to 1, from torch's generator."""
    return torch.rand(shape, dtype=torch.float64).numpy()


def _part(weight: Tensor, gates: tuple[str, ...], gate: str) -> Tensor:
    """The rows of one gate; the whole weight where no gate is named."""
    return weight.chunk(len(gates))[gates.index(gate)] if gate else weight
