"""Per-window normalisation: every window is brought to its own level (and scale), the forecast is brought back.

As in reversible instance normalisation (Kim et al. 2022, without its learnt part) and the last-value shift of NLinear
(Zeng et al. 2023). Letters: B batch, T time, C columns.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unrolled.core.errors import ConfigError
from unrolled.prepare.missing import last_known
from unrolled.prepare.transforms.affine import window_moments
from unrolled.prepare.transforms.base import Array, Chunk, Context, Group, Transform

_STILL = 1e-4
"""Of the level: a window that varies less counts as constant."""


class Instance(Transform):
    """``(x - mean) / deviation`` of the window itself; a constant window is divided by its level."""

    name: ClassVar[str] = "instance"
    causal: ClassVar[bool] = False
    local: ClassVar[bool] = True

    def rows(self, chunk: Chunk) -> Array:
        raise ConfigError(
            f"{self.name!r} works on windows and must be the last transform",
            where="option transform",
            mend=f"put the others before it, as in [standard, {self.name}]",
        )

    def past(self, values: Array, group: Group) -> tuple[Array, Context]:
        center, scale = self.measure(values)
        context = (np.nan_to_num(center)[:, None], np.nan_to_num(scale, nan=1.0)[:, None])
        return self.future(values, context), context

    def measure(self, values: Array) -> tuple[Array, Array]:
        """Center and scale, ``(B, C)`` each, of windows ``(B, T, C)``; NaN where all is missing."""
        center, scale = window_moments(values)
        level = np.abs(center)
        return center, np.where(scale > _STILL * level, scale, np.where(level > 0, level, 1.0))

    def future(self, values: Array, context: Context) -> Array:
        center, scale = (piece.astype(values.dtype, copy=False) for piece in context)
        scaled = np.asarray(values - center)
        scaled /= scale
        return scaled

    def invert(self, values: Array, context: Context) -> Array:
        return np.asarray(values * context[1] + context[0])


class LastValue(Instance):
    """``x - last``: the window's last observed value becomes zero; the scale stays."""

    name: ClassVar[str] = "last_value"

    def measure(self, values: Array) -> tuple[Array, Array]:
        last = last_known(values)
        return last, np.ones_like(last)
