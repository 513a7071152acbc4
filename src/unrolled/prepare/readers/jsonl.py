"""JSON lines: one flat object a line, its keys the columns."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from unrolled.core.errors import DataError
from unrolled.prepare.encoding import detect
from unrolled.prepare.readers import records
from unrolled.prepare.readers.content import load
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.table import Table


class _Number(str):
    """As it is written; a list of such is no list of texts."""


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
    lines = enumerate(io.BytesIO(data[encoding.mark :].decode(encoding.codec).encode()), start=1)
    rows = ((number, parse(line, f"{path.name}, row {number}")) for number, line in lines if line.strip())
    return records.read(rows, options, path.name, (encoding.note(),))


def parse(line: bytes | str, place: str) -> dict[str, Any]:
    """Keys and values of a line, numbers as they are written.

    Raises:
        DataError: the line is not a JSON object.
    """
    try:
        # Numbers stay as written: reading them is the business of the cells.
        found = json.loads(line, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"this line is not JSON ({error})", where=place, mend='write one object a line: {"time": ..., "value": ...}'
        ) from error
    if not isinstance(found, dict):
        raise DataError("this line is not a JSON object", where=place, mend='write {"name": value, ...}')
    return found
