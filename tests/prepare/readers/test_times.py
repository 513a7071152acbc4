"""Dates and times in the manners people write them; the datetime module is the oracle."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.readers import times
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.options import ReadOptions


def stamps(*cells: str, day_first: bool | None = None) -> list[str]:
    return [str(value)[:19] for value in times.parse(cells, day_first).values]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-03-04", "2024-03-04T00:00:00"),
        ("2024/3/4", "2024-03-04T00:00:00"),
        ("2024.03.04 5:06", "2024-03-04T05:06:00"),
        ("1949-01", "1949-01-01T00:00:00"),
        ("2024年3月4日", "2024-03-04T00:00:00"),
        ("2024年3月", "2024-03-01T00:00:00"),
        ("04.03.2024", "2024-03-04T00:00:00"),
        ("04.03.2024 23:59:59", "2024-03-04T23:59:59"),
        ("Mar 04, 2024", "2024-03-04T00:00:00"),
        ("march 4 2024 3:04 PM", "2024-03-04T15:04:00"),
        ("4 Sep. 2024", "2024-09-04T00:00:00"),
        ("28-JUN-2024", "2024-06-28T00:00:00"),
        ("2024-03-04T05:06:07", "2024-03-04T05:06:07"),
        ("2024-03-04 05:06:07.25", "2024-03-04T05:06:07"),
        ("3/14/2024 3:04 PM", "2024-03-14T15:04:00"),
        ("3/14/2024 12:04 am", "2024-03-14T00:04:00"),
        ("14/3/2024", "2024-03-14T00:00:00"),
        ("14-03-2024", "2024-03-14T00:00:00"),
        ("2024-03-04T05:06:07Z", "2024-03-04T05:06:07"),
        ("2024-03-04T05:06:07+08:00", "2024-03-03T21:06:07"),
        ("2024-03-04 05:06:07 UTC", "2024-03-04T05:06:07"),
        ("2024-03-04 05:06:07-0330", "2024-03-04T08:36:07"),
        ("2024-03-04 05:06+08", "2024-03-03T21:06:00"),
    ],
)
def test_manners(cell: str, expected: str) -> None:
    assert stamps(cell) == [expected] and times.is_time(cell)


@pytest.mark.parametrize(
    "cell",
    [
        *"2024 2024-13-01 2024-02-30 2023-02-29 0001-01-01 9999-12-31 13/13/2024 1/2/24 12:30 now NaT".split(),
        "２０２４-01-01",
        *("Mai 4, 2024", "Marc 4, 2024", "Feb 30, 2024", "Mar 4, 24", "Mar 2024"),
        *("2024-01-01 24:00", "2024-01-01 00:60", "2024-01-01 00:00:60", "2024-01-01 13:00 PM", "2024-01-01T00:00:00+"),
        "",
    ],
)
def test_no_time_stamp(cell: str) -> None:
    assert stamps(cell) == ["NaT"]


def test_fractions_down_to_nanoseconds() -> None:
    values = times.parse(["2024-01-01 00:00:00.123456789", "2024-01-01 00:00:00,5"]).values
    assert (values.astype(np.int64) % 10**9).tolist() == [123456789, 500000000]


def test_day_and_month_are_told_apart_by_the_whole_column() -> None:
    assert stamps("03/04/2024", "13/04/2024") == ["2024-04-03T00:00:00", "2024-04-13T00:00:00"]
    assert stamps("03/04/2024", "04/13/2024") == ["2024-03-04T00:00:00", "2024-04-13T00:00:00"]
    assert stamps("03/04/2024", day_first=True) == ["2024-04-03T00:00:00"]
    assert stamps("03/13/2024", day_first=True) == ["NaT"]
    assert times.parse(["03/04/2024"]).ambiguous and not times.parse(["03/14/2024"]).ambiguous
    assert stamps("03-04-2024") == ["2024-04-03T00:00:00"]


def notes(*cells: str) -> list[Note]:
    reader = Cells("x.csv", ReadOptions())
    reader.column("when", cells)
    return list(reader.notes())


def test_what_is_told() -> None:
    (ambiguous,) = notes("03/04/2024", "05/06/2024")
    assert ambiguous.code == "date_order_ambiguous" and ambiguous.level == "warning"
    assert "month first: 03/04/2024 is 2024-03-04" in ambiguous.en and "day_first" in ambiguous.en
    (sure,) = notes("03/14/2024")
    assert sure.code == "date_order" and sure.level == "info"
    (zone,) = notes("2024-01-01T00:00:00Z")
    assert zone.code == "time_zone" and "UTC" in zone.en
    assert notes("2024-01-01") == []


def test_cells_with_and_without_a_zone_do_not_mix() -> None:
    with pytest.raises(DataError, match="'2024-01-03 00:00' is not a time stamp") as caught:
        Cells("x.csv", ReadOptions(), 2).column("when", ["2024-01-01 00:00Z", "2024-01-02 00:00Z", "2024-01-03 00:00"])
    assert caught.value.where == "x.csv, row 4, column 'when'"


def test_years_beyond_nanoseconds() -> None:
    with pytest.raises(DataError, match="the year 3000 is outside 1678 to 2261"):
        times.nanoseconds(np.array(["2024-01-01", "NaT", "3000-01-01"], dtype="datetime64[s]"), "x, column 'a'")


_MOMENT = st.datetimes(datetime(1678, 1, 2), datetime(2261, 12, 30))


@given(
    st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)), min_size=1),
    st.sampled_from(["%m-%d", "%m-%dT%H:%M", "%m-%d %H:%M:%S"]),
)
def test_the_fast_way_and_the_careful_way_agree(moments: list[datetime], layout: str) -> None:
    cells = [f"{moment.year:04}-{moment.strftime(layout)}" for moment in moments]
    careful = times.parse([*cells, "2024/1/1"]).values[:-1]  # one cell of another width: no fast way
    np.testing.assert_array_equal(times.parse(cells).values, careful)


@given(st.lists(_MOMENT, min_size=1), st.sampled_from(["%Y-%m-%d %H:%M:%S.%f", "%d.%m.%Y %H:%M:%S.%f"]))
def test_written_times_come_back(moments: list[datetime], layout: str) -> None:
    cells = [moment.strftime(layout.replace("%Y", f"{moment.year:04}").replace("%y", "")) for moment in moments]
    expected = np.array(moments, dtype="datetime64[us]").astype("datetime64[ns]")
    np.testing.assert_array_equal(times.parse(cells).values, expected)


@given(_MOMENT, st.sampled_from(["%b %d, %Y %H:%M", "%d-%b-%Y %H:%M", "%d %B %Y %H:%M"]))
def test_months_with_names_come_back(moment: datetime, layout: str) -> None:
    cell = moment.strftime(layout.replace("%Y", f"{moment.year:04}"))
    assert times.parse([cell]).values[0] == np.datetime64(moment, "m")


@given(_MOMENT, st.integers(-23 * 60, 23 * 60))
def test_zones_are_converted_as_datetime_does(moment: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    cell = moment.replace(tzinfo=zone).isoformat()
    utc = moment - timedelta(minutes=minutes)
    assert times.parse([cell]).values[0] == np.datetime64(utc, "ns")
