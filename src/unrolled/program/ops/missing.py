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
    x: Array, /, *state: Array, columns: Columns, marks: Index, elapsed: Index | None = None, **rate: Array
) -> tuple[Array, ...]:
    """A missing number goes from its last observation to what stands in its place, as time passes.

    Che et al. 2018 (GRU-D), eq. 2, 10 and 11, with the ``rate`` of a ``weight`` and a ``bias`` ``(M,)``: of a number v
    that is missing, ``v + exp(-max(0, weight delta + bias)) (last - v)``, where v is the training mean; v alone before
    any observation. delta is the time since the last observation before this step, or since the first step where there
    is none.

    Args:
        x: ``(B, T, D)``; the marks of ``columns``, 1 where a number is missing, are M columns from ``marks`` on, and
            column ``elapsed`` is log2 of the time since the step before (absent: 0).
        state: before the first step the last observations, whether there was one (1 or 0), and the time since then or
            since the start, each ``(B, M)``; absent at the start of a sequence.

    Returns:
        ``x`` with these columns replaced, ``log2(1 + delta)`` ``(B, T, M)``, and the state after the last step.
    """
    numbers, missing = x[..., list(columns)], x[..., marks : marks + len(columns)]
    last, known, age = state or (np.zeros((len(x), len(columns)), x.dtype),) * 3
    passed = np.zeros(x.shape[:2], x.dtype) if elapsed is None else np.minimum(x[..., elapsed], LONGEST)
    interval = np.exp2(passed)
    if not state:
        interval[:, :1] = 0
    # what was before stands as a step in front
    clock = np.cumsum(np.pad(interval, ((0, 0), (1, 0))), axis=1)[..., None]
    seen = np.concatenate([known[:, None] > 0.5, missing < 0.5], axis=1)
    values = np.concatenate([last[:, None], numbers], axis=1)
    at = np.maximum.accumulate(np.where(seen, np.arange(seen.shape[1])[:, None], 0), axis=1)
    now = clock - np.take_along_axis(clock, at, axis=1) + np.where(at == 0, age[:, None], 0)
    since = now[:, :-1] + interval[..., None]
    seen, values = np.take_along_axis(seen, at, axis=1), np.take_along_axis(values, at, axis=1)
    y = x.copy()
    share = missing * seen[:, 1:] * np.exp(-np.maximum(rate["weight"] * since + rate["bias"], 0))
    y[..., list(columns)] = numbers + share * (values[:, 1:] - numbers)
    return y, np.log2(1 + since), values[:, -1], seen[:, -1].astype(x.dtype), now[:, -1]
