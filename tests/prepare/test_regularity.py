from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from unrolled.prepare import regularity
from unrolled.prepare.regularity import Rhythm, rhythm_of, steps_between

Stamps = npt.NDArray[np.datetime64]


def _whole(time: npt.NDArray[np.datetime64] | npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.array([0, len(time)])


def _range(first: str, last: str, step: str) -> Stamps:
    count, unit = step.split()
    return np.arange(first, last, int(count), dtype=f"datetime64[{unit}]").astype("datetime64[ns]")


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (_range("2024-01-01T00", "2024-02-01T00", "1 h"), "1 h"),
        (_range("2024-01-01T00:00", "2024-01-03T00:00", "15 m"), "15 min"),
        (_range("2024-01-01", "2024-05-01", "1 D"), "1 day"),
        (_range("2024-01-01", "2025-05-01", "7 D"), "1 week"),
        (_range("1949-01", "1961-01", "1 M"), "1 month"),
        (_range("1949-01", "1961-01", "3 M"), "3 month"),
        (_range("1949-01", "1961-01", "12 M"), "1 year"),
    ],
)
def test_regular_steps_are_named(time: Stamps, text: str) -> None:
    rhythm = rhythm_of(time, _whole(time))
    assert rhythm is not None and rhythm.regular and rhythm.gaps == 0
    assert str(rhythm) == text


def test_month_ends_are_months() -> None:
    time = (_range("2023-02", "2025-02", "1 M").astype("datetime64[M]").astype("datetime64[D]") - 1).astype(
        "datetime64[ns]"
    )
    rhythm = rhythm_of(time, _whole(time))
    assert rhythm is not None and rhythm.months == 1
    ahead = rhythm.after(time[:1], 3)[0].astype("datetime64[D]")
    assert [str(day) for day in ahead] == ["2023-02-28", "2023-03-31", "2023-04-30"]


@pytest.mark.parametrize("first", ["2024-01-01T00", "1949-01", "1960-12"])
def test_after_continues_a_regular_series(first: str) -> None:
    step = "1 h" if "T" in first else "1 M"
    time = _range(first, "2024-03-01T00" if "T" in first else "1965-01", step)
    rhythm = rhythm_of(time[:-9], _whole(time[:-9]))
    assert rhythm is not None
    np.testing.assert_array_equal(rhythm.after(time[-10:-9], 9)[0], time[-9:])


def test_business_days_skip_weekends() -> None:
    days = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-12-31"))
    days = days[np.is_busday(days)]
    holidays = np.isin(days, np.array(["2024-03-29", "2024-07-04"], dtype="datetime64[D]"))
    time = (days[~holidays] + np.timedelta64(16, "h")).astype("datetime64[ns]")
    rhythm = rhythm_of(time, _whole(time))
    assert rhythm is not None
    assert (rhythm.weekdays, rhythm.gaps, str(rhythm)) == ("1111100", 2, "1 business day")
    friday = np.array([np.datetime64("2024-05-03T16:00", "ns")])
    ahead = rhythm.after(friday, 2)[0]
    np.testing.assert_array_equal(ahead, np.array(["2024-05-06T16", "2024-05-07T16"], dtype="datetime64[ns]"))


def test_gaps_and_irregular_time_are_told_apart() -> None:
    hours = _range("2024-01-01T00", "2024-03-01T00", "1 h")
    gappy = np.delete(hours, [5, 6, 100])
    rhythm = rhythm_of(gappy, _whole(gappy))
    assert rhythm is not None and rhythm.regular and rhythm.gaps == 2 and rhythm.step == 3600
    seconds = np.random.default_rng(0).exponential(30, 500).cumsum()
    wild = rhythm_of(seconds, _whole(seconds))
    assert wild is not None and not wild.regular and not wild.stamps
    assert wild.step == pytest.approx(np.median(np.diff(seconds)))


def test_a_trembling_clock_is_regular() -> None:
    time = np.arange(1000) + np.random.default_rng(1).uniform(-0.004, 0.004, 1000)
    rhythm = rhythm_of(time, _whole(time))
    assert rhythm is not None and rhythm.regular


def test_sequences_do_not_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regularity, "_CHUNK", 7)
    random = np.random.default_rng(2)
    lengths = random.integers(0, 9, 20)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    time = random.normal(size=starts[-1])
    pieces = np.concatenate([np.zeros(0), *steps_between(time, starts)])
    wanted = np.concatenate([np.diff(time[a:b]) for a, b in pairwise(starts)])
    np.testing.assert_allclose(pieces, wanted)


def test_without_two_rows_there_is_no_rhythm() -> None:
    assert rhythm_of(np.array([1.0, 2.0]), np.array([0, 1, 2])) is None


def test_numbers_go_on() -> None:
    np.testing.assert_allclose(Rhythm(step=0.5, stamps=False).after(np.array([1.0, 2.0]), 2), [[1.5, 2], [2.5, 3]])
