"""Attention between the steps of a sequence, and between several values of one step.

Letters: B batch, T time, S steps that are looked at, D columns, N heads, E columns of a head, F random features.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from unrolled.program.ops.time import inside_only, mask
from unrolled.program.ops.types import Array, Count, Index, Lengths

Heads = Annotated[int, Field(ge=1, le=1024)]


def self_attend(
    q: Array,
    k: Array,
    v: Array,
    lengths: Lengths,
    /,
    relative: Array | None = None,
    *,
    heads: Heads,
    causal: bool,
    window: Index,
    recency: bool,
) -> Array:
    """Scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762, eq. 1) of ``(B, T, D)`` on ``(B, S, D)``.

    ``window`` w > 0 looks at most w steps back (and ahead); ``recency`` subtracts a slope times the distance, another
    slope for each head (Press et al. 2022, ALiBi, arXiv 2108.12409); ``relative`` ``(N, 2 R + 1)`` adds a learned
    number for each distance, clipped at R (Shaw et al. 2018, arXiv 1803.02155, with a number in place of a vector).
    """
    if lengths is not None:
        k, v = inside_only(k, lengths), inside_only(v, lengths)
    queries, keys, values = (_heads(each, heads) for each in (q, k, v))
    scores = queries @ keys.swapaxes(-1, -2) / math.sqrt(queries.shape[-1])
    distance = np.arange(k.shape[1]) - np.arange(q.shape[1])[:, None]
    if recency:
        scores = scores - slopes(heads)[:, None, None].astype(q.dtype) * np.abs(distance).astype(q.dtype)
    if relative is not None:
        reach = relative.shape[1] // 2
        scores = scores + relative[:, np.clip(distance, -reach, reach) + reach]
    allowed = np.ones(distance.shape, bool)
    if causal:
        allowed &= distance <= 0
    if window:
        allowed &= np.abs(distance) <= window
    hidden = ~allowed if lengths is None else ~(allowed & mask(lengths, k.shape[1])[:, None, None, :])
    scores = np.where(hidden, np.asarray(np.finfo(q.dtype).min, q.dtype), scores)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return _together(weights / weights.sum(axis=-1, keepdims=True) @ values)


def slopes(heads: int) -> Array:
    """``(N,)``: 2^(-8/N), 2^(-16/N), ... (Press et al. 2022, section 3)."""
    return 2.0 ** (-8.0 * np.arange(1, heads + 1) / heads)


def random_attend(
    q: Array, k: Array, v: Array, lengths: Lengths, /, features: Array, *, heads: Heads, causal: bool
) -> Array:
    """Attention by positive random features, linear in T (Choromanski et al. 2021, Performer, arXiv 2009.14794).

    ``features`` ``(F, E)`` are the rows of the projection (their lemma 1); no mask but ``causal`` is possible.
    """
    queries, keys, values = (_heads(each, heads) for each in (q, k, v))
    width = queries.shape[-1]
    queries, keys = _positive(queries, features, width), _positive(keys, features, width)
    if lengths is not None:
        inside = mask(lengths, k.shape[1])[:, None, :, None]
        keys, values = np.where(inside, keys, 0).astype(q.dtype), np.where(inside, values, 0).astype(q.dtype)
    if causal:
        total = np.cumsum(keys, axis=2)
        summed = np.zeros((*keys.shape[:2], features.shape[0], values.shape[-1]), q.dtype)
        above = np.empty_like(values)
        for t in range(k.shape[1]):
            summed += keys[:, :, t, :, None] * values[:, :, t, None, :]
            above[:, :, t] = (queries[:, :, t, None, :] @ summed)[:, :, 0]
        below = (queries * total).sum(axis=-1, keepdims=True)
    else:
        above = queries @ (keys.swapaxes(-1, -2) @ values)
        below = queries @ keys.sum(axis=2)[..., None]
    return _together(above / (below + np.asarray(1e-6, q.dtype)))


def project_time(x: Array, lengths: Lengths, /, weight: Array) -> Array:
    """``(B, T, D)`` to ``(B, S, D)``: each new step a learned sum of all old ones, ``weight`` ``(S, longest T)``.

    The low-rank keys and values of Linformer (Wang et al. 2020, arXiv 2006.04768, eq. 7).
    """
    if x.shape[1] > weight.shape[1]:
        raise ValueError(f"a sequence has {x.shape[1]} steps, the weights are for {weight.shape[1]}")
    if lengths is not None:
        x = inside_only(x, lengths)
    y: Array = weight[:, : x.shape[1]] @ x
    return y


def mix(scores: Array, /, *xs: Array) -> Array:
    """Mean of several ``(..., D)`` weighted by the softmax of ``scores`` ``(..., n)``."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    total: Array = sum(weights[..., i : i + 1] * x for i, x in enumerate(xs[1:], 1)) + weights[..., :1] * xs[0]
    return total


def multiply(x: Array, y: Array, /) -> Array:
    """Element by element."""
    product: Array = x * y
    return product


def positions(x: Array, /, *, longest: Count) -> Array:
    """``x`` plus sines and cosines of the step (Vaswani et al. 2017, section 3.5), wavelengths up to ``longest``."""
    time, size = x.shape[1:]
    rates = longest ** (-np.arange(0, size, 2) / size)
    angles = np.arange(time)[:, None] * rates
    table = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(time, -1)[:, :size]
    y: Array = x + table.astype(x.dtype)
    return y


def _heads(x: Array, heads: int) -> Array:
    """``(B, T, D)`` to ``(B, N, T, E)``."""
    batch, time, size = x.shape
    return x.reshape(batch, time, heads, size // heads).swapaxes(1, 2)


def _together(x: Array) -> Array:
    """``(B, N, T, E)`` to ``(B, T, D)``."""
    batch, heads, time, width = x.shape
    return x.swapaxes(1, 2).reshape(batch, time, heads * width)


def _positive(x: Array, features: Array, width: int) -> Array:
    x = x * np.asarray(width**-0.25, x.dtype)
    norm = 0.5 * (x * x).sum(axis=-1, keepdims=True)
    exponent: Array = np.exp(np.minimum(x @ features.T - norm, 30)) / math.sqrt(len(features))
    return exponent
