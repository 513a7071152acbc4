"""Windows against a search over all rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series
from unrolled.tasks.windows import known_truth, sliding, whole


def series_of(lengths: list[int]) -> Series:
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.zeros((starts[-1], 1), np.float32)
    ids = tuple(map(str, range(len(lengths))))
    return Series(values, np.empty((len(lengths), 0), np.float32), starts, ids, (Column(name="y", role="target"),))


def listed(samples: Samples) -> list[tuple[int, int, int]]:
    return list(zip(samples.series.tolist(), samples.begin.tolist(), samples.end.tolist(), strict=True))


lengths = st.lists(st.integers(1, 12), min_size=1, max_size=3)
shares = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@given(lengths, shares, st.integers(1, 6), st.integers(0, 4), st.integers(1, 3))
def test_windows_are_all_that_fit(lengths: list[int], share: list[float], window: int, ahead: int, stride: int) -> None:
    series = series_of(lengths)
    spans = []
    for s, n in enumerate(lengths):
        first, end = (int(series.starts[s] + round(n * x)) for x in share)
        spans.append((s, first, end))
    found = listed(sliding(series, spans, window=window, ahead=ahead, stride=stride))
    expected = []
    for s, first, stop in spans:
        start, final = int(series.starts[s]), int(series.starts[s + 1])
        need = window if ahead else min(window, final - start)
        ends = [
            end
            for end in range(start + need, final + 1)
            if (first <= end and end + ahead <= stop if ahead else first < end <= stop)
        ]
        expected += [(s, max(start, end - window), end) for end in ends]
    assert found == expected[::stride]  # it runs on, so that short spans are not met at their beginning only


@given(lengths, st.integers(1, 6), st.integers(0, 3), st.integers(1, 3))
def test_the_last_window_of_a_span_is_one_of_them(lengths: list[int], window: int, ahead: int, stride: int) -> None:
    series = series_of(lengths)
    spans = [(s, int(a), int(b)) for s, (a, b) in enumerate(zip(series.starts, series.starts[1:], strict=False))]
    every = listed(sliding(series, spans, window=window, ahead=ahead))
    last = listed(sliding(series, spans, window=window, ahead=ahead, stride=stride, last=True))
    assert last == [max(window for window in every if window[0] == s) for s in sorted({s for s, _, _ in every})]


def test_whole_sequences_are_cut_at_the_front_only() -> None:
    series = series_of([5, 3])
    assert listed(whole(series, [(0, 0, 5), (1, 5, 8)], window=None)) == [(0, 0, 5), (1, 5, 8)]
    assert listed(whole(series, [(0, 0, 5), (1, 5, 8)], window=4)) == [(0, 1, 5), (1, 5, 8)]


def test_samples_without_truth_are_left_out() -> None:
    series = series_of([4])
    series.values[[1, 3]] = np.nan
    samples = Samples(np.zeros(4, np.int64), np.arange(1, 5), np.zeros(4, np.int64))
    assert known_truth(series, samples, series.columns).end.tolist() == [1, 3]
