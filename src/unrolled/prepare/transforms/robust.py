"""Robust scaling: median 0, middle half one wide; single spikes do not matter."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unrolled.prepare.transforms.affine import Affine, Float64
from unrolled.prepare.transforms.base import Array, Stream

_SAMPLE = 1 << 20
"""Rows from which the quantiles are taken; of a longer training part, every so-manieth row."""


class Robust(Affine):
    """``(x - median) / (q75 - q25)``; where the middle half is one value, the standard deviation serves as scale."""

    name: ClassVar[str] = "robust"

    def measure(self, stream: Stream) -> tuple[Float64, Float64]:
        every = max(1, -(-stream.rows // _SAMPLE))
        taken = [(chunk.values[::every], chunk.group[::every]) for chunk in stream.chunks()]
        values = np.concatenate([values for values, _ in taken])
        group = np.concatenate([group for _, group in taken])
        center = np.full((stream.groups, stream.columns), np.nan)
        scale = center.copy()
        for own in range(stream.groups):
            rows = values if stream.groups == 1 else values[group == own]
            if len(rows):
                middle, width = self.measure_windows(rows[None])
                center[own], scale[own] = middle[0], width[0]
        return center, scale

    def measure_windows(self, values: Array) -> tuple[Array, Array]:
        known = np.where(np.isnan(values).all(axis=1, keepdims=True), 0.0, values)
        low, middle, high = np.nanquantile(known, (0.25, 0.5, 0.75), axis=1)
        return middle, np.where(high > low, high - low, np.nanstd(known, axis=1))
