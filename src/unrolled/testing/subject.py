"""What the contract checks examine: a cell on a backend, with random weights and inputs of its own.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
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
    """Weights, inputs and a way to run them; drawn from ``seed`` without touching torch's generator.

    H is as ``sizes`` says, or a little more where the cell's heads do not divide it.
    """

    cell: Equations
    backend: str | Backend
    sizes: Sizes = (4, 7, 3, 5)
    dtype: torch.dtype = torch.float64
    bias: bool = True
    scale: float = 1.0
    seed: int = 0

    @property
    def hidden(self) -> int:
        """H."""
        heads = self.cell.heads
        return -(-self.sizes[3] // heads) * heads

    def weights(self) -> dict[str, Tensor]:
        """Random parameters with standard deviation ``scale / sqrt(H)``."""
        shapes = self.cell.shapes(self.sizes[2], self.hidden, bias=self.bias)
        deviation = self.scale / math.sqrt(self.hidden)
        return {name: deviation * self._draw(index, *shape) for index, (name, shape) in enumerate(shapes.items())}

    def x(self) -> Tensor:
        """``(B, T, D)``."""
        return self._draw(100, *self.sizes[:3])

    def hx(self) -> State:
        """One ``(B, H)`` a part, which the cell can be in: the reference arrives there from zeros in three steps."""
        calm = replace(self, scale=1.0)
        x = self._draw(200, self.sizes[0], 3, self.sizes[2])
        with torch.no_grad():
            return engine.run(self.cell, x, calm.weights(), backend="reference")[1]

    def noise(self) -> dict[str, Tensor]:
        """``(B, T, H)`` zeros and ones for each of the cell's noises."""
        shape = (*self.sizes[:2], self.hidden)
        return {name: (self._draw(400 + k, *shape) > 0).to(self.dtype) for k, name in enumerate(self.cell.noise)}

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
        batch, time, inputs, _ = self.sizes
        dtype = str(self.dtype).removeprefix("torch.")
        return f"cell {self.cell.name!r} on {backend!r}, {dtype}, B {batch}, T {time}, D {inputs}, H {self.hidden}"
