"""Rows as mappings from column to value: those of Python, and the lines of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.options import ReadOptions, select
from unrolled.prepare.table import Table


def read(
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    options: ReadOptions,
    source: str,
    notes: tuple[Note, ...] = (),
    *,
    first_row: int = 1,
) -> Table:
    """Read rows, each with its number in the source; a key that a row lacks is a missing value.

    Values follow the rules of text cells: a number or a time stamp may come as such or as text. A list of texts is
    the text of its words.

    Raises:
        DataError: there is no row, a value is a list or an object, or does not fit its column.
    """
    columns: dict[str, list[str]] = {}
    count = 0
    for number, row in rows:
        for key, value in row.items():
            cells = columns.setdefault(str(key), [])
            cells.extend([""] * (count - len(cells)))
            cells.append(_text(value, key, f"{source}, row {number}"))
        count += 1
    if not columns:
        raise DataError("the file has no rows", where=source)
    reader = Cells(source, options, first_row=first_row)
    chosen = select(columns, options, source)
    values = {name: reader.column(name, columns[name] + [""] * (count - len(columns[name]))) for name in chosen}
    return Table(values, source, first_row=first_row, notes=(*notes, *reader.notes()))


def _text(value: Any, key: Any, place: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, list | tuple) and value and all(type(part) is str and part.split() for part in value):
        return " ".join(value)
    if isinstance(value, list | tuple | Mapping | np.ndarray):
        raise DataError(
            f"the value of {key!r} is a list or an object", where=place, mend="give every number a key of its own"
        )
    return str(value)
