"""Dates and times as people write them, in one column and one manner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError

_CLOCK = (
    r"(?:(?:T|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9})\d*)?)?"
    r"(?:\s*(?P<half>[AaPp])[Mm])?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"
)
_MANNERS = tuple(
    re.compile(date + _CLOCK, re.ASCII)
    for date in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})(?:[-/.](?P<day>\d{1,2}))?",
        r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})日)?",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        r"(?P<first>\d{1,2})(?P<mark>[-/])(?P<second_>\d{1,2})(?P=mark)(?P<year>\d{4})",
    )
)
_EARLIEST, _LATEST = 1678, 2261  # the years that nanoseconds in 64 bits can tell


@dataclass(frozen=True)
class Times:
    """Cells read as time stamps.

    Attributes:
        values: ``(n,)`` datetime64[ns], NaT where a cell is none.
        zoned: whether the cells name a time zone; ``values`` are in UTC then.
        day_first: for 03/04/2024: how it was read (None where the cells are not written so).
        ambiguous: whether the other order of day and month would do as well.
    """

    values: npt.NDArray[np.datetime64]
    zoned: bool = False
    day_first: bool | None = None
    ambiguous: bool = False

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """``(n,)`` whether a cell is a time stamp."""
        return ~np.isnat(self.values)


def is_time(cell: str) -> bool:
    """Whether a stripped cell is written like a date or a time stamp."""
    return any(manner.fullmatch(cell) for manner in _MANNERS)


def parse(cells: Sequence[str], day_first: bool | None = None) -> Times:
    """Read ``(n,)`` stripped cells, none of them missing, in the manner that suits most of them.

    Understood are 2024-03-04, 2024/03/04, 2024-03, 2024年3月4日, 04.03.2024, 03/04/2024, each with or without a
    clock (14:05, 14:05:59.5, 2:05 PM) and a zone (Z, +08:00).

    Args:
        cells: the cells.
        day_first: for 03/04/2024; by default whichever order the cells allow, or if both, month first with
            strokes and day first with dashes.
    """
    best: list[re.Match[str] | None] = []
    for manner in _MANNERS:
        tried = [manner.fullmatch(cell) for cell in cells]
        if sum(match is not None for match in tried) > sum(match is not None for match in best):
            best = tried
        if best and None not in best:
            break
    values = np.full(len(cells), np.datetime64("NaT"), dtype="datetime64[ns]")
    matches = [match.groupdict() for match in best if match is not None]
    if not matches:
        return Times(values)
    ambiguous = False
    order: bool | None = None
    if "mark" in matches[0]:
        order, ambiguous = _order(matches, day_first)
        for match in matches:
            days = ("first", "second_") if order else ("second_", "first")
            match["day"], match["month"] = match[days[0]], match[days[1]]
    stamps, zoned = _stamps(matches)
    values[[match is not None for match in best]] = stamps
    return Times(values, zoned, order, ambiguous)


def _order(matches: list[dict[str, str | None]], day_first: bool | None) -> tuple[bool, bool]:
    """Whether the day comes first, and whether that is a guess."""
    if day_first is not None:
        return day_first, False
    first, second = _whole(matches, "first") > 12, _whole(matches, "second_") > 12
    if first.any() or second.any():
        return bool(first.sum() > second.sum()), False
    return matches[0]["mark"] == "-", True


def _stamps(matches: list[dict[str, str | None]]) -> tuple[npt.NDArray[np.datetime64], bool]:
    """Time stamps of matched cells, NaT where a part is out of range or the time zone is missing."""
    year, month, day = _whole(matches, "year"), _whole(matches, "month"), _whole(matches, "day", 1)
    hour, minute, second = (_whole(matches, part) for part in ("hour", "minute", "second"))
    half = np.array([(match["half"] or " ").lower() for match in matches])
    good = (month >= 1) & (month <= 12) & (year >= _EARLIEST) & (year <= _LATEST) & (day >= 1)
    good &= (hour <= 23) & (minute <= 59) & (second <= 59) & ((half == " ") | ((hour >= 1) & (hour <= 12)))
    hour = np.where(half == " ", hour, hour % 12 + 12 * (half == "p"))
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + np.where(good, day - 1, 0)
    good &= dates.astype("datetime64[M]") == months
    zones = [match["zone"] for match in matches]
    zoned = 2 * sum(zone is not None for zone in zones) > len(zones)
    good &= np.array([(zone is not None) == zoned for zone in zones])
    seconds = hour * 3600 + minute * 60 + second - np.array([_offset(zone) for zone in zones])
    fraction = np.array([int((match["fraction"] or "0").ljust(9, "0")) for match in matches])
    stamps = dates.astype("datetime64[ns]") + (seconds * 10**9 + fraction).astype("timedelta64[ns]")
    stamps[~good] = np.datetime64("NaT")
    return stamps, zoned


def _whole(matches: list[dict[str, str | None]], part: str, default: int = 0) -> npt.NDArray[np.int64]:
    return np.array([int(match[part] or default) for match in matches], dtype=np.int64)


def _offset(zone: str | None) -> int:
    """Seconds east of Greenwich."""
    if zone is None or zone in ("Z", "UTC", "GMT"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def nanoseconds(stamps: npt.NDArray[np.datetime64], place: str) -> npt.NDArray[np.datetime64]:
    """``(N,)`` time stamps of any unit in nanoseconds.

    Raises:
        DataError: a year is too far away for 64 bits.
    """
    years = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
    far = ~np.isnat(stamps) & ((years < _EARLIEST) | (years > _LATEST))
    if far.any():
        raise DataError(
            f"the year {int(years[far][0])} is outside {_EARLIEST} to {_LATEST}",
            where=place,
            mend="correct the time stamp, or empty it if it stands for a missing one",
        )
    return stamps.astype("datetime64[ns]")
