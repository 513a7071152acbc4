from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from unrolled.prepare import calendar
from unrolled.prepare.regularity import Rhythm

_DAY = 86400.0


def _features(stamp: str, *features: calendar.CalendarFeature) -> list[float]:
    time = np.array([[np.datetime64(stamp, "ns")]])
    out = np.empty((1, 1, len(calendar.columns(features))), dtype=np.float32)
    calendar.fill(out, time, features)
    return [float(value) for value in out[0, 0]]


def _turn(pair: list[float]) -> float:
    """The phase, in turns from 0 to 1, that a sine and a cosine tell."""
    return float(np.arctan2(pair[0], pair[1]) / (2 * np.pi) % 1)


@pytest.mark.parametrize("stamp", ["2024-02-29T18:30:00", "1949-03-01T00:00:00", "2031-12-31T23:00:00"])
def test_phases_agree_with_the_standard_library(stamp: str) -> None:
    moment = datetime.fromisoformat(stamp).replace(tzinfo=UTC)
    day = (moment.hour + moment.minute / 60) / 24
    assert _turn(_features(stamp, "hour_of_day")) == pytest.approx(day, abs=1e-5)
    assert _turn(_features(stamp, "day_of_week")) == pytest.approx((moment.weekday() + day) / 7, abs=1e-5)
    assert _features(stamp, "weekend") == [float(moment.weekday() >= 5)]
    assert _turn(_features(stamp, "month_of_year")) == pytest.approx((moment.month - 1) / 12, abs=1e-5)
    first = moment.replace(day=1, hour=0, minute=0)
    length = (first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1) - first).days
    assert _turn(_features(stamp, "day_of_month")) == pytest.approx((moment.day - 1 + day) / length, abs=1e-5)
    into = moment.timetuple().tm_yday - 1 + day
    gap = abs(_turn(_features(stamp, "day_of_year")) - into / 365.25)
    assert min(gap, 1 - gap) < 2 / 365


def test_columns_name_what_fill_writes() -> None:
    names = calendar.columns(calendar.FEATURES)
    assert len(names) == len(_features("2024-01-01", *calendar.FEATURES)) == 11


@pytest.mark.parametrize(
    ("step", "months", "days", "chosen"),
    [
        (3600, 0, 700, ("hour_of_day", "day_of_week")),
        (3600, 0, 3, ("hour_of_day",)),
        (3600, 0, 1, ()),
        (_DAY, 0, 3000, ("day_of_week", "day_of_year")),
        (_DAY, 0, 20, ("day_of_week",)),
        (7 * _DAY, 0, 3000, ("day_of_year",)),
        (31 * _DAY, 1, 3000, ("month_of_year",)),
        (365 * _DAY, 12, 30000, ()),
    ],
)
def test_cycles_fit_the_step_and_the_span(step: float, months: int, days: int, chosen: tuple[str, ...]) -> None:
    assert calendar.choose(Rhythm(step=step, months=months), days * _DAY) == chosen


def test_numbers_have_no_calendar() -> None:
    assert calendar.choose(Rhythm(step=1, stamps=False), 1e9) == ()
    assert calendar.choose(None, 1e9) == ()
