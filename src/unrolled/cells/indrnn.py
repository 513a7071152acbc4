"""Independently recurrent network (Li, Li, Cook, Zhu & Gao 2018, arXiv 1803.04831).

Each unit sees only its own past, through one weight:

    h_t = relu(W x_t + b + u h_{t-1})

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(H, D)``, u ``(H,)``; the state is h, the output. D H + 2 H weights. The
recurrence neither explodes nor fades over T steps while abs(u) <= 2^(1/T): u starts uniform in
0 .. 2^(1/T) with T = ``steps``. Nothing holds it there later, so keep gradients clipped.

Use it in stacks of two layers and more (the next layer mixes the units) for sequences of hundreds to thousands of
steps. One layer alone is weak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unrolled.cells.cell import Cell, Uniform
from unrolled.core.errors import ConfigError
from unrolled.program.functions import Array, relu


@dataclass(frozen=True)
class IndRNN(Cell):
    """Rectified units, each with a recurrence of its own; ``steps`` is the length of the sequences to come."""

    steps: int = 100

    name = "indrnn"
    gates = ("h",)
    recurrent = ()
    vectors = ("u",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        h = relu(x.h + R.u * h)
        return (h,)

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        return {"u": uniform(hidden_size) * 2 ** (1 / self.steps)}

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"must be at least 1, it is {self.steps}", where="steps")
