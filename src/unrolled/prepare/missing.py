"""Missing values: where a series was last observed, and how the holes in a window are filled.

Holes stay holes in the series; they are filled in each window, from that window alone, so that nothing from behind
its end is ever seen. What no policy can fill becomes the training mean.
Letters: N rows, S sequences, B batch, T time, C columns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unrolled.prepare.pages import pieces

_Values = npt.NDArray[np.float32]


def observed_end(
    values: npt.NDArray[np.float32], starts: npt.NDArray[np.int64], columns: list[int]
) -> npt.NDArray[np.int64]:
    """``(S,)`` row after the last one at which one of the columns was observed; the rows beyond it are the future."""
    end = starts[:-1].astype(np.int64)
    for begin, chunk in pieces(values):
        seen = np.flatnonzero(~np.isnan(chunk[:, columns]).all(axis=1)) + begin
        np.maximum.at(end, np.searchsorted(starts, seen, side="right") - 1, seen + 1)
    return end


def last_known(values: _Values) -> _Values:
    """``(B, C)`` last value of ``(B, T, C)`` that is not missing; NaN where all are."""
    if not values.shape[1]:
        return np.full(values.shape[::2], np.nan, dtype=values.dtype)
    last = values[:, -1]
    if not np.isnan(last).any():
        return last
    back = np.argmax(~np.isnan(values[:, ::-1]), axis=1)
    return np.take_along_axis(values, values.shape[1] - 1 - back[:, None], axis=1)[:, 0]


def fill_forward(values: _Values) -> _Values:
    """``(B, T, C)`` with each hole filled by the last value before it; holes at the beginning stay."""
    return np.take_along_axis(values, _previous(~np.isnan(values)), axis=1)


def interpolate(values: _Values) -> _Values:
    """``(B, T, C)`` with each hole on the line between its neighbours, by steps; after the last value, that value."""
    known = ~np.isnan(values)
    steps = values.shape[1]
    before = _previous(known)
    after = steps - 1 - _previous(known[:, ::-1])[:, ::-1]
    low, high = np.take_along_axis(values, before, axis=1), np.take_along_axis(values, after, axis=1)
    here = np.arange(steps)[None, :, None]
    share = (here - before) / np.maximum(after - before, 1)
    line = low + (high - low) * share.astype(values.dtype)
    return np.where(np.isnan(high), low, np.where(known, values, line))


def _previous(known: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Step of the last known value up to each step of ``(B, T, C)``; 0 where there is none."""
    here = np.arange(known.shape[1], dtype=np.int64)[None, :, None]
    return np.maximum.accumulate(np.where(known, here, 0), axis=1)
