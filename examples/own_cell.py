"""Write a cell, check it, and use it by its name in a net: python examples/own_cell.py"""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled import Regressor, cells
from unrolled.program import trace
from unrolled.program.functions import sigmoid, tanh
from unrolled.testing import check_cell


@cells.register
class UpdateGate(cells.Cell):
    """Update gate RNN (Collins, Sohl-Dickstein & Sussillo 2017, arXiv 1611.09913): the smallest gated cell."""

    name = "ugrnn"
    gates = ("g", "n")
    forget = "g"

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        g = sigmoid(x.g + R.g(h))
        n = tanh(x.n + R.n(h))
        return (g * h + (1 - g) * n,)


check_cell(UpdateGate())  # steps, cuts, padding, causality, gradients, NumPy
print("the cell holds its contract; its program:", trace(UpdateGate(), 16), sep="\n")

random = np.random.default_rng(0)
X = random.normal(size=(200, 15, 2))
y = X[:, :, 0].sum(axis=1) - X[:, -1, 1]
model = Regressor([{"ugrnn": {"size": 16}}, "linear"], epochs=20, learning_rate=0.02, random_state=0).fit(
    X[:150], y[:150]
)
print(f"R2 on sequences it has not seen: {model.score(X[150:], y[150:]):.2f}")
