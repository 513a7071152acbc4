"""Steps that multiply with what has changed since the step before (delta networks, Neil et al. 2017, 1612.05571).

Letters: B independent streams, T time, D inputs, N outputs of a product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.program.bind import Step
from unrolled.program.equations import Equations

Array = npt.NDArray[Any]

_MANY = 0.5  # share of changed columns from which the whole product is quicker, and rounding starts anew


@dataclass
class _Kept:
    """A weight by columns ``(D, N)``, what it was last multiplied with ``(B, D)``, and what came out ``(B, N)``."""

    columns: Array
    v: Array
    out: Array


class Products:
    """``v W' + b`` that keeps the last result of each weight and adds the columns of v that are no longer the same.

    Attributes:
        multiplied: multiplications so far.
        dense: what they would have been with every column.
    """

    def __init__(self) -> None:
        self.multiplied = self.dense = 0
        self._kept: dict[tuple[Any, ...], _Kept] = {}

    def __call__(self, v: Array, weight: Array, bias: Array | None) -> Array:
        """``(B, D)``, ``(N, D)`` and ``(N,)`` to ``(B, N)``."""
        place = (weight.ctypes.data, weight.shape, weight.strides)
        kept = self._kept.get(place)
        self.dense += len(v) * weight.size
        if kept is not None:
            moved = np.flatnonzero((v != kept.v).any(axis=0))
            change = v[:, moved] - kept.v[:, moved]
            if len(moved) <= _MANY * v.shape[1] and np.isfinite(change).all():
                self.multiplied += len(v) * len(weight) * len(moved)
                if len(moved):
                    kept.out = kept.out + change @ kept.columns[moved]
                    kept.v = v.copy()
                return kept.out
        columns = np.ascontiguousarray(weight.T) if kept is None else kept.columns
        out: Array = v @ columns
        self.multiplied += len(v) * weight.size
        if bias is not None:
            out = out + bias
        self._kept[place] = _Kept(columns, v.copy(), out)
        return out


class LazyLayer:
    """A cell whose products are kept from step to step.

    Args:
        cell: the equations.
        weights: by name, as ``cell.shapes`` lists them.
    """

    def __init__(self, cell: Equations, weights: Mapping[str, Array]) -> None:
        self.products = Products()
        self._weight, self._bias = weights["weight_ih"], weights.get("bias_ih")
        self._step = Step(cell, weights, self.products)

    def process(self, x: Array, state: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
        """``(B, T, D)`` and each part of the state to ``(B, T, H)`` and the state after it."""
        y = np.empty((*x.shape[:2], state[0].shape[1]), x.dtype)
        for t in range(x.shape[1]):
            state = self._step(self.products(x[:, t], self._weight, self._bias), state)
            y[:, t] = state[0]
        return y, state
