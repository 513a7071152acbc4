"""Numbers as people write them: decimal points and commas, separated thousands, signs of currencies and per cent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError

Mark = Literal[".", ","]
Floats = npt.NDArray[np.float64]

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))
"""Cells that stand for a missing value, in lower case."""

_LONGEST = max(map(len, MISSING))
_BLANKS = " \u00a0\u202f"
_SIGNS = "%$€£¥￥元"
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Style:
    """A way to write numbers: the decimal mark, and what may stand between groups of three digits."""

    decimal: Mark
    groups: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches every number written so, with or without groups."""
        mark = re.escape(self.decimal)
        grouped = rf"[0-9]{{1,3}}(?:([{self.groups}])[0-9]{{3}})(?:\1[0-9]{{3}})*(?:{mark}[0-9]*)?"
        plain = rf"(?:[0-9]+{mark}?[0-9]*|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        return re.compile(rf"[+-]?(?:{grouped}|{plain})")

    def number(self, match: re.Match[str]) -> float:
        """The value of a cell that ``pattern`` matched."""
        text = match.group()
        if match.group(1):
            text = text.replace(match.group(1), "")
        return float(text.replace(self.decimal, "."))


_STYLES = (Style(".", ",'"), Style(".", _BLANKS), Style(",", ".'"), Style(",", _BLANKS))


@dataclass(frozen=True)
class Numbers:
    """Cells read as numbers.

    Attributes:
        values: ``(n,)`` numbers, NaN where a cell is none.
        style: the way they are written, or None where all are plain.
        example: a cell that is not plain.
    """

    values: Floats
    style: Style | None = None
    example: str = ""

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """``(n,)`` whether a cell is a number."""
        return ~np.isnan(self.values)


def is_missing(cell: str) -> bool:
    """Whether a stripped cell stands for a missing value."""
    return len(cell) <= _LONGEST and cell.lower() in MISSING


def parse(cells: Sequence[str], decimal: Mark) -> Numbers:
    """Read ``(n,)`` stripped cells, none of them missing, in the style that suits most of them.

    A sign of a currency or of per cent is passed over where all cells carry the same one: "1.5%" is 1.5.

    Args:
        cells: the cells.
        decimal: the mark to prefer where both would do ("1,234").
    """
    best = Numbers(np.full(len(cells), np.nan))
    bare = _without_sign(cells)
    for style in sorted(_STYLES, key=lambda style: style.decimal != decimal):
        tried = _parse(bare, style)
        if tried.good.sum() > best.good.sum():
            best = tried if bare is cells else replace(tried, style=style, example=cells[int(np.argmax(tried.good))])
        if best.good.all():
            break
    return best


def other_reading(cells: Sequence[str], numbers: Numbers) -> str | None:
    """A cell that would be another number if point and comma changed places, where all cells allow that."""
    if numbers.style is None:
        return None
    swapped = next(style for style in _STYLES if style.decimal != numbers.style.decimal)
    other = _parse(_without_sign(cells), swapped)
    differs = other.values != numbers.values
    return cells[int(np.argmax(differs))] if other.good.all() and differs.any() else None


def plain(cells: Sequence[str], decimal: Mark) -> Floats | None:
    """All cells (missing ones too) as numbers, or None unless every one is written plainly: the fast way."""
    known = ["nan" if is_missing(cell) else cell for cell in map(str.strip, cells)]
    if "".join(cell for cell in known if cell != "nan").translate(_PLAIN[decimal]):
        return None
    try:
        return np.fromiter(map(float, known), np.float64, len(known))
    except ValueError:
        return None


def floats(cells: Sequence[str], place: str) -> Floats:
    """``(n,)`` cells that must be plain numbers, infinite or missing.

    Raises:
        DataError: naming the first cell that is something else.
    """
    values = plain(cells, ".")
    if values is not None:
        return values
    for at, cell in enumerate(map(str.strip, cells), start=1):
        if plain([cell], ".") is None and not _INFINITE.fullmatch(cell):
            raise DataError(f"value {at} is not a number: {cell[:40]!r}", where=place)
    return np.array([np.nan if is_missing(cell.strip()) else float(cell) for cell in cells])


def is_number(cell: str) -> bool:
    """Whether a stripped cell is a number in a style without blanks."""
    (bare,) = _without_sign([cell])
    return any(style.pattern.fullmatch(bare) for style in (_STYLES[0], _STYLES[2])) or bool(_INFINITE.fullmatch(cell))


def not_plain(decimal: Mark) -> str:
    """The characters that a plainly written number never has, as a regular expression.

    Where the decimal mark is a comma, a point is no plain character: it may separate thousands.
    """
    return rf"[^0-9+\-eE{'.' if decimal == '.' else ''}]"


def decimal_mark(cells: Iterable[str]) -> Mark | None:
    """The decimal mark that the cells of a file prove; None where they leave it open."""
    cells = [bare for cell in cells for bare in _without_sign([cell])]
    point = any(_ONLY_POINT.fullmatch(cell) for cell in cells)
    comma = any(_ONLY_COMMA.fullmatch(cell) for cell in cells)
    return None if point == comma else "." if point else ","


def _proof(mark: str, other: str) -> re.Pattern[str]:
    """Numbers whose decimal mark can only be ``mark``: not before three digits, or after a zero, a group, no group."""
    grouped = rf"[0-9]{{1,3}}(?:{other}[0-9]{{3}})+{mark}[0-9]*"
    ungrouped = rf"[0-9]*{mark}(?:[0-9]{{0,2}}|[0-9]{{4,}})|0+{mark}[0-9]+|[0-9]{{4,}}{mark}[0-9]*"
    return re.compile(rf"(?=.*[0-9])[+-]?(?:{grouped}|{ungrouped})")


_ONLY_POINT, _ONLY_COMMA = _proof(r"\.", ","), _proof(",", r"\.")
_DIGITS = "0123456789+-eE"
_PLAIN: dict[Mark, dict[int, None]] = {
    ".": dict.fromkeys(map(ord, _DIGITS + ".")),
    ",": dict.fromkeys(map(ord, _DIGITS)),
}


def _without_sign(cells: Sequence[str]) -> Sequence[str]:
    """The cells without the sign that all of them begin or end with; the very same cells where there is none."""
    for sign in _SIGNS if cells else "":
        if all(cell.count(sign) == 1 and (cell.lstrip("+-").startswith(sign) or cell.endswith(sign)) for cell in cells):
            return [cell.replace(sign, "").strip() for cell in cells]
    return cells


def _parse(cells: Sequence[str], style: Style) -> Numbers:
    pattern = style.pattern
    values = np.full(len(cells), np.nan)
    example = ""
    for row, cell in enumerate(cells):
        if match := pattern.fullmatch(cell):
            values[row] = style.number(match)
            if not example and (match.group(1) or "," in cell):
                example = cell
        elif _INFINITE.fullmatch(cell):
            values[row] = float(cell)
    return Numbers(values, style if example else None, example)
