from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import DataError
from unrolled.prepare.resample import resample


def _resample(
    values: Any, time: Any, starts: list[int], step: float, how: Literal["mean", "last"], codes: list[bool]
) -> Any:
    buffer = np.array(values, dtype=np.float32).reshape(len(time), -1)
    return resample(buffer, time, np.array(starts), step=step, how=how, codes=np.array(codes), source="file")


@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(-5, 5, width=32)), min_size=1, max_size=30),
    st.sampled_from(["mean", "last"]),
)
def test_numbers_equal_a_loop(rows: list[tuple[int, float]], how: Literal["mean", "last"]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    time = np.array([float(at) for at, _ in rows])
    values, grid, starts = _resample([v for _, v in rows], time, [0, len(rows)], 3.0, how, [False])
    assert starts.tolist() == [0, len(values)]
    for at, (moment, value) in enumerate(zip(grid, values[:, 0], strict=True)):
        assert moment == time[0] + 3 * at
        inside = [v for t, v in rows if moment <= t < moment + 3]
        if not inside:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(np.mean(inside) if how == "mean" else inside[-1], rel=1e-4, abs=1e-5)


def test_stamps_fall_on_whole_hours_and_sequences_stay_apart() -> None:
    time = np.array(
        ["2024-01-01T00:10", "2024-01-01T00:50", "2024-01-01T02:05", "2024-01-01T07:30"], dtype="datetime64[ns]"
    )
    values, grid, starts = _resample([[1, 0], [3, 1], [5, 1], [9, 0]], time, [0, 3, 4], 3600, "mean", [False, True])
    assert starts.tolist() == [0, 3, 4]
    assert [str(stamp)[11:16] for stamp in grid] == ["00:00", "01:00", "02:00", "07:00"]
    np.testing.assert_array_equal(values[:, 0], [2, np.nan, 5, 9])
    np.testing.assert_array_equal(values[:, 1], [1, np.nan, 1, 0])  # the last category, not the mean of codes


def test_a_mean_passes_over_missing_values() -> None:
    values, _, _ = _resample([1, np.nan, np.nan], np.array([0.0, 1.0, 2.0]), [0, 3], 2.0, "mean", [False])
    np.testing.assert_array_equal(values[:, 0], [1, np.nan])


def test_a_step_that_makes_nearly_only_holes_is_refused() -> None:
    time = np.array(["2000-01-01", "2024-01-01"], dtype="datetime64[ns]")
    with pytest.raises(DataError, match="nearly all of them empty"):
        _resample([1, 2], time, [0, 2], 1.0, "last", [False])
