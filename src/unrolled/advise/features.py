"""What rivals without a net read of a window.

Letters: n samples, T time, D inputs, F features, M targets, L lags, S steps ahead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.advise.profile.material import Material
from unrolled.prepare.samples import Samples

Float = npt.NDArray[np.float64]

CHUNK = 2000  # samples at once
_FLAT, _POINTS = 512, 32  # inputs of a sample that are all features; points of a channel where they are more
_LAGS = 48


def features(part: Material, flat: bool) -> Float:
    """``(n, F)``: all inputs where windows are ``flat``, else 32 points of each channel; and what sums a channel up."""
    rows = []
    for at in range(0, len(part.samples), CHUNK):
        arrays = part.preprocessor.arrays(part.series, part.samples[at : at + CHUNK], truth=False)
        lengths = np.full(len(arrays.x), arrays.x.shape[1]) if arrays.lengths is None else arrays.lengths
        own = [arrays.x.reshape(len(arrays.x), -1) if flat else _points(arrays.x, lengths), _sums(arrays.x, lengths)]
        rows.append(np.concatenate([*own, *([] if arrays.static is None else [arrays.static])], axis=1))
    return np.nan_to_num(np.concatenate(rows).astype(np.float64))


def is_flat(part: Material) -> bool:
    """Windows have one length and few enough inputs for all of them to be features."""
    lengths = part.samples.lengths
    first = part.preprocessor.arrays(part.series, part.samples[:1], truth=False).x
    return bool(np.ptp(lengths) == 0) and first.size <= _FLAT


def _points(x: npt.NDArray[Any], lengths: npt.NDArray[np.int64]) -> Float:
    """``(n, 32 D)``: each channel at points evenly spread over its length, the last one of its last stretch."""
    place = (np.arange(_POINTS) + 0.5) / _POINTS * lengths[:, None] - 0.5
    low = np.clip(np.floor(place).astype(np.int64), 0, np.maximum(lengths - 2, 0)[:, None])
    share = np.clip(place - low, 0, 1)[..., None]
    high = np.minimum(low + 1, lengths[:, None] - 1)
    points = np.take_along_axis(x, low[..., None], 1) * (1 - share) + np.take_along_axis(x, high[..., None], 1) * share
    found: Float = points.reshape(len(x), -1)
    return found


def _sums(x: npt.NDArray[Any], lengths: npt.NDArray[np.int64]) -> Float:
    """``(n, 5 D)``: mean, deviation, least, greatest and last value of each channel."""
    inside = (np.arange(x.shape[1]) < lengths[:, None])[..., None]
    mean = np.where(inside, x, 0).sum(1) / lengths[:, None]
    spread = np.sqrt(np.where(inside, (x - mean[:, None]) ** 2, 0).sum(1) / lengths[:, None])
    least, most = np.where(inside, x, np.inf).min(1), np.where(inside, x, -np.inf).max(1)
    last = np.take_along_axis(x, (lengths - 1)[:, None, None], 1)[:, 0]
    found: Float = np.concatenate([mean, spread, least, most, last], axis=1)
    return found


def lags(part: Material, samples: Samples) -> tuple[Float, Float]:
    """Lags ``(n, M, L)`` of each target, measured from its last value ``(n, M)``, in model scale."""
    targets = len(part.preprocessor.layout.targets)
    own = part.preprocessor.arrays(part.series, samples, truth=False).x[..., :targets].astype(np.float64)
    length = own.shape[1]
    back = np.unique(np.concatenate([np.arange(min(_LAGS, length)), np.geomspace(1, length, 24).astype(np.int64) - 1]))
    last = own[:, -1]
    return (own[:, length - 1 - back] - last[:, None]).transpose(0, 2, 1), last


def paired(x: Float, ahead: npt.NDArray[np.int64]) -> Float:
    """``(n M S, L + 2)``: the lags of each target beside each step ahead ``(n, S)`` and the target's number."""
    n, targets, depth = x.shape
    steps = ahead.shape[1]
    wide = np.broadcast_to(x[:, :, None], (n, targets, steps, depth))
    step = np.broadcast_to(ahead[:, None, :, None], (n, targets, steps, 1))
    number = np.broadcast_to(np.arange(targets)[None, :, None, None], (n, targets, steps, 1))
    found: Float = np.concatenate([wide, step, number], axis=3).reshape(-1, depth + 2)
    return found
