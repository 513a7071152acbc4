"""How many rows make a season, from the distance between time stamps."""

from __future__ import annotations

import numpy as np

from unrolled.prepare.series import Series

_DAY = 86400.0
_ROWS = 10_000  # of the beginning are looked at


def season_of(series: Series) -> int:
    """Rows in a day, week or year, whichever is the next longer than the step; 1 where time says nothing.

    Steps below an hour repeat by the day, hours too; days by the week (5 rows where weekends are left out), weeks
    and months by the year.
    """
    if series.time is None or not np.issubdtype(series.time.dtype, np.datetime64):
        return 1
    longest = int(np.argmax(series.lengths))
    begin, end = series.starts[longest : longest + 2]
    steps = np.diff(series.time[begin : min(end, begin + _ROWS)]) / np.timedelta64(1, "s")
    if not len(steps):
        return 1
    step = float(np.median(steps))
    if 1 <= step <= 0.5 * _DAY:
        return round(_DAY / step)
    if abs(step - _DAY) < 0.1 * _DAY:
        # with weekends left out a week has one long step in five
        return 5 if np.mean(steps > 2.5 * _DAY) > 0.1 else 7
    for length, season in ((7.0, 52), (30.4, 12), (91.3, 4)):
        if abs(step / _DAY - length) < 0.1 * length:
            return season
    return 1
