"""How a text table is laid out: what separates its cells, whether the first row holds names, its decimal mark."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from unrolled.core.errors import DataError
from unrolled.prepare.readers import numbers, times
from unrolled.prepare.readers.numbers import Mark
from unrolled.prepare.readers.options import ReadOptions

BLANKS = " "
"""The delimiter that stands for any run of blanks."""

DELIMITERS = (",", ";", "\t", "|", BLANKS)
_ROWS = 100  # looked at to find the layout
_CELLS = 4000


@dataclass(frozen=True)
class Dialect:
    """The layout of a text table.

    Attributes:
        delimiter: between cells; None where each line is one cell.
        header: whether the first row holds the names.
        decimal: the decimal mark.
        proven: whether a cell shows that it can be no other.
        blank: blank lines before the first row.
    """

    delimiter: str | None
    header: bool
    decimal: Mark
    proven: bool
    blank: int = 0


def rows(lines: Iterable[str], delimiter: str | None, where: str, strict: bool = True) -> Iterator[list[str]]:
    """The rows of a text table, blank lines left out.

    Raises:
        DataError: a quotation mark is not closed (where ``strict``), or a cell never ends.
    """
    if delimiter is None:
        yield from ([line.strip("\r\n")] for line in lines if line.strip())
    elif delimiter == BLANKS:
        yield from (cells for line in lines if (cells := line.split()))
    else:
        reader = csv.reader(lines, delimiter=delimiter, strict=strict)
        try:
            yield from (row for row in reader if len(row) > 1 or (row and row[0].strip()))
        except csv.Error as error:
            raise DataError(
                f"the quotation marks do not match ({error})",
                where=f"{where}, line {reader.line_num}",
                mend='write every quoted cell as "..." and a quotation mark inside it as ""',
            ) from error


def sniff(sample: str, options: ReadOptions, where: str) -> Dialect:
    """Find the layout from the first lines; what the user says goes first.

    Raises:
        DataError: the file is empty.
    """
    lines = list(io.StringIO(sample, newline=""))
    blank = next((count for count, line in enumerate(lines) if line.strip()), len(lines))
    if blank == len(lines):
        raise DataError("the file is empty", where=where)
    delimiter = options.delimiter or _delimiter(lines, where)
    body = _first(lines, delimiter, where)
    if not body:
        raise DataError("the file is empty", where=where)
    header = options.header if options.header is not None else _has_header(body)
    cells = [cell.strip() for row in body[header:] for cell in row][:_CELLS]
    proof = numbers.decimal_mark(cells)
    return Dialect(delimiter, header, proof or _likely_mark(cells, delimiter), proof is not None, blank)


def _delimiter(lines: list[str], where: str) -> str | None:
    """The delimiter that makes most rows equally long and most cells values.

    A cell counts as a value where it is a number or a time, so that "1,5;2,5" is cut at the semicolon. Where one
    delimiter gives the first row as many cells as most rows, those that do not are out: in "question<TAB>answer", with
    texts of four words below, it is no blank.
    """
    misfits: set[str] = set()
    scores: dict[str | None, tuple[float, int]] = {None: (_value_share([[line.strip()] for line in lines]), 1)}
    for delimiter in DELIMITERS:
        found = _first(lines, delimiter, where)
        width, agreeing = max(Counter(map(len, found)).items(), key=lambda item: item[1], default=(0, 0))
        if width > 1:
            scores[delimiter] = (agreeing / len(found) * _value_share(found), width)
            misfits |= {delimiter} if len(found[0]) != width else set()
    if scores.keys() - misfits - {None}:
        scores = {delimiter: score for delimiter, score in scores.items() if delimiter not in misfits}
    best = max(score for score, _ in scores.values())
    near = [delimiter for delimiter, (score, _) in scores.items() if score >= best - 1e-9]
    return max(near, key=lambda delimiter: scores[delimiter][1])


def _value_share(found: list[list[str]]) -> float:
    """Share of cells that are values, never zero so that the length of rows still counts."""
    cells = [cell for row in found[1:] or found for cell in row][:_CELLS]
    return 0.1 + sum(map(_is_value, cells)) / max(len(cells), 1)


def _is_value(cell: str) -> bool:
    cell = cell.strip()
    return numbers.is_missing(cell) or numbers.is_number(cell) or times.is_time(cell)


def _first(lines: list[str], delimiter: str | None, where: str) -> list[list[str]]:
    return list(islice(rows(lines, delimiter, where, strict=False), _ROWS))


def _has_header(found: list[list[str]]) -> bool:
    """Whether the first row holds names: no value in it, or text over a column of values, or 0, 1, 2, ..., or years."""
    first, body = found[0], found[1:]
    if body and _counts(first):
        return True
    values = [_is_value(cell) for cell in first]
    if not any(value and cell.strip() for value, cell in zip(values, first, strict=True)):
        return True
    return any(
        not value and body and all(_is_value(row[column]) for row in body if column < len(row))
        for column, value in enumerate(values)
    )


def _counts(first: list[str]) -> bool:
    """Whether the cells are 0, 1, 2, ..., or some text and then years, one after another."""
    cells = [cell.strip() for cell in first if cell.strip()]
    whole = [int(cell) for cell in cells if cell.isascii() and cell.isdigit() and len(cell) < 9]
    running = len(whole) > 1 and whole == list(range(whole[0], whole[0] + len(whole)))
    texts = len(cells) - len(whole)
    return running and (whole[0] == texts == 0 or (texts > 0 and whole[0] >= 1900 and whole[-1] <= 2100))


def _likely_mark(cells: list[str], delimiter: str | None) -> Mark:
    """Who separates cells by semicolons needs the comma for something else: mostly as the decimal mark."""
    return "," if delimiter == ";" and any("," in cell and numbers.is_number(cell) for cell in cells) else "."
