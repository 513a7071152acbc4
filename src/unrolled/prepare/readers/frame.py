"""Polars frames, in memory or lazy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.core.errors import DataError
from unrolled.core.optional import require
from unrolled.prepare.readers.block import spill
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.columns import column
from unrolled.prepare.readers.options import ReadOptions, select
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Table

if TYPE_CHECKING:
    import polars as pl


def read(frame: pl.DataFrame | pl.LazyFrame, options: ReadOptions, source: str = "the frame") -> Table:
    """Read a polars frame; one whose numbers exceed ``options.memory`` goes into a memory map, piece by piece.

    A list of texts is the text of its words.

    Raises:
        DataError: the frame has no rows or no columns, or a cell does not fit its column.
    """
    polars = require("polars", extra="train", purpose="reading this frame")
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    chosen = select(schema.names(), options, source)
    unread = (polars.List, polars.Array, polars.Struct, polars.Binary, polars.Object)
    lists = [name for name in chosen if schema[name] == polars.List(polars.String)]
    names = [name for name in chosen if schema[name] not in unread or name in lists]
    rows = int(lazy.select(polars.len()).collect(engine="streaming").item()) if names else 0
    if not rows:
        raise DataError("there is no row of numbers, text or time stamps to read", where=source)
    cells = Cells(source, options)
    notes = [say("nested_columns", columns=sorted(set(chosen) - set(names)))] if len(names) < len(chosen) else []
    lazy = lazy.select(names).with_columns(polars.col(lists).list.join(" "))
    numeric = sum(schema[name].is_numeric() or schema[name] == polars.Boolean for name in names)
    if rows * numeric * 8 > options.memory:
        columns, block, more = spill(lazy, rows, cells, options)
        return Table(columns, source, block=block, notes=(*notes, *more, *cells.notes()))
    whole = lazy.collect()
    columns = {name: column(whole.get_column(name), name, cells) for name in names}
    return Table(columns, source, notes=(*notes, *cells.notes()))
