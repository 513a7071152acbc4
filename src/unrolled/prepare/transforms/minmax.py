"""Min-max scaling: the training part lies in [low, high]."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unrolled.core.errors import ConfigError
from unrolled.prepare.transforms.affine import Affine, Float64
from unrolled.prepare.transforms.base import Array, Stream


class MinMax(Affine):
    """``low + (high - low) (x - min) / (max - min)``; later values may lie outside.

    Args:
        columns: names of the columns.
        low, high: the range.
    """

    name: ClassVar[str] = "minmax"

    def __init__(self, columns: tuple[str, ...], low: float = 0.0, high: float = 1.0) -> None:
        super().__init__(columns)
        if not low < high:
            raise ConfigError(f"the range from {low:g} to {high:g} is empty", where="transform minmax")
        self.low, self.high = low, high

    def measure(self, stream: Stream) -> tuple[Float64, Float64]:
        least = np.full((stream.groups, stream.columns), np.nan)
        most = least.copy()
        for chunk in stream.chunks():
            heads = np.flatnonzero(np.diff(chunk.group, prepend=-1))
            owner = chunk.group[heads]
            np.fmin.at(least, owner, np.fmin.reduceat(chunk.values, heads, axis=0))
            np.fmax.at(most, owner, np.fmax.reduceat(chunk.values, heads, axis=0))
        return self._placed(least, most)

    def measure_windows(self, values: Array) -> tuple[Array, Array]:
        return self._placed(np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1))

    def _placed(self, least: Array, most: Array) -> tuple[Array, Array]:
        """Center and scale that put ``least`` at ``low`` and ``most`` at ``high``."""
        scale = (most - least) / (self.high - self.low)
        return least - self.low * np.where(scale > 0, scale, 1.0), scale
