"""CSV and its relatives: comma, semicolon, tab, bar or blanks between the cells.

With polars installed a large regular file is split and its plain numbers are read by polars; anything else, and
every file in the base install, by the standard library. The result is the same.

Letters: N rows.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from unrolled.core.errors import DataError, MissingExtraError
from unrolled.core.optional import require
from unrolled.core.records import Note
from unrolled.prepare.encoding import Encoding, detect
from unrolled.prepare.readers import dialect
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.columns import text_column
from unrolled.prepare.readers.content import load
from unrolled.prepare.readers.dialect import BLANKS, Dialect
from unrolled.prepare.readers.options import ReadOptions, select
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Array, Table

if TYPE_CHECKING:
    import polars as pl

_LARGE = 4 << 20  # smaller files are read before polars is imported
_SAMPLE = 1 << 18
_BLOCK = 1 << 12
_SEPARATOR = "\x1e"  # a control character, which no text file holds


class _Split(Protocol):
    """A text table cut into cells; each column can be taken once, and leaves memory then."""

    first: list[str]  # the first row, which may hold the names
    rows: int

    def take(self, position: int, name: str, cells: Cells) -> Array:
        """``(N,)`` values of a column."""


def claims(path: Path, head: bytes) -> bool:
    """Any text may be a table."""
    return True


def read(path: Path, options: ReadOptions) -> Table:
    """Read a text table.

    Raises:
        DataError: the file is empty or holds no rows, is not text, its rows differ in length, two columns share a
            name, its delimiter cannot be found, or a cell does not fit its column.
    """
    data = load(path, options.limit)
    encoding = detect(data, path.name, options.encoding)
    layout = dialect.sniff(_sample(data, encoding), options, path.name)
    split = _by_polars(data, encoding, layout) or _Lines(data, encoding, layout, path.name)
    names, notes = _names(split.first, layout, path.name)
    if not split.rows:
        raise DataError("the file has a header but no rows", where=path.name)
    cells = Cells(path.name, options, _first_row(layout), layout.decimal, layout.proven)
    chosen = select(names, options, path.name)
    columns = {name: split.take(names.index(name), name, cells) for name in chosen}
    if len(names) == 1 and names[0] not in options.categorical:
        _suspect_delimiter(names[0], columns[names[0]], path.name)
    return Table(columns, path.name, first_row=cells.first_row, notes=(encoding.note(), *notes, *cells.notes()))


def _first_row(layout: Dialect) -> int:
    return layout.blank + 1 + layout.header


def _sample(data: bytes, encoding: Encoding) -> str:
    """Whole lines from the start of the file."""
    text = data[encoding.mark : encoding.mark + _SAMPLE].decode(encoding.codec, errors="ignore")
    whole = len(data) <= encoding.mark + _SAMPLE
    return text if whole else text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text


def _names(first: list[str], layout: Dialect, where: str) -> tuple[list[str], list[Note]]:
    """Column names and what there is to say about the layout."""
    notes = []
    if layout.delimiter not in (",", None):
        mark = {"\t": "TAB", BLANKS: "blanks"}.get(layout.delimiter, repr(layout.delimiter))
        notes.append(say("delimiter", mark=mark))
    given = [cell.strip() for cell in first] if layout.header else [""] * len(first)
    names = [name or f"col_{position}" for position, name in enumerate(given)]
    unnamed = [name for name, own in zip(names, given, strict=True) if not own]
    if unnamed:
        notes.append(say("unnamed_columns" if layout.header else "no_header", columns=unnamed))
    double = [name for name, count in Counter(names).items() if count > 1]
    if double:
        raise DataError(
            f"several columns are called {', '.join(map(repr, double[:5]))}",
            where=where,
            mend="give every column a name of its own",
        )
    return names, notes


def _suspect_delimiter(name: str, column: Array, where: str) -> None:
    """Refuse a single column of text: another delimiter would have cut it."""
    marks = [mark for mark in dialect.DELIMITERS if mark in name.strip()]
    if column.dtype == object or (marks and marks != [BLANKS]):
        raise DataError(
            f"only one column was found, {name!r}",
            where=where,
            mend="say what separates the cells (option delimiter), or that it is text (option categorical)",
        )


class _Lines:
    """Cut by the standard library; kept a block of rows at a time, so that memory is about the size of the file."""

    def __init__(self, data: bytes, encoding: Encoding, layout: Dialect, where: str) -> None:
        lines = io.TextIOWrapper(io.BytesIO(data), encoding=encoding.codec, newline="")
        if encoding.mark:
            lines.read(1)
        rows = dialect.rows(lines, layout.delimiter, where)
        self.first = next(rows)
        self.rows = 0
        self._columns: list[list[str]] = [[] for _ in self.first]
        for block in _blocks(_checked(rows, self.first, layout, where)):
            self.rows += len(block)
            for kept, cells in zip(self._columns, zip(*block, strict=True), strict=True):
                kept.append(_SEPARATOR.join(cells))

    def take(self, position: int, name: str, cells: Cells) -> Array:
        """``(N,)`` values of a column."""
        text = _SEPARATOR.join(self._columns[position])
        self._columns[position].clear()
        return cells.column(name, text.split(_SEPARATOR))


def _checked(rows: Iterator[list[str]], first: list[str], layout: Dialect, where: str) -> Iterator[list[str]]:
    """Rows as long as the first one, which is passed on too unless it holds the names."""
    width = len(first)
    if not layout.header:
        yield first
    for number, row in enumerate(rows, start=_first_row(layout) + (not layout.header)):
        if len(row) > width and not any(cell.strip() for cell in row[width:]):
            row = row[:width]
        if len(row) != width:
            raise DataError(
                f"this row has {len(row)} cells, the first row has {width}",
                where=f"{where}, row {number}",
                mend="correct the row; a cell that holds the delimiter must stand in quotation marks",
            )
        yield row


def _blocks(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    block: list[list[str]] = []
    for row in rows:
        block.append(row)
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block


class _Frame:
    """Cut by polars."""

    def __init__(self, first: list[str], frame: pl.DataFrame) -> None:
        self.first, self._frame = first, frame
        self.rows, self._names = frame.height, frame.columns

    def take(self, position: int, name: str, cells: Cells) -> Array:
        """``(N,)`` values of a column."""
        series = self._frame.get_column(self._names[position])
        self._frame = self._frame.drop(self._names[position])
        return text_column(series, name, cells)


def _by_polars(data: bytes, encoding: Encoding, layout: Dialect) -> _Frame | None:
    """The table cut by polars, or None where it is small, irregular, or polars is not there.

    Polars fills short rows up and reads quotation marks more freely than the rule here; a file without quotation
    marks and blank lines whose delimiters add up to rows of equal length leaves it no such choice.
    """
    text = data[encoding.mark :]
    delimiter = layout.delimiter
    if len(text) < _LARGE or encoding.codec != "utf-8" or layout.blank:
        return None
    if delimiter is None or delimiter == BLANKS or not delimiter.isascii():
        return None
    end = text.find(b"\n") + 1
    first = text[:end].decode().strip("\r\n").split(delimiter)
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    regular = (
        b'"' not in text
        and text.count(b"\r") == text.count(b"\r\n")
        and not (b"\n\n" in text or b"\n\r\n" in text)
        and len(first) > 1
        and text.count(delimiter.encode()) == (len(first) - 1) * lines
    )
    if not regular:
        return None
    try:
        polars = require("polars", extra="train", purpose="reading a large text file fast")
    except MissingExtraError:
        return None
    try:
        frame = polars.read_csv(
            text,
            has_header=False,
            skip_rows=int(layout.header),
            separator=delimiter,
            infer_schema=False,
            quote_char=None,
        )
    except polars.exceptions.PolarsError:
        return None  # a row is too long: the other way finds it and says which
    return _Frame(first, frame) if frame.width == len(first) else None
