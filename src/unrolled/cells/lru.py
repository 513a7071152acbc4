"""Linear recurrent unit with a real diagonal (Orvieto et al. 2023, arXiv 2303.06349; here with real eigenvalues).

Each unit fades at its own rate a, whatever the input:

    a = exp(-exp(nu))                             always within 0 .. 1
    h_t = a h_{t-1} + gamma (W x_t + b)

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(H, D)``, nu and gamma ``(H,)``; the state is h, the output.
D H + 3 H weights. a starts with a^2 uniform from ``fastest``^2 to ``slowest``^2, gamma at sqrt(1 - a^2), so that the
state has the variance of its input. The paper's eigenvalues are complex, which adds oscillations, and it trains
log gamma. The matrix behind the state is the next layer's.

Use it for very long sequences with slow trends, with a nonlinear layer after each, as ``layer_norm`` and ``linear``
or a gated cell: by itself it is a bank of leaky averages. The cheapest of all cells, and parallel in time on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.cells.cell import Cell, Uniform
from unrolled.core.errors import ConfigError
from unrolled.program.functions import Array, exp


@dataclass(frozen=True)
class LRU(Cell):
    """Leaky averages of the input; the share kept at a step starts between ``fastest`` and ``slowest``."""

    fastest: float = 0.9
    slowest: float = 0.999

    name = "lru"
    gates = ("h",)
    recurrent = ()
    vectors = ("nu", "gamma")

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        a = exp(-exp(R.nu))
        h = a * h + R.gamma * x.h
        return (h,)

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        squared = self.fastest**2 + uniform(hidden_size) * (self.slowest**2 - self.fastest**2)
        return {"nu": np.log(-0.5 * np.log(squared)), "gamma": np.sqrt(1 - squared)}

    def __post_init__(self) -> None:
        if not 0 < self.fastest <= self.slowest < 1:
            raise ConfigError(
                f"0 < fastest <= slowest < 1 must hold, they are {self.fastest} and {self.slowest}",
                where="fastest, slowest",
            )
