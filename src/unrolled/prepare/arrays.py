"""One batch as NumPy arrays, in model scale: what a net or a plan reads.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs, M targets,
n answered steps, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Arrays:
    """A gathered and transformed batch.

    Attributes:
        x: ``(B, T, D)`` scaled inputs, zero beyond each length. Columns in this order: numeric targets (forecast
            only), numeric features, numeric known, calendar, time since the previous row, marks of missing values,
            then category codes (the last three and the calendar only where the schema asks for them).
        lengths: ``(B,)`` int64 true lengths, or None when all are T.
        static: ``(B, K)`` scaled static inputs, numbers then category codes, or None.
        known: ``(B, H, F)`` covariates over the horizon, numbers, calendar, then category codes, or None.
        y: truth in model scale: ``(B, H, M)`` float32 for a forecast, ``(B, M)`` float32 otherwise (class codes
            as floats), NaN where a value is missing; None where no truth was asked for. Where each step has its own
            answer ``(B, T, M)``: tags, or for anomalies the numeric inputs themselves.
        answered: ``(B, T)`` the steps whose answers count, where each step has its own; None otherwise.
        steps: ``(B, T)`` which steps are answered, in training at every step; ``y`` is then ``(n, M)``. None: one
            answer a sample.
        only: ``(C,)`` codes of the candidates that are scored, ascending, or None for all.
    """

    x: Float
    lengths: npt.NDArray[np.int64] | None = None
    static: Float | None = None
    known: Float | None = None
    y: Float | None = None
    answered: npt.NDArray[np.bool_] | None = None
    steps: npt.NDArray[np.bool_] | None = None
    only: npt.NDArray[np.int64] | None = None

    def inputs(self) -> dict[str, Any]:
        """Keyword arguments of a net or a plan."""
        return {"x": self.x, "lengths": self.lengths, "static": self.static, "known": self.known}
