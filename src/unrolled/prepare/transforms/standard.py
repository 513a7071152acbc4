"""Standard scaling: mean 0, standard deviation 1 over the training part."""

from __future__ import annotations

from typing import ClassVar

from unrolled.prepare.transforms.affine import Affine, Float64, moments, window_moments
from unrolled.prepare.transforms.base import Array, Stream


class Standard(Affine):
    """``(x - mean) / deviation`` (the population's deviation, as scikit-learn has it)."""

    name: ClassVar[str] = "standard"

    def measure(self, stream: Stream) -> tuple[Float64, Float64]:
        return moments(stream)

    def measure_windows(self, values: Array) -> tuple[Array, Array]:
        return window_moments(values)
