"""A ceiling on the target: remaining useful life is usually learnt up to 125 cycles only (Heimes 2008)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unrolled.core.errors import ConfigError
from unrolled.prepare.transforms.base import Array, Context, Pointwise


class Cap(Pointwise):
    """``min(x, limit)`` in training; predictions are left as they are.

    Args:
        columns: names of the columns.
        limit: the ceiling, in the unit of the column.
    """

    name: ClassVar[str] = "cap"

    def __init__(self, columns: tuple[str, ...], limit: float) -> None:
        super().__init__(columns)
        if not np.isfinite(limit):
            raise ConfigError(f"a ceiling of {limit} is not a number", where="option cap")
        self.limit = float(limit)

    def apply(self, values: Array, context: Context) -> Array:
        return np.asarray(np.minimum(values, self.limit), dtype=values.dtype)

    def invert(self, values: Array, context: Context) -> Array:
        return values
