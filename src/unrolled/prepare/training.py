"""The training part of a buffer as a stream of chunks, however large the buffer is.

Letters: N rows, C columns, P spans, S sequences, G groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.pages import Pages
from unrolled.prepare.transforms.base import Chunk, Stream

_CHUNK = 1 << 18
_Rows = npt.NDArray[np.int64]

Spans = Sequence[tuple[int, int, int]]
"""``(sequence, first row, end row)`` each."""


def sequences(spans: Spans) -> _Rows:
    """The sequences that have a row in ``spans``, each once."""
    return np.unique(np.array(spans, dtype=np.int64).reshape(-1, 3)[:, 0])


def stream_rows(
    values: npt.NDArray[np.float32],
    columns: Sequence[int],
    spans: Spans,
    group: _Rows | None = None,
    groups: int = 1,
) -> Stream:
    """Columns of the rows in ``spans``.

    Args:
        values: ``(N, C)`` buffer, in memory or mapped.
        columns: positions of the columns.
        spans: the training part.
        group: ``(S,)`` group of each sequence; None: all are of one.
        groups: G.
    """
    series, begin, end = np.array(spans, dtype=np.int64).reshape(-1, 3).T
    picked = list(columns)

    def chunks() -> Iterator[Chunk]:
        pages = Pages(values)
        for pieces_series, pieces_begin, pieces_end in _packed(series, begin, end):
            lengths = pieces_end - pieces_begin
            heads = np.cumsum(lengths) - lengths
            if (pieces_begin[1:] == pieces_end[:-1]).all():
                taken = np.asarray(values[int(pieces_begin[0]) : int(pieces_end[-1])])[:, picked]
            else:
                rows = np.repeat(pieces_begin - heads, lengths) + np.arange(int(lengths.sum()))
                taken = values[rows][:, picked]
            fresh = np.zeros(len(taken), dtype=bool)
            fresh[heads] = True
            own = np.zeros(len(taken), dtype=np.int64) if group is None else np.repeat(group[pieces_series], lengths)
            yield Chunk(taken.astype(np.float64), own, fresh)
            pages.touched(len(lengths), int(lengths.mean()) * values.shape[1] * values.itemsize)

    return Stream(int((end - begin).sum()), groups, len(picked), chunks)


def stream_array(values: npt.NDArray[Any]) -> Stream:
    """One chunk, one group: values ``(n, C)`` that stand in memory."""
    rows = len(values)
    chunk = Chunk(values.astype(np.float64), np.zeros(rows, dtype=np.int64), np.ones(rows, dtype=bool))
    return Stream(rows, 1, values.shape[1], lambda: iter([chunk] if rows else []))


def _packed(series: _Rows, begin: _Rows, end: _Rows) -> Iterator[tuple[_Rows, _Rows, _Rows]]:
    """Spans cut or packed into loads of about a chunk: sequence, first and end row of each piece."""
    filled = end > begin
    series, begin, end = series[filled], begin[filled], end[filled]
    counts = -(-(end - begin) // _CHUNK)
    part = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    first = np.repeat(begin, counts) + part * _CHUNK
    last = np.minimum(first + _CHUNK, np.repeat(end, counts))
    owner = np.repeat(series, counts)
    load = (np.cumsum(last - first) - 1) // _CHUNK
    edges = np.flatnonzero(np.diff(load, prepend=-1, append=-1)) if len(load) else np.zeros(0, dtype=np.int64)
    for low, high in pairwise(edges):
        yield owner[low:high], first[low:high], last[low:high]
