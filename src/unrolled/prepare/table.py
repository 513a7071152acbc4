"""What every reader returns: named columns, before anyone has said what they mean.

Letters: N rows, S sequences (cases).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.records import Note

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Hints:
    """What the file format itself says about its columns; flags of the user go before hints.

    ``frame`` is ``(height, width)`` or ``(height, width, channels)`` where the columns of a row are a picture.
    """

    target: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None
    static: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    task: str | None = None
    frame: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """Columns of one file or frame.

    Attributes:
        columns: name -> ``(N,)`` array. Numbers are float64 (NaN = missing) or, when ``block`` is given, views
            of it; time stamps are datetime64[ns] (NaT = missing); anything else is an object array of ``str | None``.
        source: the file name shown in messages.
        starts: ``(S + 1,)`` int64, the first row of each sequence and N at the end, when the format itself
            says where sequences begin; otherwise None.
        case_columns: name -> ``(S,)`` array, one value a sequence (labels, static features); only with ``starts``.
        case_ids: ``(S,)`` names of the sequences; only with ``starts``.
        first_row: number, in the file, of the row at index 0, so that messages can name the row (2 for a CSV
            file with a header).
        block: the ``(N, C)`` float32 memory map behind the columns when the file was too large for memory.
        options: of the reader, as found in this file, under which later files must be read to mean the same.
        notes: facts for the user (encoding, delimiter, decimal comma, ...).
    """

    columns: dict[str, Array]
    source: str
    starts: npt.NDArray[np.int64] | None = None
    case_columns: dict[str, Array] = field(default_factory=dict)
    case_ids: tuple[str, ...] | None = None
    first_row: int = 0
    block: npt.NDArray[np.float32] | None = None
    hints: Hints = Hints()
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows N."""
        return next((len(column) for column in self.columns.values()), 0)

    def place(self, row: int, column: str) -> str:
        """How messages name a cell: ``prices.csv, row 17, column 'Close'``."""
        return f"{self.source}, row {self.first_row + row}, column {column!r}"
