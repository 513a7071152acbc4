"""Operations across time; each respects the true lengths.

Letters: B batch, T time, D inputs, H hidden, C channels, K kernel width.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unrolled.program import equations
from unrolled.program.loop import run_numpy
from unrolled.program.ops.types import Array, CellName, Count, Index, Lengths, Pool

IMPOSSIBLE = -1e4
"""What stands for minus infinity before a softmax, in every type of number."""


def mask(lengths: npt.NDArray[np.int64], time: int) -> npt.NDArray[np.bool_]:
    """``(B, T)``, true inside each length."""
    inside: npt.NDArray[np.bool_] = np.arange(time) < lengths[:, None]
    return inside


def inside_only(x: Array, lengths: npt.NDArray[np.int64]) -> Array:
    """``x`` ``(B, T, D)`` with zeros beyond each length, whatever stood there."""
    return np.where(mask(lengths, x.shape[1])[..., None], x, 0).astype(x.dtype, copy=False)


def conv1d(
    x: Array,
    lengths: Lengths,
    /,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Count,
    left: Index,
    right: Index,
    each: bool = False,
) -> tuple[Array, Lengths]:
    """Cross-correlation along time of ``(B, T, D)`` with ``weight`` ``(C, D, K)``, zeros outside each sequence.

    ``left + right`` must be ``K - 1``, so that every ``stride``-th step gives one: ``(B, ceil(T / stride), C)``.
    With ``each``, every column has a kernel of its own and meets no other: ``weight`` is ``(D, 1, K)``.
    """
    if lengths is not None:
        x = inside_only(x, lengths)
    count = -(-x.shape[1] // stride)
    padded = np.pad(x, ((0, 0), (left, right), (0, 0)))
    span = (count - 1) * stride + 1
    y: Array = np.zeros((len(x), count, len(weight)), np.result_type(x, weight))
    for offset in range(weight.shape[2]):
        seen = padded[:, offset : offset + span : stride]
        y += seen * weight[:, 0, offset] if each else seen @ weight[:, :, offset].T
    if bias is not None:
        y += bias
    return y, None if lengths is None else -(-lengths // stride)


def pool(x: Array, lengths: Lengths, /, *, kind: Pool, backward: Index) -> Array:
    """``(B, T, D)`` to ``(B, D)`` over the steps inside each length.

    "last" takes the last step; of the last ``backward`` columns, which ran from the end to the start, the first.
    """
    batch, time, size = x.shape
    if kind == "last":
        end = np.full(batch, time) if lengths is None else lengths
        y: Array = x[np.arange(batch), np.maximum(end - 1, 0)]
        y[:, size - backward :] = x[:, 0, size - backward :]
        return y
    if lengths is None:
        whole: Array = x.mean(axis=1) if kind == "mean" else x.max(axis=1)
        return whole
    inside = mask(lengths, time)[..., None]
    if kind == "max":
        highest: Array = np.where(inside, x, np.asarray(-np.inf, x.dtype)).max(axis=1)
        return highest
    average: Array = inside_only(x, lengths).sum(axis=1) / np.maximum(lengths, 1)[:, None].astype(x.dtype)
    return average


def attend(x: Array, scores: Array, lengths: Lengths, /) -> tuple[Array, Array]:
    """Mean of ``x`` ``(B, T, D)`` weighted by the softmax of ``scores`` ``(B, T, 1)`` inside each length.

    Returns:
        The mean ``(B, D)`` and the weights ``(B, T)``.
    """
    scores = scores[..., 0]
    if lengths is not None:
        scores = np.where(mask(lengths, x.shape[1]), scores, -np.inf)
        x = inside_only(x, lengths)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(x.dtype)
    return (weights[:, None] @ x)[:, 0], weights


def end_in_blank(x: Array, lengths: Lengths, /) -> Array:
    """``(B, T, V)`` with value 0 certain (by a softmax) behind each length: a shorter sequence says nothing more."""
    if lengths is None:
        return x
    certain = np.full(x.shape[2], IMPOSSIBLE, x.dtype)
    certain[0] = 0
    return np.where(mask(lengths, x.shape[1])[..., None], x, certain)


def recurrent(
    x: Array,
    lengths: Lengths,
    /,
    *state: Array,
    cell: CellName,
    reverse: bool,
    settings: dict[str, bool | int | float | str] | None = None,
    **weights: Array,
) -> tuple[Array, ...]:
    """One layer in one direction: ``(B, T, D)`` to ``(B, T, H)``, and the final state, one array a part.

    ``cell`` is a registered name, ``settings`` its options; ``state`` is the initial state, zeros where absent.
    """
    y, final = run_numpy(equations.cell(cell, **(settings or {})), x, weights, state or None, lengths, reverse)
    return y, *final
