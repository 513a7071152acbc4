"""From the cells of a text column to values: one rule for every source that holds text.

Letters: N rows, n distinct cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.readers import numbers, times
from unrolled.prepare.readers.numbers import Mark, Numbers
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.times import Times
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Array

_PROBE = 1000  # so many different texts at the start, and no value among them, are a column of text
_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class _Uses:
    """Where distinct cells stand: ``codes`` ``(N,)`` of all rows, ``kept`` ``(n,)`` the codes that matter."""

    codes: npt.NDArray[np.signedinteger[Any]]
    kept: npt.NDArray[np.int64]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """``(n,)`` rows of each cell."""
        return np.bincount(self.codes, minlength=int(self.kept.max(initial=-1)) + 1)[self.kept]

    def first_row(self, cell: int) -> int:
        """The first row of a cell."""
        return int(np.argmax(self.codes == self.kept[cell]))


@dataclass
class Cells:
    """Reads the text columns of one source and remembers what there is to say about them.

    A column is numbers or time stamps where every cell that is not missing is one; true and false are 1 and 0;
    everything else is text. A column that is mostly numbers (or time stamps) must be so everywhere.

    Attributes:
        source: name of the file, for messages.
        options: what the user says about text; goes before what the source shows.
        first_row: number, in the file, of the first row.
        decimal: the decimal mark to assume.
        proven: whether the source leaves no doubt of that.
    """

    source: str
    options: ReadOptions
    first_row: int = 0
    decimal: Mark = "."
    proven: bool = False
    _found: dict[tuple[str, str], tuple[dict[str, str], list[str]]] = field(default_factory=dict)

    @property
    def mark(self) -> Mark:
        """The decimal mark."""
        return self.options.decimal or self.decimal

    def column(self, name: str, cells: Sequence[str]) -> Array:
        """``(N,)`` cells as float64, datetime64[ns] or objects (``str | None``).

        Raises:
            DataError: a few cells do not fit what the others are.
        """
        if name not in self.options.categorical:
            plain = numbers.plain(cells, self.mark)
            if plain is not None:
                return plain
        seen: dict[str, int] = {}
        codes = np.fromiter((seen.setdefault(cell, len(seen)) for cell in cells), np.int64, len(cells))
        return self.coded(name, codes, list(seen))

    def coded(self, name: str, codes: npt.NDArray[np.signedinteger[Any]], distinct: Sequence[str]) -> Array:
        """The same for ``(N,)`` codes into ``(n,)`` distinct cells, in order of first appearance."""
        stripped = [cell.strip() for cell in distinct]
        present = np.array([not numbers.is_missing(cell) for cell in stripped], dtype=bool)
        cells = [cell for cell, there in zip(stripped, present, strict=True) if there]
        uses = _Uses(codes, np.flatnonzero(present))
        values = _text(cells) if name in self.options.categorical else self._values(name, cells, uses)
        missing: Any = {"f": np.nan, "M": np.datetime64("NaT"), "O": None}[values.dtype.kind]
        table = np.full(len(distinct), missing, dtype=values.dtype)
        table[present] = values
        column: Array = table[codes]
        return column

    def _values(self, name: str, cells: list[str], uses: _Uses) -> Array:
        """``(n,)`` values of distinct cells, none of them missing."""
        if len(cells) > _PROBE and not any(numbers.is_number(cell) or times.is_time(cell) for cell in cells[:_PROBE]):
            return _text(cells)
        time = times.parse(cells, self.options.day_first) if cells and times.is_time(cells[0]) else None
        if time is not None and time.good.all():
            self._tell_time(name, cells, time)
            return time.values
        number = numbers.parse(cells, self.mark)
        if number.good.all():
            self._tell_style(name, cells, number)
            return number.values
        if all(cell.lower() in _TRUTH for cell in cells):
            self.tell("true_false", name)
            return np.array([_TRUTH[cell.lower()] for cell in cells])
        time = time or times.parse(cells, self.options.day_first)
        for good, kind in ((number.good, "a number"), (time.good, "a time stamp")):
            if 2 * uses.counts[good].sum() > uses.counts.sum():
                bad = int(np.argmin(good))
                raise self._misfit(name, uses.first_row(bad), cells[bad], kind)
        return _text(cells)

    def _misfit(self, name: str, row: int, cell: str, kind: str) -> DataError:
        shown = cell if len(cell) <= 40 else cell[:37] + "..."
        return DataError(
            f"{shown!r} is not {kind}, but most cells of this column are",
            where=f"{self.source}, row {self.first_row + row}, column {name!r}",
            mend="correct the cell, empty it if the value is missing, or read the column as text (option categorical)",
        )

    def _tell_style(self, name: str, cells: list[str], number: Numbers) -> None:
        if number.style is None:
            return
        sure = self.proven or self.options.decimal is not None
        unsure = None if sure else numbers.other_reading(cells, number)
        cell = unsure or number.example
        code = "number_ambiguous" if unsure else "number_style"
        self.tell(code, name, cell=cell, value=repr(float(number.values[cells.index(cell)])))

    def _tell_time(self, name: str, cells: list[str], time: Times) -> None:
        if time.zoned:
            self.tell("time_zone", name)
        if time.day_first is None:
            return
        order, order_zh = ("day", "日") if time.day_first else ("month", "月")
        code = "date_order_ambiguous" if time.ambiguous else "date_order"
        day = str(time.values[0].astype("datetime64[D]"))
        self.tell(code, name, order=order, order_zh=order_zh, cell=cells[0].split()[0], value=day)

    def tell(self, code: str, name: str, **facts: str) -> None:
        """Remember a fact about a column; columns of which the same is true share one note."""
        self._found.setdefault((code, facts.get("order", "")), (facts, []))[1].append(name)

    def notes(self) -> tuple[Note, ...]:
        """What the user should know about how the cells were read."""
        return tuple(say(code, columns=names, **facts) for (code, _), (facts, names) in self._found.items())


def _text(cells: Sequence[str]) -> Array:
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    return values
