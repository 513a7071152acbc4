"""What the places of a batch are called in the file, and how its values are written."""

from __future__ import annotations

import numpy as np

from unrolled.nets import Net
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.series import Column, Series


def columns_of(preprocessor: Preprocessor, net: Net) -> dict[str, tuple[str, ...]]:
    """Names of the columns of x, static and known; a value and the mark that it is missing have one name."""
    layout, inputs = preprocessor.layout, net.inputs
    x = inputs.names or _numbered(tuple(column.name for column in layout.numbers), layout.codes, net.x.columns)
    static = tuple(column.name for column in (*layout.static_numbers, *layout.static_codes))
    known = _numbered(tuple(column.name for column in layout.known_numbers), layout.known_codes, net.known.columns)
    calendar = len(layout.calendar) and net.known.columns
    if calendar:
        numbers = tuple(column.name for column in layout.known_numbers)
        known = (*numbers, *layout.calendar, *(column.name for column in layout.known_codes))
    return {"x": x, "static": static, "known": known}


def _numbered(numbers: tuple[str, ...], codes: tuple[Column, ...], columns: int) -> tuple[str, ...]:
    """Names of early bundles, which do not say what was made of time: that is counted."""
    made = columns - len(numbers) - len(codes)
    return (*numbers, *(f"input {len(numbers) + at + 1}" for at in range(made)), *(column.name for column in codes))


def stamp(series: Series, row: int) -> str:
    """Time of a row of the buffer; its number in its sequence, from 1, where the data has no time."""
    if series.time is None:
        sequence = int(np.searchsorted(series.starts, row, side="right")) - 1
        return str(row - int(series.starts[sequence]) + 1)
    value = series.time[row]
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]"))
    return f"{value:g}"


def shown(column: Column, value: float) -> str:
    """A value as the file has it; "" where it is missing."""
    if not np.isfinite(value):
        return ""
    if column.kind == "number":
        return f"{value:.5g}"
    code = int(value)
    return column.categories[code] if 0 <= code < len(column.categories) else "?"
