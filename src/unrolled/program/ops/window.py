"""Normalisation of each window by itself, undone in the output (Kim et al. 2022, "RevIN").

Letters: B batch, T time, D inputs, M targets, H horizon, V values.
"""

from __future__ import annotations

import numpy as np

from unrolled.program.ops.time import mask
from unrolled.program.ops.types import Array, Count, Epsilon, Lengths, Norm


def window_norm(
    x: Array,
    lengths: Lengths,
    /,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    kind: Norm,
    targets: Count,
    eps: Epsilon,
) -> tuple[Array, Array, Array | None]:
    """The first M columns of ``x`` ``(B, T, D)`` relative to their own window, then times ``weight`` plus ``bias``.

    Returns:
        The new ``x``, the centre ``(B, 1, M)`` and the scale ``(B, 1, M)``: the last value and none ("last"), or
        the mean and the standard deviation ("mean_std").
    """
    own, scale = x[..., :targets], None
    if kind == "last":
        end = np.full(len(x), x.shape[1]) if lengths is None else lengths
        centre = own[np.arange(len(x)), np.maximum(end - 1, 0)][:, None]
        own = own - centre
    else:
        count = x.shape[1] if lengths is None else np.maximum(lengths, 1)[:, None, None]
        inside = np.ones((1, 1, 1), bool) if lengths is None else mask(lengths, x.shape[1])[..., None]
        centre = np.sum(np.where(inside, own, 0), axis=1, keepdims=True) / count
        own = own - centre
        scale = np.sqrt(np.sum(np.where(inside, own, 0) ** 2, axis=1, keepdims=True) / count + eps)
        own = own / scale
    if weight is not None and bias is not None:
        own = own * weight + bias
    parts = [own, x[..., targets:]] if x.shape[-1] > targets else [own]
    dtype = x.dtype
    return (
        np.concatenate(parts, axis=-1).astype(dtype, copy=False),
        centre.astype(dtype, copy=False),
        None if scale is None else scale.astype(dtype, copy=False),
    )


def window_denorm(
    y: Array, centre: Array, scale: Array | None, /, weight: Array | None = None, bias: Array | None = None
) -> Array:
    """The inverse of :func:`window_norm` on outputs ``(B, H, M, V)``."""
    if weight is not None and bias is not None:
        y = (y - bias[:, None]) / weight[:, None]
    if scale is not None:
        y = y * scale[..., None]
    y = y + centre[..., None]
    return y
