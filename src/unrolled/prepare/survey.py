"""One look at every column: what is missing, how far it reaches, which labels it holds.

Letters: N rows, C columns of a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unrolled.prepare.labels import factorize, in_order
from unrolled.prepare.pages import pieces
from unrolled.prepare.table import Table


@dataclass(frozen=True)
class Survey:
    """What one column holds.

    Attributes:
        kind: number, time or text.
        rows: cells.
        missing: cells without a value.
        low, high: smallest and largest number (NaN for text, time and empty columns; infinite values count).
        labels: distinct texts in order; empty for numbers and time.
    """

    kind: Literal["number", "time", "text"]
    rows: int
    missing: int
    low: float = float("nan")
    high: float = float("nan")
    labels: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """No value at all."""
        return self.missing == self.rows

    @property
    def constant(self) -> bool:
        """One value everywhere (missing cells aside)."""
        return not self.empty and (len(self.labels) == 1 if self.kind == "text" else self.low == self.high)


def survey(table: Table) -> dict[str, Survey]:
    """Look once at every column and case column of ``table``; a memory-mapped block is read in chunks."""
    found: dict[str, Survey] = {}
    places = block_columns(table)
    if table.block is not None and places:
        low, high, missing = _block(table.block)
        for name, at in places.items():
            found[name] = Survey("number", len(table.block), int(missing[at]), float(low[at]), float(high[at]))
    for name, column in [*table.columns.items(), *table.case_columns.items()]:
        if name not in found:
            found[name] = _column(column)
    return found


def block_columns(table: Table) -> dict[str, int]:
    """Name -> position in ``table.block`` of the columns that are views of it."""
    block = table.block
    if block is None:
        return {}
    start, width = block.__array_interface__["data"][0], block.itemsize
    stop = start + (block.shape[1] if block.ndim == 2 else 0) * width
    places = {}
    for name, column in table.columns.items():
        address = column.__array_interface__["data"][0]
        if column.dtype == block.dtype and start <= address < stop and column.strides[0] == block.strides[0]:
            places[name] = (address - start) // width
    return places


def _column(column: npt.NDArray[Any]) -> Survey:
    rows = len(column)
    if column.dtype == object:
        codes, names = factorize(column)
        return Survey("text", rows, int((codes < 0).sum()), labels=in_order(names))
    if np.issubdtype(column.dtype, np.datetime64):
        return Survey("time", rows, sum(int(np.isnat(piece).sum()) for _, piece in pieces(column)))
    low, high, missing = _block(column[:, None])
    return Survey("number", rows, int(missing[0]), float(low[0]), float(high[0]))


def _block(block: npt.NDArray[np.float32]) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Smallest, largest and number of missing values of every column of the block."""
    width = block.shape[1]
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    missing = np.zeros(width, dtype=np.int64)
    for _, chunk in pieces(block):
        low = np.fmin(low, np.fmin.reduce(chunk, axis=0))
        high = np.fmax(high, np.fmax.reduce(chunk, axis=0))
        missing += np.isnan(chunk).sum(axis=0)
    return low, high, missing
