"""Time columns: time stamps, or numbers that are time stamps in disguise, or plain numbers.

Letters: N rows.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unrolled.prepare.pages import mapping, pieces, taken

TimeUnit = Literal["datetime", "text", "yyyymmdd", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "number"]
"""How a time column is written. ``number`` is a plain number (a cycle, seconds since the start)."""

Time = npt.NDArray[np.datetime64] | npt.NDArray[np.float64]

_NANOSECONDS = {"epoch_s": 10**9, "epoch_ms": 10**6, "epoch_us": 10**3, "epoch_ns": 1}
_SAMPLE = 1 << 20  # numbers that are looked at to see how a column writes time
_EARLIEST, _LATEST = 2e8, 4.2e9  # 1976 and 2103, in seconds since 1970


def unit_of(column: npt.NDArray[Any]) -> TimeUnit | None:
    """How ``column`` writes time, or None where it does not hold time."""
    if np.issubdtype(column.dtype, np.datetime64):
        return "datetime"
    if column.dtype == object:
        return "text" if _parsed(column) is not None else None
    known = taken(column, np.arange(0, len(column), max(1, len(column) // _SAMPLE)))
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    whole = bool((known == np.floor(known)).all())
    if whole and low >= 19000101 and high <= 21001231 and _are_dates(known):
        return "yyyymmdd"
    for unit, nanoseconds in _NANOSECONDS.items():
        seconds = nanoseconds / 1e9
        if low * seconds >= _EARLIEST and high * seconds <= _LATEST:
            return unit  # type: ignore[return-value]
    return "number"


def read_time(column: npt.NDArray[Any], unit: TimeUnit) -> Time | None:
    """``(N,)`` datetime64[ns] (NaT = missing) or numbers (NaN = missing); None where it is not written in ``unit``."""
    is_stamp, is_text = np.issubdtype(column.dtype, np.datetime64), column.dtype == object
    if unit == "datetime" and is_stamp:
        return column.astype("datetime64[ns]", copy=False)
    if unit in ("text", "datetime") and (is_text or is_stamp):
        return _parsed(column) if is_text else column.astype("datetime64[ns]", copy=False)
    if is_stamp or is_text or unit in ("text", "datetime"):
        return None
    if unit == "number":
        if mapping(column) is not None:
            return column
        return column.astype(np.float64, copy=False)
    result = np.empty(len(column), dtype="datetime64[ns]")
    for begin, piece in pieces(column):
        missing = ~np.isfinite(piece)
        filled = np.where(missing, 0.0, piece)
        stamps = _from_dates(filled) if unit == "yyyymmdd" else _from_epoch(filled, _NANOSECONDS[unit])
        stamps[missing] = np.datetime64("NaT")
        result[begin : begin + len(piece)] = stamps
    return result


def _parsed(column: npt.NDArray[Any]) -> npt.NDArray[np.datetime64] | None:
    """ISO 8601 text as time stamps, or None where a cell is something else."""
    texts = [text if text else "NaT" for text in column]
    try:
        parsed = np.array(texts, dtype="datetime64[ns]")
    except ValueError:
        return None
    return None if np.isnat(parsed).all() else parsed


def _are_dates(numbers: npt.NDArray[Any]) -> bool:
    month, day = numbers // 100 % 100, numbers % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())


def _from_epoch(numbers: npt.NDArray[Any], nanoseconds: int) -> npt.NDArray[np.datetime64]:
    # Whole microseconds are all that the 53 bits of a float can tell of today's date.
    microseconds = np.round(numbers * (nanoseconds / 1000)).astype(np.int64)
    return (microseconds * 1000).astype("datetime64[ns]")


def _from_dates(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    whole = numbers.astype(np.int64)
    months = (whole // 10000 - 1970) * 12 + whole // 100 % 100 - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (whole % 100 - 1)
    return days.astype("datetime64[ns]")
