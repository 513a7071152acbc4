"""The season that follows from the distance between time stamps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.evaluate import season_of
from unrolled.prepare.series import Series


def stamped(time: Any) -> Series:
    n = len(time)
    return Series(np.zeros((n, 1), np.float32), np.empty((1, 0), np.float32), np.array([0, n]), ("",), (), time=time)


def every(count: int, unit: Any, n: int = 60) -> Any:
    return (np.datetime64("2023-01-02", unit) + np.arange(n) * np.timedelta64(count, unit)).astype("datetime64[ns]")


@pytest.mark.parametrize(
    "time, season",
    [
        (every(1, "h"), 24),
        (every(15, "m"), 96),
        (every(6, "h"), 4),
        (every(1, "D"), 7),
        (np.busday_offset(np.datetime64("2023-01-02"), np.arange(60)).astype("datetime64[ns]"), 5),
        (every(1, "W"), 52),
        (every(1, "M"), 12),
        (every(3, "M"), 4),
        (every(1, "Y"), 1),
        (every(1, "ms"), 1),
        (np.arange(60.0), 1),
        (None, 1),
        (every(1, "h", 1), 1),
    ],
)
def test_seasons(time: Any, season: int) -> None:
    if time is None:
        series = stamped(np.arange(5.0))
        time_free = Series(series.values, series.cases, series.starts, series.ids, ())
        assert season_of(time_free) == season
    else:
        assert season_of(stamped(time)) == season
