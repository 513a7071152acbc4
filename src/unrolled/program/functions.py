"""Pointwise functions for cells and plans: NumPy arrays by NumPy, anything else by its own method.

A torch tensor brings ``tanh``, ``sigmoid``, ``relu`` and ``chunk``; whatever traces a cell brings the same names.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A NumPy array, a torch tensor, or a symbol that is traced."""


def tanh(v: Array) -> Array:
    """Hyperbolic tangent, element by element."""
    return np.tanh(v) if isinstance(v, np.ndarray) else v.tanh()


def sigmoid(v: Array) -> Array:
    """``1 / (1 + exp(-v))``, element by element, exact in both tails."""
    if not isinstance(v, np.ndarray):
        return v.sigmoid()
    with np.errstate(over="ignore"):  # exp(-v) = inf gives 0, which is right
        out = np.exp(np.negative(v))
    out += 1
    return np.reciprocal(out, out)


def relu(v: Array) -> Array:
    """``max(v, 0)``, element by element."""
    return np.maximum(v, 0) if isinstance(v, np.ndarray) else v.relu()


def chunk(v: Array, parts: int) -> tuple[Array, ...]:
    """Split the last axis into ``parts`` equal views, one for each gate."""
    if not isinstance(v, np.ndarray):
        return tuple(v.chunk(parts, -1))
    size = v.shape[-1] // parts
    return tuple(v[..., k * size : (k + 1) * size] for k in range(parts))
