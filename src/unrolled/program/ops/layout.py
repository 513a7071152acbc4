"""Operations that move numbers and compute none: cut, join, repeat, fold.

Letters: B batch, T time, D inputs, M target channels, F other columns, H horizon, V values, P patch length.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from unrolled.program.ops.time import inside_only
from unrolled.program.ops.types import Align, Array, Count, Index, Lengths, Mark, Merge

Shape = Annotated[tuple[Count, ...], Field(min_length=1, max_length=4)]
Axis = Annotated[int, Field(ge=-1, le=1)]
Columns = Annotated[tuple[Index, ...], Field(min_length=1, max_length=16384)]


def slice_axis(x: Array, /, *, axis: Axis, start: Index, stop: Index) -> Array:
    """``start:stop`` of the last axis (-1) or of the second (1)."""
    y: Array = x[..., start:stop] if axis == -1 else x[:, start:stop]
    return y


def merge(*xs: Array, kind: Merge) -> Array:
    """Several arrays as one: joined along the last axis (an axis of 1 repeats as in the first), added, averaged."""
    if kind == "concat":
        outer = xs[0].shape[:-1]
        return np.concatenate([np.broadcast_to(x, (*outer, x.shape[-1])) for x in xs], axis=-1)
    total: Array = sum(xs[1:], start=xs[0])
    return total if kind == "sum" else total / len(xs)


def repeat(x: Array | None, /, *, times: Count) -> Array | None:
    """Each row ``times`` times in a row: ``(B, ...)`` to ``(B * times, ...)``; absent stays absent."""
    return None if x is None else np.repeat(x, times, axis=0)


def tile(like: Array, /, weight: Array) -> Array:
    """The ``n`` rows of ``weight`` over and over, to as many rows as ``like`` has (a multiple of n)."""
    times, rest = divmod(len(like), len(weight))
    if rest:
        raise ValueError(f"{len(like)} rows are not a multiple of {len(weight)}")
    return np.tile(weight, (times, *(1 for _ in weight.shape[1:])))


def reshape(x: Array, /, *, shape: Shape) -> Array:
    """``(-1, *shape)``."""
    return x.reshape((-1, *shape))


def unflatten(x: Array, /, *, shape: Shape) -> Array:
    """The last axis in ``shape``: ``(..., M * V)`` to ``(..., M, V)``."""
    return x.reshape((*x.shape[:-1], *shape))


def spread(x: Array, like: Array, /) -> Array:
    """``(B, D)`` at each step of ``like`` ``(B, T, ...)``: ``(B, T, D)``."""
    return np.repeat(x[:, None], like.shape[1], axis=1)


def fold_channels(x: Array, /, *, channels: Count) -> Array:
    """``(B, T, M + F)`` to ``(B * M, T, 1 + F)``: each target its own sequence, beside the same other columns."""
    batch, time, size = x.shape
    own = x[..., :channels].transpose(0, 2, 1)[..., None]
    if size == channels:
        return own.reshape(batch * channels, time, 1)
    others = np.broadcast_to(x[:, None, :, channels:], (batch, channels, time, size - channels))
    return np.concatenate([own, others], axis=-1).reshape(batch * channels, time, -1)


def unfold_channels(y: Array, /, *, channels: Count) -> Array:
    """``(B * M, H, 1, V)`` back to ``(B, H, M, V)``."""
    _, horizon, _, values = y.shape
    return y.reshape(-1, channels, horizon, values).transpose(0, 2, 1, 3)


def patch(x: Array, lengths: Lengths, /, *, length: Count, align: Align) -> tuple[Array, Lengths]:
    """``(B, T, D)`` to ``(B, ceil(T / P), P * D)``: P consecutive steps become one.

    What is missing to a full patch is filled with zeros: before the first step ("end": the last patch is complete)
    or after the last one ("start").
    """
    batch, time, size = x.shape
    count = -(-time // length)
    if lengths is not None:
        x = inside_only(x, lengths)
    if align == "end" and lengths is not None:
        x = _shift(x, -lengths % length, count * length)
    else:
        missing = count * length - time
        x = np.pad(x, ((0, 0), (missing, 0) if align == "end" else (0, missing), (0, 0)))
    return x.reshape(batch, count, length * size), None if lengths is None else -(-lengths // length)


def reverse(x: Array, lengths: Lengths, /) -> Array:
    """The steps of ``(B, T, D)`` from the last true one to the first; what lies beyond a length stays."""
    if lengths is None:
        return x[:, ::-1]
    time = np.arange(x.shape[1])
    mirrored = np.where(time < lengths[:, None], lengths[:, None] - 1 - time, time)
    return np.take_along_axis(x, mirrored[..., None], axis=1)


def pieces(x: Array, lengths: Lengths, /, *, length: Count) -> tuple[Array, Lengths, Lengths]:
    """``(B, T, D)`` cut into P = ceil(T / N) pieces of N steps, each a sequence of its own ``(B * P, N, D)``.

    Returns:
        The pieces, their true lengths ``(B * P,)`` (1 for one beyond its sequence, which holds zeros), and how many
        each sequence has ``(B,)``; None where all are whole.
    """
    batch, time, size = x.shape
    count = -(-time // length)
    if lengths is not None:
        x = inside_only(x, lengths)
    elif time % length:
        lengths = np.full(batch, time)
    cut = np.pad(x, ((0, 0), (0, count * length - time), (0, 0))).reshape(batch * count, length, size)
    if lengths is None:
        return cut, None, None
    own = np.clip(lengths[:, None] - np.arange(count) * length, 1, length).reshape(-1)
    return cut, own, -(-lengths // length)


def marked_pieces(x: Array, lengths: Lengths, /, *, column: Index, mark: Mark) -> tuple[Array, Array, Array]:
    """``(B, T, D)`` cut where ``column`` says so, each piece a sequence of its own ``(B * P, N, D)``.

    A piece begins at the first step and, by "change", where the column is not what it was at the step before; by
    "start", where it is above 0. P and N are the most pieces and the most steps of one in this batch.

    Returns:
        The pieces, zeros beyond their lengths; their lengths ``(B * P,)`` (1 for one beyond its sequence); and how many
        each sequence has ``(B,)``.
    """
    batch, time, size = x.shape
    end = (np.full(batch, time) if lengths is None else lengths)[:, None]
    at = x[:, :, column]
    begins = np.ones((batch, time), np.bool_)
    begins[:, 1:] = at[:, 1:] != at[:, :-1] if mark == "change" else at[:, 1:] > 0
    begins &= np.arange(time) < end
    counts = begins.sum(1)
    first = np.sort(np.where(begins, np.arange(time), time), axis=1)[:, : counts.max(initial=1)]
    stop = np.minimum(np.concatenate([first[:, 1:], end], axis=1), end)
    own = np.maximum(stop - first, 1)
    index = first[..., None] + np.arange(own.max(initial=1))
    taken = np.take_along_axis(x, index.clip(max=time - 1).reshape(batch, -1, 1), axis=1).reshape(*index.shape, size)
    cut = np.where((index < stop[..., None])[..., None], taken, 0).astype(x.dtype, copy=False)
    return cut.reshape(-1, *cut.shape[2:]), own.reshape(-1), counts


def group(x: Array, like: Array, /) -> Array:
    """``(B * P, D)`` to ``(B, P, D)``, with B rows as ``like`` has."""
    return x.reshape(len(like), -1, x.shape[-1])


def columns(x: Array, /, *, index: Columns) -> Array:
    """These columns of the last axis, in this order."""
    return x[..., list(index)]


def _shift(x: Array, delay: Array, time: int) -> Array:
    """Sequence b begins ``delay[b]`` steps later, after zeros; the result has ``time`` steps."""
    index = np.arange(time) - delay[:, None]
    taken = np.take_along_axis(x, index.clip(0, x.shape[1] - 1)[..., None], axis=1)
    return np.where((index >= 0)[..., None], taken, 0).astype(x.dtype)
