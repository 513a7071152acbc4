"""Targets that a task derives from a column: a failure soon.

Letters: N rows, S sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.series import Column, Series

Values = npt.NDArray[np.float32]


def replaced(series: Series, column: Column, change: Callable[[Values], Values], **meaning: Any) -> Series:
    """The series with ``change`` applied to one column.

    Args:
        series: stays as it is; the buffer that holds the column is copied.
        column: of either level.
        change: all values of the column, ``(N,)`` or ``(S,)`` -> new ones.
        meaning: fields of the column that change (``kind``, ``categories``).
    """
    buffer = np.array(series.values if column.level == "row" else series.cases)
    at = series.index(column)
    buffer[:, at] = change(buffer[:, at])
    columns = tuple(own.model_copy(update=meaning) if own is column else own for own in series.columns)
    if column.level == "row":
        return replace(series, values=buffer, columns=columns)
    return replace(series, cases=buffer, columns=columns)


def event_within(event: Values, starts: npt.NDArray[np.int64], horizon: int) -> Values:
    """Whether an event follows within ``horizon`` rows of the same sequence, the row itself not counted.

    Args:
        event: ``(N,)`` of 0 and 1; NaN counts as none.
        starts: ``(S + 1,)`` first row of each sequence.
        horizon: rows.

    Returns:
        ``(N,)`` of 0, 1, and NaN where the sequence ends before the horizon without an event.
    """
    row = np.arange(len(event))
    final = np.repeat(starts[1:] - 1, np.diff(starts))
    until = np.minimum(row + horizon, final)
    total = np.cumsum(event > 0)
    happens = total[until] > total[row]
    return np.where(happens, 1.0, np.where(row + horizon > final, np.nan, 0.0)).astype(np.float32)
