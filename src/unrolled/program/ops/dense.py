"""Operations on one vector at a time: linear maps, activations, norms, embeddings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unrolled.program.functions import relu, sigmoid, tanh
from unrolled.program.ops.types import Activation, Array, Epsilon


def linear(x: Array, /, weight: Array, bias: Array | None = None) -> Array:
    """``x W^T + b`` over the last axis; ``weight`` is ``(out, in)``."""
    y: Array = x @ weight.T
    if bias is not None:
        y += bias
    return y


def embedding(codes: Array, /, weight: Array) -> Array:
    """Codes ``(..., 1)`` to rows of ``weight`` ``(n + 1, E)``; one outside ``0 .. n`` counts as n, "not seen"."""
    codes = codes[..., 0]
    unknown = len(weight) - 1
    known = (codes >= 0) & (codes <= unknown)
    rows: Array = weight[np.where(known, codes, unknown).astype(np.int64)]
    return rows


def activation(x: Array, /, *, kind: Activation) -> Array:
    """A pointwise function; "gelu" is the tanh approximation (Hendrycks & Gimpel 2016, arXiv 1606.08415)."""
    y: Array = _ACTIVATIONS[kind](x)
    return y


def layer_norm(x: Array, /, weight: Array, bias: Array, *, eps: Epsilon) -> Array:
    """Mean 0 and variance 1 over the last axis, then scaled (Ba et al. 2016, arXiv 1607.06450, eq. 4)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.mean(centred * centred, axis=-1, keepdims=True)
    y: Array = centred / np.sqrt(variance + eps) * weight + bias
    return y


def batch_norm(
    x: Array, /, weight: Array, bias: Array, running_mean: Array, running_var: Array, *, eps: Epsilon
) -> Array:
    """Normalised by the statistics of training (Ioffe & Szegedy 2015, arXiv 1502.03167, algorithm 2)."""
    scale = weight / np.sqrt(running_var + eps)
    y: Array = (x - running_mean) * scale + bias
    return y


def _silu(x: Array) -> Any:
    return x * sigmoid(x)


def _elu(x: Array) -> Any:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _gelu(x: Array) -> Any:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


_ACTIVATIONS: dict[str, Callable[[Array], Any]] = {
    "relu": relu,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "gelu": _gelu,
    "silu": _silu,
    "elu": _elu,
}
