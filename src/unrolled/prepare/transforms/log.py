"""Logarithm: for values that grow by factors."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unrolled.core.errors import DataError
from unrolled.prepare.transforms.base import Array, Context, Pointwise


class Log(Pointwise):
    """Natural logarithm of positive values."""

    name: ClassVar[str] = "log"

    def apply(self, values: Array, context: Context) -> Array:
        refuse_from(values <= 0, values, self.columns, "log needs values above zero", "use log1p or standard instead")
        return np.asarray(np.log(values))

    def invert(self, values: Array, context: Context) -> Array:
        with np.errstate(over="ignore"):  # a wild forecast may be infinite, and is then seen as such
            return np.asarray(np.exp(values))


class Log1p(Pointwise):
    """``log(1 + x)`` of values above -1, such as counts with zeros."""

    name: ClassVar[str] = "log1p"

    def apply(self, values: Array, context: Context) -> Array:
        refuse_from(values <= -1, values, self.columns, "log1p needs values above -1", "use standard instead")
        return np.asarray(np.log1p(values))

    def invert(self, values: Array, context: Context) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(np.expm1(values))


def refuse_from(wrong: Array, values: Array, columns: tuple[str, ...], what: str, mend: str) -> None:
    """Raise a DataError that names the first column with a value outside the transform's domain."""
    if not wrong.any():
        return
    place = np.argwhere(wrong)[0]
    raise DataError(
        f"{what}, this column has {float(values[tuple(place)]):g}", where=f"column {columns[place[-1]]!r}", mend=mend
    )
