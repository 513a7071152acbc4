"""Features from time stamps, computed for each batch: where in the day, week, month and year a row stands.

Cyclic features come as sine and cosine of their phase, so that midnight is next to 23:59 and December to January.
Letters: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unrolled.prepare.regularity import Rhythm

CalendarFeature = Literal["hour_of_day", "day_of_week", "weekend", "day_of_month", "month_of_year", "day_of_year"]

FEATURES: tuple[CalendarFeature, ...] = (
    "hour_of_day",
    "day_of_week",
    "weekend",
    "day_of_month",
    "month_of_year",
    "day_of_year",
)

_DAY = 86400.0
_YEAR = 365.2425  # mean Gregorian year in days: within 1.5 days of the calendar's, which a yearly phase does not feel


def choose(rhythm: Rhythm | None, span: float) -> tuple[CalendarFeature, ...]:
    """The cycles that the data can show: longer than two steps and seen at least twice.

    Args:
        rhythm: step between rows.
        span: seconds between the first and the last row.
    """
    if rhythm is None or not rhythm.stamps:
        return ()
    chosen: list[CalendarFeature] = []
    if rhythm.step <= _DAY / 2 and span >= 2 * _DAY:
        chosen.append("hour_of_day")
    if rhythm.step <= 3.5 * _DAY and span >= 14 * _DAY:
        chosen.append("day_of_week")
    if rhythm.months % 12 and span >= 2 * _YEAR * _DAY:
        chosen.append("month_of_year")
    elif not rhythm.months and rhythm.step <= 92 * _DAY and span >= 2 * _YEAR * _DAY:
        chosen.append("day_of_year")
    return tuple(chosen)


def columns(features: Sequence[CalendarFeature]) -> tuple[str, ...]:
    """Names of the input columns the features make."""
    names: list[str] = []
    for feature in features:
        names += [feature] if feature == "weekend" else [f"{feature} (sine)", f"{feature} (cosine)"]
    return tuple(names)


def fill(out: npt.NDArray[np.float32], time: npt.NDArray[Any], features: Sequence[CalendarFeature]) -> None:
    """Write the features of ``time`` ``(B, T)`` (datetime64[ns]) into ``out`` ``(B, T, columns)``."""
    days = time.view(np.int64) * (1 / (1e9 * _DAY))
    at = 0
    for feature in features:
        if feature == "weekend":
            out[..., at] = np.mod(np.floor(days) + 3, 7) >= 5
            at += 1
            continue
        turns = _phase(feature, days, time)
        turns -= np.floor(turns)
        angle = turns.astype(np.float32) * np.float32(2 * np.pi)
        np.sin(angle, out=out[..., at])
        np.cos(angle, out=out[..., at + 1])
        at += 2


def _phase(feature: CalendarFeature, days: npt.NDArray[Any], time: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turns of the cycle up to each time; only the fraction matters. ``days`` counts from 1970-01-01, a Thursday."""
    if feature == "hour_of_day":
        return days.copy()
    if feature == "day_of_week":
        return np.asarray((days + 3) / 7)
    if feature == "day_of_year":
        return days / _YEAR
    months = time.astype("datetime64[M]")
    if feature == "month_of_year":
        return months.astype(np.int64) / 12
    into = (time - months.astype("datetime64[ns]")) / np.timedelta64(1, "D")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    return np.asarray(into / length)
