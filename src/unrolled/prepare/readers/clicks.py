"""The click files of the RecSys Challenge 2015: ``session,time,item,category`` a line, without a header."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from unrolled.core.errors import DataError
from unrolled.prepare.readers import csv
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Hints, Table

NAMES = ("session", "time", "item", "category")
_LINE = re.compile(rb"\d+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z,\d+,\w+\s*")


def claims(path: Path, head: bytes) -> bool:
    """Whether the first lines are a session, a time stamp of the challenge's form, an item and a category."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:3]
    return all(_LINE.fullmatch(line) for line in lines if line.strip()) and bool(lines[0].strip())


def read(path: Path, options: ReadOptions) -> Table:
    """Read a file of clicks; items and categories are names, even where they look like numbers.

    Raises:
        DataError: a line has not four cells, or a cell does not fit its column.
    """
    given = [f"col_{at}" for at in range(len(NAMES))]
    plain = {"header": False, "delimiter": ",", "columns": None, "categorical": tuple(given[2:])}
    table = csv.read(path, options.model_copy(update=plain))
    if list(table.columns) != given:
        raise DataError(
            f"a line has {len(table.columns)} cells, a click has {len(NAMES)}: {', '.join(NAMES)}",
            where=path.name,
            mend="read another kind of table with the option format=csv",
        )
    return replace(
        table,
        columns=dict(zip(NAMES, table.columns.values(), strict=True)),
        hints=Hints(target=("item",), time="time", group="session", ignore=("category",), task="recommend"),
        notes=(*(note for note in table.notes if note.code not in ("no_header", "time_zone")), say("clicks_layout")),
    )
