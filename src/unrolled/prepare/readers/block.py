"""Frames larger than memory: their numbers go, a batch of rows at a time, into a file that is mapped into memory.

Letters: N rows, C numeric columns, n distinct cells.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.optional import require
from unrolled.core.records import Note
from unrolled.prepare.mapped import MappedFile, check_room
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.columns import column, encode
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Array

if TYPE_CHECKING:
    import polars as pl

_BATCH = 16 << 20  # bytes of a batch as float64
_DISTINCT = 1 << 20
_PURPOSE = "reading a file larger than memory"

# Single precision is too coarse for the number of a moment; these columns keep double precision.
_TIME = re.compile(r"(?i)^(.*[_ .-])?(time|timestamp|date|datetime|epoch|unix|ts)([_ .-].*)?$|时间|日期")


def spill(
    lazy: pl.LazyFrame, rows: int, cells: Cells, options: ReadOptions
) -> tuple[dict[str, Array], npt.NDArray[np.float32] | None, list[Note]]:
    """Read every column of ``lazy`` with memory for one batch of rows only.

    Returns:
        the columns; the ``(N, C)`` float32 memory map that the numeric ones are views of; notes. Time columns have
        a memory map of their own. Text columns are kept in memory, as codes while reading.

    Raises:
        DataError: there is no room for the file, or a text column has more distinct cells than memory may hold.
    """
    polars = require("polars", extra="train", purpose=_PURPOSE)
    schema = lazy.collect_schema()
    numeric = [name for name in schema.names() if schema[name].is_numeric() or schema[name] == polars.Boolean]
    single = [name for name in numeric if not _TIME.match(name)]
    moments = (polars.Date, polars.Datetime, polars.Duration, polars.Time)
    apart = [name for name in schema.names() if schema[name] in moments or name in set(numeric) - set(single)]
    texts = {name: _Texts(name, rows, cells) for name in schema.names() if name not in (*single, *apart)}
    folder = Path(options.cache or tempfile.gettempdir())
    check_room(folder, rows * (4 * len(single) + 8 * len(apart)))
    rounded: dict[str, float] = {}
    with ExitStack() as files:
        block = MappedFile(folder, files)
        moment_files = {name: MappedFile(folder, files) for name in apart}
        for batch in _batches(lazy, rows, cells.source):
            if single:
                block.write(_single_precision(batch.select(single), rounded))
            for name, file in moment_files.items():
                file.write(column(batch.get_column(name), name, cells))
            for name, text in texts.items():
                text.add(batch.get_column(name))
        found: dict[str, Array] = {name: file.mapped((rows,)) for name, file in moment_files.items()}
        values: npt.NDArray[np.float32] | None = block.mapped((rows, len(single))) if single else None
    found |= {name: text.values() for name, text in texts.items()}
    if values is not None:
        found |= {name: values[:, at] for at, name in enumerate(single)}
    notes = [say("memory_map", size=rows * len(single) * 4 >> 20)]
    notes += [say("precision", columns=[name], value=repr(value)) for name, value in rounded.items()]
    return {name: found[name] for name in schema.names()}, values, notes


def _batches(lazy: pl.LazyFrame, rows: int, source: str) -> Iterator[pl.DataFrame]:
    """The frame, a slice at a time: polars reads only the pages of the file that a slice needs."""
    step = max(1024, min(1 << 20, _BATCH // (8 * len(lazy.collect_schema()))))
    for start in range(0, rows, step):
        batch = lazy.slice(start, step).collect(engine="streaming")
        if batch.height != min(step, rows - start):
            raise DataError(f"the file ends at row {start + batch.height} of {rows}", where=source)
        yield batch


def _single_precision(batch: pl.DataFrame, rounded: dict[str, float]) -> npt.NDArray[np.float32]:
    """``(rows, C)`` float32, noting whole numbers that it rounds and numbers that it cannot reach."""
    polars = require("polars", extra="train", purpose=_PURPOSE)
    exact, single = batch.cast(polars.Float64), batch.cast(polars.Float32)
    for name in batch.columns:
        if name in rounded:
            continue
        one, other = exact.get_column(name), single.get_column(name).cast(polars.Float64)
        wrong = one.is_finite() & ((one != other) if batch.schema[name].is_integer() else other.is_infinite())
        if wrong.any():
            rounded[name] = float(one.filter(wrong).item(0))
    return np.ascontiguousarray(single.fill_null(float("nan")).to_numpy())


class _Texts:
    """A text column as codes."""

    def __init__(self, name: str, rows: int, cells: Cells) -> None:
        self._name, self._cells = name, cells
        self._codes = np.empty(rows, dtype=np.int32)
        self._filled = 0
        self._seen: dict[str, int] = {}

    def add(self, series: pl.Series) -> None:
        """Append a batch."""
        polars = require("polars", extra="train", purpose=_PURPOSE)
        codes, distinct = encode(series.cast(polars.String).fill_null(""))
        known = np.array([self._seen.setdefault(text, len(self._seen)) for text in distinct], dtype=np.int32)
        if len(self._seen) > _DISTINCT:
            raise DataError(
                f"column {self._name!r} has more than {_DISTINCT} different texts, too many for a file of this size",
                where=self._cells.source,
                mend="store time stamps and numbers as such, or choose the columns to read (option columns)",
            )
        self._codes[self._filled : self._filled + len(codes)] = known[codes]
        self._filled += len(codes)

    def values(self) -> Array:
        """The column, read by the same rules as any text."""
        return self._cells.coded(self._name, self._codes, list(self._seen))
