"""A file against the schema of a model: what the model needs must be there, in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.roles import unknown_column
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column
from unrolled.prepare.table import Table
from unrolled.prepare.wording import listed, say


def check(schema: Schema, table: Table) -> tuple[Note, ...]:
    """Compare a table with a schema; the order of columns does not matter.

    Returns:
        notes on columns that are extra, or absent without harm (a target that is no input).

    Raises:
        DataError: an input is missing or of another kind than the one learnt.
    """
    present = {**table.columns, **table.case_columns}
    names = [schema.time, *(column.name for column in schema.of_role("feature", "known", "static"))]
    targets = (schema.several,) if schema.several else tuple(column.name for column in schema.of_role("target"))
    if schema.forecast or schema.session:
        names += targets
    absent = [name for name in names if name is not None and name not in present]
    if absent:
        raise DataError(
            f"the model needs {listed(absent)}, which this file does not have",
            where=table.source,
            mend=unknown_column(absent[0], present, where=table.source).mend,
        )
    for column in schema.columns:
        if column.role != "ignore" and column.name in present:
            _refuse_other_kind(column, table, present[column.name])
    notes = []
    without = [name for name in targets if name not in present]
    if without:
        notes.append(say("no_target_column", columns=without))
    if schema.group is not None and schema.group not in present and table.starts is None:
        notes.append(say("no_group_column", column=schema.group))
    known = {column.name for column in schema.columns} | {schema.time, schema.group, schema.several}
    extra = [name for name in present if name not in known]
    return (*notes, *([say("extra_columns", columns=extra)] if extra else []))


def _refuse_other_kind(column: Column, table: Table, cells: npt.NDArray[Any]) -> None:
    """Numbers must be numbers again, a value a row one a row; categories may be written as numbers."""
    where = f"{table.source}, column {column.name!r}"
    if column.level == "row" and column.name in table.case_columns:
        raise DataError("the model learnt one value a row, this file has one a sequence", where=where)
    if column.kind != "number":
        return
    if np.issubdtype(cells.dtype, np.datetime64):
        raise DataError("the model learnt numbers, this column has time stamps", where=where)
    if cells.dtype == object:
        row = next((row for row, cell in enumerate(cells) if cell is not None), None)
        if row is not None:
            raise DataError(
                f"the model learnt numbers, this is text ({cells[row]!r})",
                where=table.place(row, column.name) if column.name in table.columns else where,
                mend="correct the column; an empty cell counts as missing",
            )
