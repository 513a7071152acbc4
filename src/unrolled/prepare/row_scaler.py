"""Inputs of single rows as they arrive, prepared as those of a file.

Letters: T rows, C numeric inputs, D inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError
from unrolled.prepare.binding import Fitted, Float
from unrolled.program.shapes import Inputs

RowScaler = Callable[[npt.NDArray[Any]], Float]


def row_scaler(fitted: Fitted, *, alone: bool) -> RowScaler:
    """What takes ``(T, C)`` rows of the numeric inputs to ``(T, D)`` in model scale, without a question for each.

    Args:
        fitted: what the preprocessor learnt.
        alone: nothing in the schema keeps rows from being prepared as they arrive.

    Raises:
        ConfigError: rows cannot be prepared one by one, or other inputs belong to them.
    """
    layout, scaling = fitted.layout, fitted.scaling
    inputs = layout.inputs(fitted.masked, None, forecast=fitted.schema.forecast)
    if not alone or scaling.local or scaling.lag or inputs.sizes != Inputs(numbers=len(layout.numbers)):
        raise ConfigError(
            "a row alone does not say what the net reads: time, categories or other rows belong to it",
            where="the preprocessing",
            mend="train on numeric columns alone, with one of the scales standard, minmax, robust, none",
        )
    if (affine := scaling.affine) is not None:
        center, scale = affine
        return lambda values: (np.asarray(values, np.float32) - center) / scale
    one = np.zeros(1, dtype=np.int64)
    return lambda values: scaling.past(np.asarray(values, np.float32)[None], one)[0][0]
