"""Columns of polars as arrays: numbers, time stamps, text.

Letters: N rows, n distinct cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from unrolled.core.optional import require
from unrolled.prepare.readers import numbers, times
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.table import Array

if TYPE_CHECKING:
    import polars as pl

_PURPOSE = "reading this frame"


def column(series: pl.Series, name: str, cells: Cells) -> Array:
    """``(N,)`` float64, datetime64[ns] or ``str | None`` of a column that is not nested.

    Durations and times of the day become seconds; strings are read as the cells of a text file.
    """
    polars = require("polars", extra="train", purpose=_PURPOSE)
    kind = series.dtype
    if kind.is_numeric() or kind in (polars.Boolean, polars.Null):
        return _floats(series)
    if kind in (polars.Date, polars.Datetime):
        if getattr(kind, "time_zone", None):
            cells.tell("time_zone", name)
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return times.nanoseconds(series.to_numpy(), f"{cells.source}, column {name!r}")
    if kind in (polars.Duration, polars.Time):
        return _floats(series.cast(polars.Duration("ns")).cast(polars.Int64)) / 1e9
    return text_column(series.cast(polars.String), name, cells)


def text_column(series: pl.Series, name: str, cells: Cells) -> Array:
    """``(N,)`` values of a column of strings, exactly as ``Cells.column`` reads them; null is an empty cell."""
    polars = require("polars", extra="train", purpose=_PURPOSE)
    series = series.fill_null("")
    if name not in cells.options.categorical:
        odd = numbers.not_plain(cells.mark)
        if not series.str.contains(odd).any():  # nothing to strip, perhaps nothing missing: the common case
            values = series.cast(polars.Float64, strict=False)
            if not values.null_count():
                return _floats(values)
        stripped = series.str.strip_chars()
        missing = stripped.str.to_lowercase().is_in(list(numbers.MISSING))
        known = polars.select(polars.when(~missing).then(stripped)).to_series()
        if not known.str.contains(odd).any():
            values = known.cast(polars.Float64, strict=False)
            if values.null_count() == int(missing.sum()):
                return _floats(values)
    return cells.coded(name, *encode(series))


def encode(series: pl.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """``(N,)`` codes of a column of strings without nulls, and the ``n`` distinct ones as they first appear."""
    polars = require("polars", extra="train", purpose=_PURPOSE)
    distinct = series.unique(maintain_order=True)
    order = polars.int_range(len(distinct), eager=True)
    return series.replace_strict(distinct, order, return_dtype=polars.Int64).to_numpy(), distinct.to_list()


def _floats(series: pl.Series) -> npt.NDArray[np.float64]:
    polars = require("polars", extra="train", purpose=_PURPOSE)
    # A copy, because polars lends out arrays that cannot be written to.
    return np.array(series.cast(polars.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)
