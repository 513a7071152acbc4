"""Shift and scale: what min-max, standard and robust scaling have in common.

Letters: n rows, B batch, T time, C columns, G groups.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unrolled.prepare.transforms.base import Array, Chunk, Context, Group, Pointwise, Stream

Float64 = npt.NDArray[np.float64]


class Affine(Pointwise):
    """``(x - center) / scale``, fitted for all series together or for each of them.

    A series that training did not see is measured on the window at hand, which keeps the future out.
    """

    fitted: ClassVar[tuple[str, ...]] = ("center", "scale")

    @abstractmethod
    def measure(self, stream: Stream) -> tuple[Float64, Float64]:
        """Center and scale, ``(G, C)`` each, of the training part; NaN where nothing was seen."""

    @abstractmethod
    def measure_windows(self, values: Array) -> tuple[Array, Array]:
        """Center and scale, ``(B, C)`` each, of windows ``(B, T, C)``."""

    def fit(self, stream: Stream) -> None:
        center, scale = self.measure(stream)
        self.state = {"center": np.nan_to_num(center), "scale": usable(scale)}

    def context(self, values: Array, group: Group) -> Context:
        center, scale = self.state["center"], self.state["scale"]
        if len(center) == 1:
            return center[0], scale[0]
        own_center, own_scale = center[group], scale[group]
        foreign = np.flatnonzero(group < 0)
        if len(foreign):
            measured = self.measure_windows(values[foreign].astype(np.float64))
            own_center[foreign] = np.nan_to_num(measured[0])
            own_scale[foreign] = usable(measured[1])
        return own_center[:, None], own_scale[:, None]

    def rows(self, chunk: Chunk) -> Array:
        return self.apply(chunk.values, (self.state["center"][chunk.group], self.state["scale"][chunk.group]))

    def apply(self, values: Array, context: Context) -> Array:
        center, scale = (piece.astype(values.dtype, copy=False) for piece in context)
        scaled = np.asarray(values - center)
        scaled /= scale
        return scaled

    def invert(self, values: Array, context: Context) -> Array:
        center, scale = context
        return np.asarray(values * scale + center)


def usable(scale: Float64) -> Float64:
    """A scale to divide by: 1 where nothing varies or nothing was seen."""
    return np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)


def moments(stream: Stream) -> tuple[Float64, Float64]:
    """Mean and standard deviation, ``(G, C)`` each, missing values aside; NaN where there are none.

    One pass in float64: sums of the deviations from the mean of the rows in which a group is first met.
    """
    shape = (stream.groups, stream.columns)
    count, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    shift = np.full(shape, np.nan)
    for chunk in stream.chunks():
        known = ~np.isnan(chunk.values)
        heads = np.flatnonzero(np.diff(chunk.group, prepend=-1))
        owner = chunk.group[heads]
        met = np.add.reduceat(known, heads, axis=0, dtype=np.float64)
        first = np.add.reduceat(np.where(known, chunk.values, 0), heads, axis=0) / np.where(met > 0, met, np.nan)
        shift[owner] = np.where(np.isnan(shift[owner]), first, shift[owner])
        deviation = np.where(known, chunk.values - shift[chunk.group], 0)
        np.add.at(count, owner, met)
        np.add.at(total, owner, np.add.reduceat(deviation, heads, axis=0))
        np.add.at(squares, owner, np.add.reduceat(deviation * deviation, heads, axis=0))
    seen = np.where(count > 0, count, np.nan)
    mean = total / seen
    spread = np.sqrt(np.maximum(squares / seen - mean * mean, 0))
    center = mean + shift
    # What is left of a constant after rounding is not a spread.
    return center, np.where(spread > 1e-9 * np.abs(center), spread, 0.0)


def window_moments(values: Array) -> tuple[Array, Array]:
    """Mean and standard deviation along time, ``(B, C)`` each, of windows ``(B, T, C)``; NaN where all is missing."""
    known = ~np.isnan(values)
    if known.all() and values.shape[1]:
        mean = values.mean(axis=1, dtype=np.float64)
        deviation = values - mean[:, None].astype(values.dtype)
        return mean, np.sqrt((deviation * deviation).mean(axis=1, dtype=np.float64))
    count = known.sum(axis=1).astype(np.float64)
    count[count == 0] = np.nan
    mean = np.where(known, values, 0).sum(axis=1, dtype=np.float64) / count
    deviation = np.where(known, values - mean[:, None], 0)
    return mean, np.sqrt((deviation * deviation).sum(axis=1, dtype=np.float64) / count)
