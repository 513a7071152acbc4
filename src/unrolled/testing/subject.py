"""What the contract checks examine: a cell on a backend, with random weights and inputs of its own.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled import engine
from unrolled.engine import Backend, State
from unrolled.program.equations import Equations

Sizes = tuple[int, int, int, int]
"""(B, T, D, H)."""


@dataclass(frozen=True)
class Subject:
    """Weights, inputs and a way to run them; drawn from ``seed`` without touching torch's generator."""

    cell: Equations
    backend: str | Backend
    sizes: Sizes = (4, 7, 3, 5)
    dtype: torch.dtype = torch.float64
    bias: bool = True
    scale: float = 1.0
    seed: int = 0

    def weights(self) -> dict[str, Tensor]:
        """Random parameters with standard deviation ``scale / sqrt(H)``."""
        _, _, inputs, hidden = self.sizes
        shapes = self.cell.shapes(inputs, hidden, bias=self.bias)
        deviation = self.scale / math.sqrt(hidden)
        return {name: deviation * self._draw(index, *shape) for index, (name, shape) in enumerate(shapes.items())}

    def x(self) -> Tensor:
        """``(B, T, D)``."""
        return self._draw(100, *self.sizes[:3])

    def hx(self) -> State:
        """One ``(B, H)`` a part, within -1 .. 1."""
        sizes = self.cell.state_sizes(self.sizes[3])
        return tuple(self._draw(200 + part, self.sizes[0], size).tanh() for part, size in enumerate(sizes))

    def lengths(self) -> Tensor:
        """``(B,)``: 0, T and values between."""
        batch, time = self.sizes[:2]
        lengths = torch.randint(0, time + 1, (batch,), generator=self._generator(300))
        lengths[:1], lengths[1:2] = time, 0
        return lengths

    def run(self, x: Tensor, hx: State | None = None, **options: Any) -> tuple[Tensor, State]:
        """Run the cell with these weights on this backend."""
        return engine.run(self.cell, x, self.weights(), hx, backend=self.backend, **options)

    def _draw(self, stream: int, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator(stream), dtype=torch.float64).to(self.dtype)

    def _generator(self, stream: int) -> torch.Generator:
        return torch.Generator().manual_seed(1000 * self.seed + stream)

    def __str__(self) -> str:
        backend = self.backend if isinstance(self.backend, str) else self.backend.name
        batch, time, inputs, hidden = self.sizes
        dtype = str(self.dtype).removeprefix("torch.")
        return f"cell {self.cell.name!r} on {backend!r}, {dtype}, B {batch}, T {time}, D {inputs}, H {hidden}"
