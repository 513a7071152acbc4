"""Pieces of sequences in which every step has its own answer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unrolled.prepare.series import Column, Series
from unrolled.prepare.tiles import tiles


def _series(lengths: list[int]) -> Series:
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.zeros((starts[-1], 1), np.float32)
    cases = np.zeros((len(lengths), 0), np.float32)
    return Series(values, cases, starts, tuple(map(str, range(len(lengths)))), (Column(name="a"),))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 12) | st.none(), st.data())
def test_every_row_of_the_spans_is_answered_once(lengths: list[int], window: int | None, data: st.DataObject) -> None:
    series = _series(lengths)
    spans = []
    for s, (begin, end) in enumerate(zip(series.starts[:-1].tolist(), series.starts[1:].tolist(), strict=True)):
        first = data.draw(st.integers(begin, end - 1))
        spans.append((s, first, data.draw(st.integers(first + 1, end))))
    found = tiles(series, spans, window=window)
    rows = found.rows()
    assert rows.end.tolist() == [row + 1 for _, first, end in spans for row in range(first, end)]
    assert (found.begin >= series.starts[found.series]).all()
    answered = found.answered()
    assert answered.sum(1).tolist() == found.counts.tolist() and answered.shape[1] == found.lengths.max()
    if window is None:
        return
    assert (found.lengths <= window).all()
    inside = found.begin > series.starts[found.series]
    lead = found.lengths - found.counts
    assert (lead[inside] == window // 4).all()  # all but the beginning of a sequence has a past


def test_a_stride_sets_pieces_apart() -> None:
    found = tiles(_series([20]), [(0, 0, 20)], window=8, stride=5)
    assert (found.begin + found.lengths - found.counts).tolist() == [0, 5, 10, 15]
