"""Tables in which every row is a series of its own, as in the M4 files: one cell a step, empty cells at the end.

Letters: S series, L steps of the longest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.core.errors import DataError
from unrolled.prepare.labels import name_of
from unrolled.prepare.roles import unknown_column
from unrolled.prepare.table import Hints, Table
from unrolled.prepare.wording import listed, say

VALUE = "value"
"""Name of the column that the series make."""


def rows_as_series(table: Table, *, name: str | None = None, labels: Sequence[str] = ()) -> Table:
    """Turn a table with a series a row into one with a step a row.

    Args:
        table: S rows; its numeric columns are the steps, in the order of the file.
        name: the column that names the series; by default the first one, where it holds texts that all differ.
        labels: columns with one value a series.

    Returns:
        a table with the column "value" and the sequences' starts; empty cells behind the last value are no steps.

    Raises:
        ConfigError: there is no such column.
        DataError: a step is text, or a row holds no value.
    """
    for asked in (*labels, *(() if name is None else (name,))):
        if asked not in table.columns:
            raise unknown_column(asked, table.columns, where=table.source)
    if name is None:
        first = next(iter(table.columns), None)
        texts = table.columns[first] if first is not None else None
        distinct = texts is not None and texts.dtype == object and len(set(texts)) == len(texts)
        name = first if distinct else None
    steps = [column for column in table.columns if column != name and column not in labels]
    text = [column for column in steps if table.columns[column].dtype.kind != "f"]
    if text or not steps:
        what = f"{listed(text)} hold no numbers" if text else "no column is left to be a step"
        raise DataError(f"{what}, so that rows cannot be series", where=table.source, mend="name labels as such")
    cells = np.stack([table.columns[column] for column in steps], axis=1)  # (S, L)
    known = ~np.isnan(cells)
    lengths = np.where(known.any(axis=1), len(steps) - np.argmax(known[:, ::-1], axis=1), 0)
    if not lengths.all():
        row = int(np.argmin(lengths))
        raise DataError("the row holds no value", where=f"{table.source}, row {table.first_row + row}")
    ids = None if name is None else tuple(name_of(one) for one in table.columns[name])
    count = len(cells)
    note = say("unnamed_rows_as_series", count=count)
    if name is not None:
        note = say("rows_as_series", count=count, column=name)
    return Table(
        columns={VALUE: cells[np.arange(len(steps)) < lengths[:, None]]},
        source=table.source,
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        case_columns={label: table.columns[label] for label in labels},
        case_ids=ids,
        hints=Hints(target=tuple(labels) or (VALUE,)),
        notes=(*table.notes, note),
    )
