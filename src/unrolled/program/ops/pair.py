"""Two sequences in one: taken apart to be read alike, and what both became put together.

Letters: B batch, T time, D inputs, N width.
"""

from __future__ import annotations

import numpy as np

from unrolled.program.ops.types import Array, Join, Lengths


def split_sides(x: Array, lengths: Lengths, /) -> tuple[Array, Array]:
    """Rows whose first column is at most 0.5, then the others, as sequences of their own without that column.

    Args:
        x: ``(B, T, D)``; rows of a side keep their order.
        lengths: ``(B,)``.

    Returns:
        ``(2 B, S, D - 1)``, all first sides before all second ones, S rows being those of the longest side, and
        ``(2 B,)`` lengths, at least 1: a side without rows reads one row of the other.
    """
    batch, time, _ = x.shape
    stop = np.full(batch, time) if lengths is None else lengths
    side = np.where(np.arange(time) < stop[:, None], x[..., 0] > 0.5, 2)
    found, count = [], []
    for wanted in (0, 1):
        order = np.argsort(side != wanted, axis=1, kind="stable")
        found.append(np.take_along_axis(x[..., 1:], order[..., None], axis=1))
        count.append(np.maximum((side == wanted).sum(1), 1))
    lengths = np.concatenate(count)
    return np.concatenate(found)[:, : lengths.max(initial=1)], lengths


def swap_sides(x: Array, lengths: Lengths, /) -> tuple[Array, Array]:
    """``(2 B, T, D)`` and ``(2 B,)`` lengths, second sides before the first ones: to each side that of its partner."""
    first, second = np.split(x, 2)
    own = np.full(len(x), x.shape[1]) if lengths is None else lengths
    return np.concatenate([second, first]), np.roll(own, len(own) // 2)


def compare(x: Array, y: Array, /) -> Array:
    """``(..., D)`` each to ``(..., 4 D)``: x, y, x - y and x y (Chen et al. 2017, ESIM, arXiv 1609.06038, eq. 14)."""
    return np.concatenate([x, y, x - y, x * y], axis=-1)


def join_sides(y: Array, /, *, kind: Join) -> Array:
    """``(2 B, N)`` vectors u, then v, to one for each pair.

    ``all``: u, v, |u - v| and u v, ``(B, 4 N)`` (Conneau et al. 2017); ``symmetric``: |u - v| and u v, ``(B, 2 N)``;
    ``cosine``: of the angle between them, ``(B, 1)``.
    """
    u, v = np.split(y, 2)
    if kind == "cosine":
        size = np.sqrt((u * u).sum(-1, keepdims=True) * (v * v).sum(-1, keepdims=True))
        result: Array = (u * v).sum(-1, keepdims=True) / np.maximum(size, 1e-8)
        return result.astype(y.dtype, copy=False)
    both = [np.abs(u - v), u * v]
    return np.concatenate([u, v, *both] if kind == "all" else both, axis=-1)
