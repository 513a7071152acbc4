"""Write a cell, check it, and use it by its name in a net: python examples/own_cell.py"""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled import Regressor, cells
from unrolled.program.functions import sigmoid, tanh
from unrolled.testing import check_cell


@cells.register
class MinimalGated(cells.Cell):
    """Minimal gated unit, one gate in all (Zhou, Wu, Zhang & Zhou 2016, arXiv 1603.09420, eq. 12-14)."""

    name = "mgu"
    gates = ("f", "n")

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        f = sigmoid(x.f + R.f(h))
        n = tanh(x.n + R.n(f * h))
        return ((1 - f) * h + f * n,)


check_cell(MinimalGated())  # steps, cuts, padding, causality, gradients, NumPy
print("the cell holds its contract")

random = np.random.default_rng(0)
X = random.normal(size=(200, 15, 2))
y = X[:, :, 0].sum(axis=1) - X[:, -1, 1]
model = Regressor([{"mgu": {"size": 16}}, "linear"], epochs=20, learning_rate=0.02, random_state=0).fit(
    X[:150], y[:150]
)
print(f"R2 on sequences it has not seen: {model.score(X[150:], y[150:]):.2f}")
