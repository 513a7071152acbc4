"""The reference: a cell's equations in a plain loop over time, any dtype, differentiable.

Letters: B batch, T time, D input, H hidden, G gates.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from unrolled.engine.backend import Request, State
from unrolled.program.bind import Step


class Reference:
    """Every cell, every dtype; slow, and what all other backends are held against."""

    name = "reference"

    def refusal(self, request: Request) -> str | None:
        return None

    def run(self, request: Request) -> tuple[Tensor, State]:
        step = Step(request.cell, request.weights, linear)
        x, state = request.x, request.state
        inside = None
        if request.lengths is not None:
            inside = request.inside(request.lengths)[..., None]
            x = torch.where(inside, x, 0)  # NaN in the padding would reach the gradient as 0 * NaN
        projected = linear(x, request.weights["weight_ih"], request.weights.get("bias_ih")).unbind(1)
        noise = request.noise or {}
        outputs: list[Tensor] = []
        for t in range(len(projected))[:: -1 if request.reverse else 1]:
            masks = {name: mask[:, t] for name, mask in noise.items()} or None
            new = step(projected[t], state, masks)
            if inside is None:
                outputs.append(new[0])
            else:
                new = tuple(torch.where(inside[:, t], n, old) for n, old in zip(new, state, strict=True))
                outputs.append(torch.where(inside[:, t], new[0], 0))
            state = new
        return torch.stack(outputs[::-1] if request.reverse else outputs, 1), state
