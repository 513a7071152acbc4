"""Samples in which every step has its own answer: whole stretches of rows, or pieces of them that overlap.

A span is ``(sequence, first row, end row)`` in rows of the buffer.
"""

from __future__ import annotations

import numpy as np

from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.prepare.training import Spans

LEAD = 4  # this part of a piece, one in so many, is read once more to have a past


def tiles(series: Series, spans: Spans, *, window: int | None, stride: int = 1) -> Samples:
    """Whole spans, or pieces of at most ``window`` rows.

    The first quarter of a piece is read once more and answered in the piece before, so that no answer but those at
    the beginning of a sequence comes without a past.

    Args:
        series: the data.
        spans: the rows that are answered; a piece may begin before its span.
        window: most rows of a piece; None takes spans as they are.
        stride: rows between the beginnings of two pieces; 1 answers every row once.
    """
    if window is None:
        sequence, begin, end = np.array(spans, dtype=np.int64).reshape(-1, 3).T
        filled = end > begin
        return Samples(begin[filled], end[filled], sequence[filled])
    found = [piece for span in spans for piece in _cut(series, span, window, stride)]
    begin, end, sequence, lead = np.array(found, dtype=np.int64).reshape(-1, 4).T
    return Samples(begin, end, sequence, lead)


def _cut(series: Series, span: tuple[int, int, int], window: int, stride: int) -> list[tuple[int, int, int, int]]:
    """Begin, end, sequence and lead of the pieces of one span."""
    sequence, at, end = span
    start = int(series.starts[sequence])
    found = []
    while at < end:
        begin = max(start, at - window // LEAD)
        stop = min(begin + window, end)
        found.append((begin, stop, sequence, at - begin))
        at = stop if stride == 1 else at + stride
    return found
