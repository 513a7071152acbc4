"""The one record behind all data: sequences of rows in one buffer, with typed columns.

Letters: N rows, C row columns, S sequences, K columns with one value a sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from unrolled.core.records import Note, Record

Role = Literal["target", "feature", "known", "static", "ignore"]
"""target: predicted (and, in forecasting, also an input); feature: input up to now; known: input known in advance,
over the horizon too; static: one value a sequence; ignore: not used."""

Level = Literal["row", "case"]
"""row: one value a time step, in ``Series.values``; case: one value a sequence, in ``Series.cases``."""

Kind = Literal["number", "category", "characters", "words"]
"""characters, words: a target that is a string of labels, one a character or a word."""


class Column(Record):
    """A column's name and meaning."""

    name: str
    role: Role = "feature"
    kind: Kind = "number"
    level: Level = "row"
    categories: tuple[str, ...] = ()  # of the training part; a category's code is its index, unknown = len(categories)

    @property
    def spelling(self) -> Literal["characters", "words"] | None:
        """How a string of labels is cut; None where it holds none."""
        return self.kind if self.kind in ("characters", "words") else None


@dataclass(frozen=True)
class Series:
    """Sequences, rows of all of them one after another; rows of a sequence are in time order.

    Attributes:
        values: ``(N, C)`` float32, the row-level columns in the order of ``row_columns``; categories as codes,
            missing as NaN. May be a memory map.
        cases: ``(S, K)`` float32, the case-level columns in the order of ``case_columns``.
        starts: ``(S + 1,)`` int64; sequence s is ``values[starts[s]:starts[s + 1]]``.
        ids: ``(S,)`` names.
        columns: all columns, row-level and case-level.
        time: ``(N,)`` datetime64[ns], or float64 for a plain numeric time, or None where rows are just counted.
        frequency: seconds between rows where time is regular, else None.
        source: the file name shown in messages.
        notes: facts and warnings found while building.
    """

    values: npt.NDArray[np.float32]
    cases: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    ids: tuple[str, ...]
    columns: tuple[Column, ...]
    time: npt.NDArray[np.datetime64] | npt.NDArray[np.float64] | None = None
    frequency: float | None = None
    source: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def row_columns(self) -> tuple[Column, ...]:
        """Columns of ``values``, in order."""
        return tuple(column for column in self.columns if column.level == "row")

    @property
    def case_columns(self) -> tuple[Column, ...]:
        """Columns of ``cases``, in order."""
        return tuple(column for column in self.columns if column.level == "case")

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """``(S,)`` steps of each sequence."""
        return np.diff(self.starts)

    def of_role(self, *roles: Role) -> tuple[Column, ...]:
        """Columns that have one of the roles, in order."""
        return tuple(column for column in self.columns if column.role in roles)

    def index(self, column: Column) -> int:
        """Position of a column in ``values`` (row level) or ``cases`` (case level)."""
        siblings = self.row_columns if column.level == "row" else self.case_columns
        return [sibling.name for sibling in siblings].index(column.name)
