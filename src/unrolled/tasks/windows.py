"""Which windows a task learns from and is judged on.

A span is ``(sequence, first row, end row)`` in rows of the buffer: the truth of a sample lies inside its span, its
inputs may reach back before it, as far as the sequence goes. Letters: n samples, M targets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.core.errors import DataError
from unrolled.prepare.pages import taken
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
        stride: rows between two windows; it runs on from span to span, so that short ones are met at all places.
        last: keep only the last window of each span.
    """
    reach: list[range] = []
    seen = 0
    for sequence, first, end in spans:
        begin, stop = (int(row) for row in series.starts[sequence : sequence + 2])
        history = window if ahead else min(window, stop - begin)
        lowest, highest = max(first + (ahead == 0), begin + history), end - ahead
        if last:
            lowest = max(lowest, highest)
        reach.append(range(lowest + (0 if last else -seen % stride), highest + 1, stride))
        seen += max(0, highest + 1 - lowest)
    counts = [len(part) for part in reach]
    sequences = np.repeat(np.array([span[0] for span in spans], dtype=np.int64), counts)
    begins, stops = np.empty_like(sequences), np.empty_like(sequences)
    at = 0
    for (sequence, _, _), part in zip(spans, reach, strict=True):
        own = slice(at, at + len(part))
        stops[own] = np.arange(part.start, part.stop, stride)
        np.subtract(stops[own], window, out=begins[own])
        np.maximum(begins[own], series.starts[sequence], out=begins[own])
        at = own.stop
    return Samples(begins, stops, sequences)


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
        if column.level == "row":
            known |= np.isfinite(taken(series.values[:, at], samples.end - 1))
        else:
            known |= np.isfinite(series.cases[samples.series, at])
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
