"""From a table and its schema to series.

Letters: N rows, C row columns, S sequences, K case columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.check import check
from unrolled.prepare.labels import encode, split_labels
from unrolled.prepare.order import Order, arrange
from unrolled.prepare.pages import pieces
from unrolled.prepare.refuse import refuse_change, refuse_holes, refuse_infinite
from unrolled.prepare.regularity import rhythm_of
from unrolled.prepare.resample import resample
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.prepare.survey import block_columns
from unrolled.prepare.table import Table
from unrolled.prepare.wording import listed, say


def build(table: Table, schema: Schema) -> Series:
    """Read ``table`` as ``schema`` says; a target that is absent is unknown truth (in a forecast: an error).

    A category that the schema does not know gets a code after the known ones, and ``Series.columns`` names it.
    A block in a memory map is handed on without a copy.

    Raises:
        DataError: a column is missing or of another kind, a value is infinite (or missing, where the policy is
            "error"), time stamps are missing or repeated, a static column changes inside a sequence.
    """
    notes = check(schema, table)
    repeats = schema.resample is not None or schema.session
    order = arrange(table, time=schema.time, unit=schema.unit, group=schema.group, repeats=repeats)
    reader = _Reader(table, schema, order)
    rows, values = reader.rows() if table.block is None else reader.block(table.block)
    cases, case_values = reader.cases()
    time, starts = order.time, order.starts
    if schema.missing == "error":
        refuse_holes(table, rows, values, starts, forecast=schema.forecast, places=order)
    notes_made: list[Note] = []
    if schema.resample is not None and schema.rhythm is not None and time is not None:
        before, codes = len(values), np.array([column.kind == "category" for column in rows], dtype=bool)
        step, how = schema.rhythm.step, schema.resample
        values, time, starts = resample(values, time, starts, step=step, how=how, codes=codes, source=table.source)
        empty = int(np.isnan(values).all(axis=1).sum())
        notes_made = [
            say("resampled", step=schema.rhythm, how=how, before=before, after=len(values), empty=empty),
        ]
        if schema.missing == "error":
            refuse_holes(table, rows, values, starts, forecast=schema.forecast, places=time)
    frequency, other = _frequency(schema, time, starts)
    columns = (*rows, *cases)
    return Series(
        values=values,
        cases=case_values,
        starts=starts,
        ids=order.ids,
        columns=columns,
        time=time,
        frequency=frequency,
        source=table.source,
        notes=(*table.notes, *notes, *order.notes, *notes_made, *other, *_unseen(schema, columns)),
    )


class _Reader:
    """A table's cells as its schema says, in the given order."""

    def __init__(self, table: Table, schema: Schema, order: Order) -> None:
        self.table, self.schema, self.order = table, schema, order
        several = schema.several
        self.labels = split_labels(self._cells(several)) if several and self._has(several) else None

    def rows(self) -> tuple[list[Column], npt.NDArray[np.float32]]:
        """Row-level columns in use, and their ``(N, C)`` values."""
        columns = [c for c in self.schema.columns if c.level == "row" and c.role != "ignore"]
        values = np.empty((self.table.rows, len(columns)), dtype=np.float32)
        used = []
        for at, column in enumerate(columns):
            cells, described = self._coded(column, self.table.rows)
            values[:, at] = self.order.take(cells)
            used.append(described)
        return used, values

    def block(self, block: npt.NDArray[np.float32]) -> tuple[list[Column], npt.NDArray[np.float32]]:
        """All columns of a memory-mapped block, those without use as "ignore", and the block itself."""
        table, schema = self.table, self.schema
        if schema.resample is not None:
            raise DataError(
                "the file is too large to be resampled in memory", where=table.source, mend="leave --resample out"
            )
        places = block_columns(table)
        wanted = {c.name: c for c in schema.columns if c.level == "row" and c.role != "ignore"}
        outside = [c.name for c in wanted.values() if c.kind == "category" or c.name not in places]
        if outside:
            raise DataError(
                f"the file is too large for memory, and {listed(outside)} would have to be",
                where=table.source,
                mend="leave these columns out with --ignore, or write them as numbers and use them as such",
            )
        columns = [Column(name=f"column {at}", role="ignore") for at in range(block.shape[1])]
        for name, at in places.items():
            columns[at] = wanted.get(name, Column(name=name, role="ignore"))
        used = [at for at, column in enumerate(columns) if column.role != "ignore"]
        for begin, chunk in pieces(block):
            for at in used:
                refuse_infinite(table, columns[at].name, chunk[:, at], begin)
        return columns, block

    def cases(self) -> tuple[list[Column], npt.NDArray[np.float32]]:
        """Case-level columns in use, and their ``(S, K)`` values."""
        columns = [c for c in self.schema.columns if c.level == "case" and c.role != "ignore"]
        starts = self.order.starts
        values = np.empty((len(starts) - 1, len(columns)), dtype=np.float32)
        used = []
        for at, column in enumerate(columns):
            name = self._source(column)
            from_rows = name in self.table.columns
            cells, described = self._coded(column, self.table.rows if from_rows else len(values))
            if from_rows:
                cells = self.order.take(cells)
                refuse_change(self.table, name, cells, self.order)
                cells = cells[starts[:-1]]
            values[:, at] = cells
            used.append(described)
        return used, values

    def _has(self, name: str) -> bool:
        return name in self.table.columns or name in self.table.case_columns

    def _cells(self, name: str) -> npt.NDArray[Any]:
        case = self.table.case_columns.get(name)
        return self.table.columns[name] if case is None else case

    def _source(self, column: Column) -> str:
        """The column of the file behind a column of the schema."""
        several = self.schema.several
        return several if several is not None and column.role == "target" else column.name

    def _coded(self, column: Column, rows: int) -> tuple[npt.NDArray[Any], Column]:
        """Numbers or codes of a column in the file's order, NaN where the file lacks it, and what they mean."""
        name = self._source(column)
        if not self._has(name):
            return np.full(rows, np.nan, dtype=np.float32), column
        if self.labels is not None and column.role == "target":
            return self._held(column, *self.labels)
        cells = self._cells(name)
        if column.kind != "number":
            codes, labels = encode(cells, column.categories)
            return codes, column.model_copy(update={"categories": labels})
        if cells.dtype == object:  # no cell has a value: ``check`` refuses text
            return np.full(rows, np.nan, dtype=np.float32), column
        refuse_infinite(self.table, name, cells)
        return cells, column

    def _held(
        self, column: Column, rows: list[frozenset[str] | None], labels: tuple[str, ...]
    ) -> tuple[npt.NDArray[np.float32], Column]:
        """Whether each row holds the label of ``column``; a label nobody knows gets a code that tells its name."""
        prefix = f"{self.schema.several}="
        own = column.name.removeprefix(prefix)
        known = {target.name.removeprefix(prefix) for target in self.schema.of_role("target")}
        fresh = tuple(label for label in labels if label not in known)
        codes = [np.nan if row is None else float(own in row) for row in rows]
        for at, row in enumerate(rows):
            strange = [code for code, label in enumerate(fresh, start=2) if row is not None and label in row]
            codes[at] = strange[0] if strange else codes[at]
        return np.array(codes, dtype=np.float32), column.model_copy(update={"categories": (*column.categories, *fresh)})


def _frequency(schema: Schema, time: Any, starts: npt.NDArray[np.int64]) -> tuple[float | None, list[Note]]:
    """Step of this file, and a note where the model was trained on another."""
    if time is None:
        return None, []
    rhythm = rhythm_of(time, starts)
    if rhythm is None:
        return schema.frequency, []
    other = schema.rhythm is not None and abs(rhythm.step / schema.rhythm.step - 1) > 0.1
    notes = [say("other_step", trained=schema.rhythm, step=rhythm)] if other else []
    return (rhythm.step if rhythm.regular else None), notes


def _unseen(schema: Schema, columns: tuple[Column, ...]) -> list[Note]:
    """Categories of inputs that the schema does not know."""
    own = {column.name: column.categories for column in schema.columns}
    return [
        say("unseen_categories", column=column.name, columns=column.categories[len(own[column.name]) :])
        for column in columns
        if column.kind == "category" and column.role != "target" and column.categories != own[column.name]
    ]
