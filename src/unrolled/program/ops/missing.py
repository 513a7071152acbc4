"""Missing numbers, from the last observation and the time since.

Letters: B batch, T time, D inputs, M columns with marks of missing values.
"""

from __future__ import annotations

import numpy as np

from unrolled.program.ops.layout import Columns
from unrolled.program.ops.types import Array, Index

LONGEST = 40.0
"""The greatest log2 of an interval that counts."""


def decay(
    x: Array, /, weight: Array, bias: Array, *, columns: Columns, marks: Index, elapsed: Index | None = None
) -> tuple[Array, Array]:
    """A missing number goes from its last observation to what stands in its place, as time passes.

    Che et al. 2018 (GRU-D), eq. 2, 10 and 11, with ``weight`` and ``bias`` ``(M,)``: of a number v that is missing,
    ``v + exp(-max(0, weight delta + bias)) (last - v)``, where v is the training mean; v alone before any observation.
    delta is the time since the last observation before this step, or since the first step where there is none.

    Args:
        x: ``(B, T, D)``; the marks of ``columns``, 1 where a number is missing, are M columns from ``marks`` on, and
            column ``elapsed`` is log2 of the time since the step before (absent: 0).

    Returns:
        ``x`` with these columns replaced, and ``log2(1 + delta)`` ``(B, T, M)``.
    """
    numbers, missing = x[..., list(columns)], x[..., marks : marks + len(columns)]
    seen = missing < 0.5
    at = np.maximum.accumulate(np.where(seen, np.arange(x.shape[1])[:, None], 0), axis=1)
    before = np.concatenate([np.zeros_like(at[:, :1]), at[:, :-1]], axis=1)
    passed = np.zeros(x.shape[:2], x.dtype) if elapsed is None else np.minimum(x[..., elapsed], LONGEST)
    clock = np.exp2(passed)
    clock[:, :1] = 0
    clock = np.cumsum(clock, axis=1)[..., None]
    since = clock - np.take_along_axis(clock, before, axis=1)
    last = np.where(np.take_along_axis(seen, at, axis=1), np.take_along_axis(numbers, at, axis=1), numbers)
    y = x.copy()
    y[..., list(columns)] = numbers + missing * np.exp(-np.maximum(weight * since + bias, 0)) * (last - numbers)
    return y, np.log2(1 + since)
