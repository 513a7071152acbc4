"""Targets that a task derives from a column: a failure soon.

Letters: N rows, S sequences, E events, n of the rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.mapped import MappedFile, check_room
from unrolled.prepare.pages import mapping, pieces
from unrolled.prepare.series import Column, Series

Values = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Change = Callable[[Values, int], Values]


def replaced(series: Series, column: Column, change: Change, **meaning: Any) -> Series:
    """The series with ``change`` applied to one column.

    Args:
        series: stays as it is; the buffer that holds the column is copied, a memory map into another one.
        column: of either level.
        change: some values of the column ``(n,)``, and the row of the first -> new ones.
        meaning: fields of the column that change (``kind``, ``categories``).
    """
    buffer = _rewritten(series.values if column.level == "row" else series.cases, series.index(column), change)
    columns = tuple(own.model_copy(update=meaning) if own is column else own for own in series.columns)
    if column.level == "row":
        return replace(series, values=buffer, columns=columns)
    return replace(series, cases=buffer, columns=columns)


def _rewritten(values: Values, at: int, change: Change) -> Values:
    """A copy of ``(N, C)`` values with column ``at`` changed: in memory, or in a file where they are mapped."""
    if mapping(values) is None:
        copy = np.array(values)
        copy[:, at] = change(copy[:, at], 0)
        return copy
    folder = Path(tempfile.gettempdir())
    check_room(folder, values.nbytes)
    with ExitStack() as files:
        file = MappedFile(folder, files)
        for begin, piece in pieces(values):
            piece = np.array(piece)
            piece[:, at] = change(piece[:, at], begin)
            file.write(piece)
        return file.mapped(values.shape)


def events_of(event: Values) -> Rows:
    """``(E,)`` rows of a column ``(N,)`` of 0 and 1 in which something happens; NaN counts as nothing."""
    return np.concatenate([np.zeros(0, np.int64), *(begin + np.flatnonzero(some > 0) for begin, some in pieces(event))])


def event_within(events: Rows, starts: Rows, horizon: int, row: Rows) -> Values:
    """Whether an event follows within ``horizon`` rows of the same sequence, the row itself not counted.

    Args:
        events: ``(E,)`` rows with an event, in order.
        starts: ``(S + 1,)`` first row of each sequence.
        horizon: rows.
        row: ``(n,)`` rows that are asked for.

    Returns:
        ``(n,)`` of 0, 1, and NaN where the sequence ends before the horizon without an event.
    """
    final = starts[np.searchsorted(starts, row, side="right")] - 1
    following = np.append(events, np.iinfo(np.int64).max)[np.searchsorted(events, row, side="right")]
    happens = following <= np.minimum(row + horizon, final)
    return np.where(happens, 1.0, np.where(row + horizon > final, np.nan, 0.0)).astype(np.float32)
