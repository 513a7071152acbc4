"""Pandas frames, index included where it says something.

Letters: N rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.core.errors import DataError
from unrolled.core.optional import require
from unrolled.prepare.readers import times
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.options import ReadOptions, select
from unrolled.prepare.table import Array, Hints, Table

if TYPE_CHECKING:
    import pandas as pd


def read(frame: pd.DataFrame, options: ReadOptions, source: str = "the frame") -> Table:
    """Read a frame; a named index, or one of time stamps, is a column too, and the latter the time.

    Raises:
        DataError: the frame is empty, two columns share a name, or a cell does not fit its column.
    """
    pandas = require("pandas", extra="pandas", purpose="reading this frame")
    index = [
        (str(level.name if level.name is not None else "time"), level.to_series())
        for level in (frame.index.get_level_values(at) for at in range(frame.index.nlevels))
        if level.name is not None or isinstance(level, pandas.DatetimeIndex | pandas.PeriodIndex)
    ]
    found = [*index, *((str(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns))]
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise DataError(f"two columns have the same name, among {names[:20]}", where=source)
    if not len(frame) or not found:
        raise DataError("the frame is empty", where=source)
    cells = Cells(source, options)
    series = dict(found)
    columns = {name: _column(series[name], name, cells) for name in select(names, options, source)}
    time = next((name for name, _ in index if name in columns and columns[name].dtype.kind == "M"), None)
    return Table(columns, source, hints=Hints(time=time), notes=cells.notes())


def _column(series: pd.Series[Any], name: str, cells: Cells) -> Array:
    """``(N,)`` float64, datetime64[ns] or ``str | None``; objects are read by their text."""
    kind = getattr(series.dtype, "kind", "O")
    if kind in "biuf":
        return np.array(series.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "M":
        if series.dt.tz is not None:
            cells.tell("time_zone", name)
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return times.nanoseconds(series.to_numpy(dtype=np.dtype("datetime64")), f"{cells.source}, column {name!r}")
    if kind == "m":
        return np.array(series.dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan))
    missing = series.isna().to_numpy()
    return cells.column(name, ["" if empty else str(value) for value, empty in zip(series, missing, strict=True)])
