"""Which windows a task learns from and is judged on.

A span is ``(sequence, first row, end row)`` in rows of the buffer: the truth of a sample lies inside its span, its
inputs may reach back before it, as far as the sequence goes. Letters: n samples, M targets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series

Span = tuple[int, int, int]


def sliding(
    series: Series, spans: Sequence[Span], *, window: int, ahead: int, stride: int = 1, last: bool = False
) -> Samples:
    """Windows of ``window`` rows, one every ``stride`` rows.

    Args:
        series: the data.
        spans: where the truth may lie.
        window: input rows; fewer only where the truth is a row of the window and the whole sequence is shorter.
        ahead: truth rows after the window (a forecast's horizon); 0 means that the truth is at its last row.
        stride: rows between two windows of a span.
        last: keep only the last window of each span.
    """
    ends: list[npt.NDArray[np.int64]] = []
    for sequence, first, end in spans:
        begin, stop = (int(row) for row in series.starts[sequence : sequence + 2])
        history = window if ahead else min(window, stop - begin)
        lowest, highest = max(first + (ahead == 0), begin + history), end - ahead
        if last:
            lowest = max(lowest, highest)
        ends.append(np.arange(lowest, highest + 1, stride, dtype=np.int64))
    sequences = np.repeat([span[0] for span in spans], [len(part) for part in ends]).astype(np.int64)
    stops = np.concatenate([np.empty(0, np.int64), *ends])
    return Samples(np.maximum(series.starts[sequences], stops - window), stops, sequences)


def whole(series: Series, spans: Sequence[Span], *, window: int | None) -> Samples:
    """One sample a span: its last ``window`` rows, or all of them."""
    sequences = np.array([span[0] for span in spans], dtype=np.int64)
    begins = np.array([span[1] for span in spans], dtype=np.int64)
    ends = np.array([span[2] for span in spans], dtype=np.int64)
    if window is not None:
        begins = np.maximum(begins, ends - window)
    return Samples(begins, ends, sequences)


def known_truth(series: Series, samples: Samples, targets: Sequence[Column]) -> Samples:
    """Samples without those that have no value in any target, at the window's last row or for the sequence."""
    known = np.zeros(len(samples), dtype=bool)
    for column in targets:
        at = series.index(column)
        values = series.values[samples.end - 1, at] if column.level == "row" else series.cases[samples.series, at]
        known |= np.isfinite(values)
    return samples[known]


def too_short(series: Series, window: int | None, ahead: int) -> DataError:
    """The error when no window fits."""
    longest = int(series.lengths.max(initial=0))
    needs = f"{window} input rows" + (f" and {ahead} rows to predict" if ahead else "")
    return DataError(
        f"no sample fits: {needs} are needed within one part of the split, the longest sequence has {longest} rows",
        where=series.source,
        mend="choose a smaller --window or --horizon, or give longer sequences",
    )
