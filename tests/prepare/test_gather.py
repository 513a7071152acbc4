from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unrolled.prepare import gather


@given(st.data())
def test_past_and_ahead_equal_a_loop(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    buffer = np.arange(starts[-1] * 2, dtype=np.float32).reshape(-1, 2)
    picks = []
    for _ in range(data.draw(st.integers(1, 5))):
        series = data.draw(st.integers(0, len(lengths) - 1))
        begin = data.draw(st.integers(int(starts[series]), int(starts[series + 1]) - 1))
        picks.append((begin, data.draw(st.integers(begin + 1, int(starts[series + 1]))), series))
    begin, end, series = np.array(picks, dtype=np.int64).T
    lag, steps = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 4))
    first, stop = starts[series], starts[series + 1]

    got: Any = gather.past(buffer, begin, end, lag=lag, first=first, blank=np.nan)
    assert got.shape == (len(picks), lag + int((end - begin).max()), 2)
    for row, (b, e, s) in zip(got, picks, strict=True):
        wanted = [buffer[max(at, starts[s])] for at in range(b - lag, e)]
        np.testing.assert_array_equal(row[: len(wanted)], wanted)
        assert np.isnan(row[len(wanted) :]).all()

    later: Any = gather.ahead(buffer, end, steps, stop=stop, blank=np.nan)
    assert later.shape == (len(picks), steps, 2)
    for row, (_, e, s) in zip(later, picks, strict=True):
        inside = min(steps, int(starts[s + 1]) - e)
        np.testing.assert_array_equal(row[:inside], buffer[e : e + inside])
        assert np.isnan(row[inside:]).all()


def test_nothing_to_gather() -> None:
    none = np.zeros(0, dtype=np.int64)
    buffer = np.zeros((3, 2), dtype=np.float32)
    assert gather.past(buffer, none, none, lag=0, first=none, blank=0).shape == (0, 0, 2)
    assert gather.ahead(buffer, none, 4, stop=none, blank=0).shape == (0, 4, 2)


def test_a_gathered_window_is_a_copy() -> None:
    buffer = np.zeros((5, 1), dtype=np.float32)
    one = np.array([1])
    gather.past(buffer, one, one + 2, lag=0, first=one * 0, blank=0)[:] = 7
    assert not buffer.any()
