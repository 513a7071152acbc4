from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from unrolled.prepare.stamps import TimeUnit, read_time, unit_of

_MOMENTS = [datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2031, 12, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("unit", "factor"), [("epoch_s", 1.0), ("epoch_ms", 1e3), ("epoch_us", 1e6), ("epoch_ns", 1e9)]
)
def test_epoch_numbers_are_found_and_read(unit: TimeUnit, factor: float) -> None:
    column = np.array([moment.timestamp() * factor for moment in _MOMENTS])
    assert unit_of(column) == unit
    read = read_time(column, unit)
    assert read is not None
    assert [str(stamp) for stamp in read.astype("datetime64[s]")] == ["2024-02-29T23:59:59", "2031-12-01T00:00:00"]


def test_dates_written_as_numbers() -> None:
    column = np.array([20240229.0, 19991231.0, np.nan])
    assert unit_of(column) == "yyyymmdd"
    read = read_time(column, "yyyymmdd")
    assert read is not None and np.isnat(read[2])
    assert [str(day) for day in read[:2].astype("datetime64[D]")] == ["2024-02-29", "1999-12-31"]


def test_plain_numbers_and_text() -> None:
    assert unit_of(np.array([1.0, 2.0, 3.5])) == "number"
    assert unit_of(np.array([np.nan, np.nan])) is None
    assert unit_of(np.array(["a", "b"], dtype=object)) is None
    text: Any = np.array(["2024-01-31", None, "2024-02-01 06:00:00"], dtype=object)
    assert unit_of(text) == "text"
    read = read_time(text, "text")
    assert read is not None and np.isnat(read[1]) and read[2] == np.datetime64("2024-02-01T06")


def test_a_column_of_another_kind_is_not_read() -> None:
    assert read_time(np.array(["x"], dtype=object), "number") is None
    assert read_time(np.array(["2024-01-01"], dtype="datetime64[ns]"), "epoch_s") is None
    assert read_time(np.array([1.0]), "datetime") is None


def test_numbers_are_read_by_chunks_as_in_one_piece() -> None:
    count = (1 << 18) + 5
    seconds = 1.6e9 + np.arange(count, dtype=np.float64)
    seconds[[0, count - 1]] = np.nan
    got = read_time(seconds, "epoch_s")
    assert got is not None
    np.testing.assert_array_equal(np.flatnonzero(np.isnat(got)), [0, count - 1])
    wanted = np.datetime64(1_600_000_000, "s") + np.arange(1, count - 1)
    np.testing.assert_array_equal(got[1:-1], wanted.astype("datetime64[ns]"))
