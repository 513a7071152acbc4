"""Windows out of one buffer by index arithmetic: the only place where rows become batches.

Letters: N rows, C columns, B batch, T time, H steps ahead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.pages import taken

_Rows = npt.NDArray[np.int64]


def windows(buffer: npt.NDArray[Any], begin: _Rows, steps: int) -> npt.NDArray[Any]:
    """``(B, T, ...)`` copies of rows ``begin[i]:begin[i] + steps`` of ``(N, ...)``; all must lie inside the buffer."""
    shape = (len(buffer) - steps + 1, steps, *buffer.shape[1:])
    sliding = np.lib.stride_tricks.as_strided(
        buffer, shape, (buffer.strides[0], *buffer.strides), subok=False, writeable=False
    )
    return taken(sliding, begin)


def past(buffer: npt.NDArray[Any], begin: _Rows, end: _Rows, *, lag: int, first: _Rows, blank: Any) -> npt.NDArray[Any]:
    """``(B, lag + T, ...)`` rows from ``begin - lag`` up to ``end``, T being the longest sample.

    Before row ``first`` (the sequence's start) its value is repeated; behind ``end`` stands ``blank``.
    """
    if not len(begin):
        return np.empty((0, lag, *buffer.shape[1:]), dtype=buffer.dtype)
    lengths = end - begin
    longest, shortest = int(lengths.max()), int(lengths.min())
    if longest == shortest and bool((begin - lag >= first).all()):
        return windows(buffer, begin - lag, longest + lag)
    place = (begin - lag)[:, None] + np.arange(longest + lag)
    inside = place < end[:, None]
    rows = np.clip(place, first[:, None], end[:, None] - 1)
    out = taken(buffer, rows)
    if longest != shortest:
        out[~inside] = blank
    return out


def ahead(buffer: npt.NDArray[Any], end: _Rows, steps: int, *, stop: _Rows, blank: Any) -> npt.NDArray[Any]:
    """``(B, H, ...)`` rows ``end:end + steps``; ``blank`` from row ``stop`` (the sequence's end) on."""
    if not len(end) or not steps:
        return np.empty((len(end), steps, *buffer.shape[1:]), dtype=buffer.dtype)
    if bool((end + steps <= stop).all()):
        return windows(buffer, end, steps)
    place = end[:, None] + np.arange(steps)
    inside = place < stop[:, None]
    out = taken(buffer, np.minimum(place, stop[:, None] - 1))
    out[~inside] = blank
    return out
