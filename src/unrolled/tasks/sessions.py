"""Which rows of a session ask for the next item, and how training reads them.

A span is ``(sequence, first row, end row)``; see ``tasks.windows``. Letters: n samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.tasks.windows import Span

_Rows = npt.NDArray[np.int64]


def beginnings(series: Series, spans: Sequence[Span], *, window: int) -> Samples:
    """A sample for each item of a span that another one precedes: the ``window`` rows before it, or those there are."""
    sequence, first, end = _columns(spans)
    start = series.starts[sequence]
    lowest = np.maximum(first, start + 1)
    row, member = _ranges(lowest, np.maximum(end, lowest))
    return Samples(np.maximum(start[member], row - window), row, sequence[member])


def pieces(series: Series, spans: Sequence[Span], *, window: int) -> Samples:
    """Each span with two rows or more, without its last row, in pieces of at most ``window`` rows."""
    sequence, first, end = _columns(spans)
    length = np.maximum(end - first - 1, 0)
    part, member = _ranges(np.zeros_like(length), -(-length // window))
    begin = first[member] + part * window
    return Samples(begin, np.minimum(begin + window, end[member] - 1), sequence[member])


def _columns(spans: Sequence[Span]) -> tuple[_Rows, _Rows, _Rows]:
    table = np.array(spans, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _ranges(low: _Rows, high: _Rows) -> tuple[_Rows, _Rows]:
    """All whole numbers of ``low[i]:high[i]``, one range after another, and the i of each."""
    counts = high - low
    member = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return np.arange(len(member)) - before[member] + low[member], member
