"""JSON lines: one flat object a line, its keys the columns."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from unrolled.core.errors import DataError
from unrolled.prepare.encoding import detect
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.content import load
from unrolled.prepare.readers.options import ReadOptions, select
from unrolled.prepare.table import Table


def claims(path: Path, head: bytes) -> bool:
    """Whether the text begins with an object."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def read(path: Path, options: ReadOptions) -> Table:
    """Read JSON lines; a key that a line lacks is a missing value, values follow the rules of text cells.

    Raises:
        DataError: a line is not a flat JSON object, there is no line, or a value does not fit its column.
    """
    data = load(path, options.limit)
    encoding = detect(data, path.name, options.encoding)
    columns: dict[str, list[str]] = {}
    rows = 0
    for number, line in enumerate(io.BytesIO(data[encoding.mark :].decode(encoding.codec).encode()), start=1):
        if not line.strip():
            continue
        for key, value in _object(line, f"{path.name}, row {number}").items():
            cells = columns.setdefault(key, [])
            cells.extend([""] * (rows - len(cells)))
            cells.append(value)
        rows += 1
    if not columns:
        raise DataError("the file has no rows", where=path.name)
    reader = Cells(path.name, options, first_row=1)
    chosen = select(columns, options, path.name)
    values = {name: reader.column(name, columns[name] + [""] * (rows - len(columns[name]))) for name in chosen}
    return Table(values, path.name, first_row=1, notes=(encoding.note(), *reader.notes()))


def _object(line: bytes, place: str) -> dict[str, str]:
    """Keys and values of a line, values as they are written."""
    try:
        # Numbers stay as written: reading them is the business of the cells.
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"this line is not JSON ({error})", where=place, mend='write one object a line: {"time": ..., "value": ...}'
        ) from error
    if not isinstance(found, dict):
        raise DataError("this line is not a JSON object", where=place, mend='write {"name": value, ...}')
    return {key: _text(value, key, place) for key, value in found.items()}


def _text(value: Any, key: str, place: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    raise DataError(
        f"the value of {key!r} is a list or an object", where=place, mend="give every number a key of its own"
    )
