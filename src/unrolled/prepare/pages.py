"""Memory maps: knowing one, and giving its pages back so that a file larger than memory can be read through."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

_LIMIT = 64 << 20
"""Bytes that may be touched before pages are given back."""

_NEIGHBOURS = 2 << 20
"""One touch may map a whole huge page of the file (seen on Linux 6.18 with ext4)."""

_NARROW = 1 << 10
"""Bytes of a row below which a load is bounded by the number of its rows."""


def mapping(values: npt.NDArray[Any]) -> mmap.mmap | None:
    """The memory map under an array, or None where the array is in memory."""
    base: Any = values
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    return base


def pieces(values: npt.NDArray[Any], size: int = 1 << 18) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """First row and rows of consecutive pieces of an array; a memory map stays bounded in memory."""
    pages = Pages(values)
    for begin in range(0, len(values), size):
        piece = np.asarray(values[begin : begin + size])
        yield begin, piece
        pages.touched(1, len(piece) * abs(values.strides[0]))
    pages.release()


def taken(values: npt.NDArray[Any], rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """``values[rows]`` for row numbers from 0 up, in any shape and order; a memory map stays bounded in memory."""
    if mapping(values) is None:
        return np.take(values, rows, axis=0) if values.flags.c_contiguous else np.asarray(values[rows])
    pages, flat, width = Pages(values), rows.reshape(-1), values.itemsize * math.prod(values.shape[1:])
    most, size = max(1, _LIMIT // max(width, _NEIGHBOURS)), max(1, _LIMIT // max(width, _NARROW))
    out = np.empty((len(flat), *values.shape[1:]), dtype=values.dtype)
    for at in range(0, len(flat), size):
        some = flat[at : at + size]
        stretch = np.cumsum(np.diff(some * values.strides[0] // _NEIGHBOURS, prepend=-1) != 0) - 1
        for begin, end in pairwise(np.searchsorted(stretch // most, np.arange(stretch[-1] // most + 2))):
            out[at + begin : at + end] = values[some[begin:end]]
            pages.touched(int(stretch[end - 1] - stretch[begin]) + 1, width)
    pages.release()
    return out.reshape(*rows.shape, *values.shape[1:])


class Pages:
    """Counts what was read of an array and gives the pages of its memory map back every so often.

    Args:
        values: the array; one in memory costs nothing.
        limit: bytes read between two releases.
    """

    def __init__(self, values: npt.NDArray[Any], limit: int = _LIMIT) -> None:
        self._map = mapping(values) if hasattr(mmap, "MADV_DONTNEED") else None
        # Private pages hold changes that exist nowhere else; only shared ones can be read again from the file.
        if isinstance(values, np.memmap) and values.mode == "c":
            self._map = None
        self._limit, self._read = limit, 0

    def touched(self, pieces: int, size: int) -> None:
        """``pieces`` separate stretches of ``size`` bytes were read; release the pages once the limit is reached."""
        if self._map is None:
            return
        self._read += pieces * max(size, _NEIGHBOURS)
        if self._read >= self._limit:
            self.release()

    def release(self) -> None:
        """Give back the pages of the whole map; they are read again from the file where needed."""
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)
            self._read = 0
