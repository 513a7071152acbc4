"""Functions for cells and plans: NumPy arrays by NumPy, torch tensors and symbols by their own methods.

A value is ``(rows, columns)``; what is not said to reduce acts element by element.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np

from unrolled.program.symbol import Symbol

Array: TypeAlias = Any
"""A NumPy array, a torch tensor, or a symbol that is traced."""


def tanh(v: Array) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(v) if isinstance(v, np.ndarray) else v.tanh()


def sigmoid(v: Array) -> Array:
    """``1 / (1 + exp(-v))``, exact in both tails."""
    if not isinstance(v, np.ndarray):
        return v.sigmoid()
    with np.errstate(over="ignore"):  # exp(-v) = inf gives 0, which is right
        out = np.exp(np.negative(v))
    out += 1
    return np.reciprocal(out, out)


def relu(v: Array) -> Array:
    """``max(v, 0)``."""
    return np.maximum(v, 0) if isinstance(v, np.ndarray) else v.relu()


def exp(v: Array) -> Array:
    """``e`` to the power v."""
    return np.exp(v) if isinstance(v, np.ndarray) else v.exp()


def log(v: Array) -> Array:
    """Natural logarithm."""
    return np.log(v) if isinstance(v, np.ndarray) else v.log()


def sqrt(v: Array) -> Array:
    """Square root."""
    return np.sqrt(v) if isinstance(v, np.ndarray) else v.sqrt()


def softplus(v: Array) -> Array:
    """``log(1 + exp(v))``, exact in both tails."""
    if isinstance(v, Symbol):
        return v.softplus()
    if not isinstance(v, np.ndarray):
        return v.logaddexp(v.new_zeros(()))
    with np.errstate(invalid="ignore"):  # NaN stays NaN, without a warning, as in every other function
        return np.logaddexp(v, v.dtype.type(0))


def log_sigmoid(v: Array) -> Array:
    """``log(sigmoid(v))``, exact in both tails."""
    return -softplus(-v)


def maximum(a: Array, b: Array | float) -> Array:
    """The greater of two values; either may be a number."""
    return _extreme("maximum", "min", a, b)


def minimum(a: Array, b: Array | float) -> Array:
    """The smaller of two values; either may be a number."""
    return _extreme("minimum", "max", a, b)


def positive(v: Array) -> Array:
    """1 where v is above 0, elsewhere 0; no gradient goes through it."""
    if isinstance(v, Symbol):
        return v.positive()
    return (v > 0).astype(v.dtype) if isinstance(v, np.ndarray) else (v > 0).to(v.dtype)


def mean(v: Array) -> Array:
    """Mean over the columns of each row, ``(rows, 1)``."""
    return v.mean() if isinstance(v, Symbol) else v.mean(-1, keepdims=True)


def layer_norm(v: Array, eps: float = 1e-5) -> Array:
    """Each row with its mean taken away and divided by its deviation (Ba, Kiros & Hinton 2016, arXiv 1607.06450).

    Gain and bias are vectors of the cell: ``R.gain * layer_norm(v) + R.shift``.
    """
    centred = v - mean(v)
    return centred * (1 / sqrt(mean(centred * centred) + eps))


def chunk(v: Array, parts: int) -> tuple[Array, ...]:
    """Split the last axis into ``parts`` equal views, one for each gate."""
    if not isinstance(v, np.ndarray):
        return tuple(v.chunk(parts, -1))
    size = v.shape[-1] // parts
    return tuple(v[..., k * size : (k + 1) * size] for k in range(parts))


def split(v: Array, sizes: Sequence[int]) -> tuple[Array, ...]:
    """Split the last axis into views of these sizes."""
    if not isinstance(v, np.ndarray):
        return tuple(v.split(sizes, -1))
    ends = accumulate(sizes)
    return tuple(v[..., end - size : end] for size, end in zip(sizes, ends, strict=True))


def _extreme(name: str, bound: str, a: Array, b: Array | float) -> Array:
    if isinstance(a, (int, float)):
        a, b = b, a
    if isinstance(a, np.ndarray):
        return getattr(np, name)(a, b)
    if isinstance(b, (int, float)) and not isinstance(a, Symbol):
        return a.clamp(**{bound: b})
    return getattr(a, name)(b)
