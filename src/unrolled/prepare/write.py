"""A table as text: CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.core.errors import ConfigError
from unrolled.prepare.table import Array, Table


def writer_of(path: Path | str) -> Callable[[Table], str]:
    """What makes the text of a file of that name.

    Raises:
        ConfigError: the suffix is neither ``.csv`` nor ``.jsonl``.
    """
    suffix = Path(path).suffix.lower()
    texts = {".csv": to_csv, ".jsonl": to_json_lines}
    if suffix not in texts:
        what = f"{suffix!r} files are not written" if suffix else "the name has no suffix"
        raise ConfigError(what, where=str(path), mend="use .csv or .jsonl")
    return texts[suffix]


def to_csv(table: Table) -> str:
    """Header and rows; a missing value is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(_rows(table, ""))
    return text.getvalue()


def to_json_lines(table: Table) -> str:
    """One object a row; a missing value is null."""
    names = list(table.columns)
    lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in _rows(table, None))
    return "".join(line + "\n" for line in lines)


def _rows(table: Table, blank: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(_cells(column, blank) for column in table.columns.values()), strict=True)


def _cells(column: Array, blank: Any) -> list[Any]:
    if np.issubdtype(column.dtype, np.datetime64):
        return [blank if np.isnat(stamp) else _iso(stamp) for stamp in column]
    if np.issubdtype(column.dtype, np.floating):
        kind = int if _counts(column) else float
        # Nine digits give every float32 back, and hide the noise of its conversion.
        return [kind(float(f"{number:.9g}")) if np.isfinite(number) else blank for number in column.tolist()]
    return [blank if cell is None else cell for cell in column.tolist()]


def _counts(column: Array) -> bool:
    """Nothing but whole numbers, which are written without a point."""
    return bool((column == np.round(column)).all() and (np.abs(column) < 1e9).all())


def _iso(stamp: np.datetime64) -> str:
    """``2024-01-31T12:00:00``; parts below a second only where there are any."""
    text = str(stamp)
    return text.rstrip("0").rstrip(".") if "." in text else text
