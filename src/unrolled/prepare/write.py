"""A table as a file: CSV or JSON lines, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.core.errors import ConfigError
from unrolled.core.files import write_text
from unrolled.prepare.table import Array, Table


def write(table: Table, path: Path | str) -> None:
    """Write the row columns to a file named ``.csv`` or ``.jsonl``.

    Raises:
        ConfigError: another suffix.
        UnrolledError: the file cannot be written.
    """
    path = Path(path)
    texts = {".csv": to_csv, ".jsonl": to_json_lines}
    if path.suffix.lower() not in texts:
        raise ConfigError(f"{path.suffix or 'no suffix'!r} is not written", where=str(path), mend="use .csv or .jsonl")
    write_text(path, texts[path.suffix.lower()](table))


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
        # Nine digits give every float32 back, and hide the noise of its conversion.
        return [blank if np.isnan(number) else float(f"{number:.9g}") for number in column.tolist()]
    return [blank if cell is None else cell for cell in column.tolist()]


def _iso(stamp: np.datetime64) -> str:
    """``2024-01-31T12:00:00``; parts below a second only where there are any."""
    text = str(stamp)
    return text.rstrip("0").rstrip(".") if "." in text else text
