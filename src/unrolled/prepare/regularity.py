"""How time goes from row to row: every so many seconds, months, business days, or irregularly.

Letters: N rows, S sequences, B samples, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from unrolled.core.records import Record
from unrolled.prepare.pages import Pages
from unrolled.prepare.stamps import Time

_CHUNK = 1 << 20
_JITTER = 0.01  # of the usual step: a clock that trembles is still regular
_ENOUGH = 0.9  # share of steps (or of business days) that must be there
_DAY = 86400.0
_NAMES = ((604800.0, "week"), (_DAY, "day"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


class Rhythm(Record):
    """The step between rows.

    Attributes:
        step: usual distance between rows: seconds for time stamps, the column's own unit for plain numbers.
        stamps: time is made of time stamps, not of plain numbers.
        months: calendar months between rows where that is the step (1, 3, 12), else 0.
        weekdays: the days that have rows, Monday first, as in "1111100", for daily data with days off; else "".
        regular: rows keep the step, up to gaps.
        gaps: steps longer than usual.
    """

    step: float = Field(gt=0, allow_inf_nan=False)
    stamps: bool = True
    months: int = Field(0, ge=0, le=1200)
    weekdays: str = Field("", pattern="^([01]{7})?$")
    regular: bool = True
    gaps: int = 0

    @model_validator(mode="after")
    def _has_a_day(self) -> Self:
        if self.weekdays and "1" not in self.weekdays:
            raise ValueError("a week without a day that has rows")
        return self

    def after(self, last: npt.NDArray[Any], steps: int) -> npt.NDArray[Any]:
        """``(B, H)`` times that follow ``last`` ``(B,)``; days off are skipped, holidays are not known."""
        ahead = np.arange(1, steps + 1)
        if not self.stamps:
            return np.asarray(last[:, None] + self.step * ahead)
        if self.weekdays:
            days = last.astype("datetime64[D]")
            later: npt.NDArray[Any] = np.busday_offset(days[:, None], ahead, roll="backward", weekmask=self.weekdays)
            return np.asarray(later.astype("datetime64[ns]") + (last - days)[:, None])
        if self.months:
            months = last.astype("datetime64[M]")
            into = last - months.astype("datetime64[ns]")
            later = np.asarray(months[:, None] + self.months * ahead)
            # A month's end stays a month's end: the 31st of January is followed by the last day of February.
            length = (later + 1).astype("datetime64[ns]") - later.astype("datetime64[ns]")
            return np.asarray(
                later.astype("datetime64[ns]") + np.minimum(into[:, None], length - np.timedelta64(1, "D"))
            )
        return np.asarray(last[:, None] + (np.round(self.step * 1e9) * ahead).astype("timedelta64[ns]"))

    def __str__(self) -> str:
        if not self.stamps:
            return f"{self.step:g}"
        if self.months:
            count, unit = (self.months // 12, "year") if self.months % 12 == 0 else (self.months, "month")
        elif self.weekdays:
            count, unit = 1, "business day"
        else:
            size, unit = next((pair for pair in _NAMES if self.step % pair[0] == 0), (1.0, "s"))
            return f"{self.step / size:g} {unit}"
        return f"{count} {unit}"


def steps_between(time: npt.NDArray[Any], starts: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[Any]]:
    """Differences of consecutive rows of the same sequence, in chunks: nanoseconds (int64) or the column's own unit."""
    plain = time.view(np.int64) if np.issubdtype(time.dtype, np.datetime64) else time
    pages = Pages(time)
    for begin in range(0, max(len(plain) - 1, 0), _CHUNK):
        piece = np.diff(plain[begin : begin + _CHUNK + 1])
        inner = starts[np.searchsorted(starts, begin + 1) : np.searchsorted(starts, begin + 1 + len(piece))]
        yield np.delete(piece, inner - begin - 1) if len(inner) else piece
        pages.touched(1, len(piece) * abs(plain.strides[0]))


def rhythm_of(time: Time, starts: npt.NDArray[np.int64]) -> Rhythm | None:
    """The rhythm of sorted time ``(N,)`` of sequences that begin at ``starts``; None where none has two times."""
    # Rows to be merged by resampling may share a time.
    first = next((piece[piece > 0] for piece in steps_between(time, starts) if (piece > 0).any()), None)
    if first is None:
        return None
    stamps = bool(np.issubdtype(time.dtype, np.datetime64))
    usual = float(np.median(first))
    step = usual / 1e9 if stamps else usual
    if stamps:
        calendar = _months(time, starts, step) or _business_days(time, starts, step)
        if calendar is not None:
            return calendar
    usual_steps = long_steps = whole_steps = total = 0
    for piece in steps_between(time, starts):
        ratio = piece / usual
        near = np.abs(ratio - 1) <= _JITTER
        longer = ratio > 1 + _JITTER
        total += len(piece)
        usual_steps += int(near.sum())
        long_steps += int(longer.sum())
        whole_steps += int((longer & (np.abs(ratio - np.round(ratio)) <= _JITTER)).sum())
    regular = usual_steps == total or (usual_steps + whole_steps == total and usual_steps >= _ENOUGH * total)
    return Rhythm(step=step, stamps=stamps, regular=regular, gaps=long_steps if regular else 0)


def _months(time: Time, starts: npt.NDArray[np.int64], step: float) -> Rhythm | None:
    """Rows one, three, ... months apart, on the same day of the month or all at month ends."""
    if step < 28 * _DAY:
        return None
    months = time.astype("datetime64[M]")
    into = (time - months.astype("datetime64[ns]")).astype(np.int64)
    left = ((months + 1).astype("datetime64[ns]") - time).astype(np.int64)
    if np.ptp(into) and np.ptp(left):
        return None
    jumps = np.unique(np.concatenate(list(steps_between(months.astype(np.int64).astype(np.float64), starts))))
    if len(jumps) != 1 or jumps[0] < 1:
        return None
    return Rhythm(step=step, months=int(jumps[0]))


def _business_days(time: Time, starts: npt.NDArray[np.int64], step: float) -> Rhythm | None:
    """Daily rows that leave out the same days of every week (and some holidays)."""
    if abs(step - _DAY) > 1:
        return None
    days = time.astype("datetime64[D]")
    if np.ptp((time - days).astype(np.int64)):
        return None
    present = np.bincount((days.astype(np.int64) + 3) % 7, minlength=7) > 0.01 * len(days)
    if present.all():
        return None
    weekdays = "".join("1" if day else "0" for day in present)
    filled = np.diff(starts) > 0
    first, last = days[starts[:-1][filled]], days[starts[1:][filled] - 1]
    expected = int(np.busday_count(first, last + 1, weekmask=weekdays).sum())
    if len(days) < _ENOUGH * expected:
        return None
    return Rhythm(step=step, weekdays=weekdays, gaps=max(expected - len(days), 0))
