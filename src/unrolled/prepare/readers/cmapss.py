"""The text files of NASA's C-MAPSS turbofan data (Saxena & Goebel 2008): remaining useful life of engines.

Letters: N rows (flight cycles), E engines.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.encoding import decode
from unrolled.prepare.readers.content import load
from unrolled.prepare.readers.numbers import floats
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Hints, Table

NAMES = (
    *("engine", "cycle"),
    *(f"setting_{number}" for number in range(1, 4)),
    *(f"sensor_{number}" for number in range(1, 22)),
)
_FILE = re.compile(r"(?i)(train|test)(_FD\d+\.txt)(\.gz)?")

_Float = npt.NDArray[np.float64]


def claims(path: Path, head: bytes) -> bool:
    """Whether a file is one of the set: by its name, or by 26 numbers between blanks in its first line."""
    cells = head.lstrip().partition(b"\n")[0].split()
    plain = all(re.fullmatch(rb"-?\d+(\.\d+)?", cell) for cell in cells)
    return bool(_FILE.fullmatch(path.name)) or (len(cells) == len(NAMES) and plain)


def read(path: Path, options: ReadOptions) -> Table:
    """Read a training or test file; ``rul`` is the number of cycles that remain at each row, uncapped.

    A training engine runs until it fails: ``rul`` of its last row is 0. A test engine stops earlier: the
    truth is added from ``RUL_FD00x.txt``, when that stands beside the file.

    Raises:
        DataError: a line does not hold 26 numbers, cycles of an engine are not consecutive, or the file of true
            lives does not fit.
    """
    text, note = decode(load(path, options.limit), path.name, options.encoding)
    values = _numbers(text, len(NAMES), path.name)
    columns = {name: np.ascontiguousarray(values[:, at]) for at, name in enumerate(NAMES)}
    first = np.flatnonzero(np.diff(columns["engine"], prepend=np.nan) != 0)
    _check(columns, first, path.name)
    last = np.append(first[1:], len(values)) - 1
    beyond, notes = _beyond(path, len(first), options)
    hints = Hints(time="cycle", group="engine", task="regress")
    if beyond is not None:
        ends = np.repeat(columns["cycle"][last] + beyond, np.diff(np.append(first, len(values))))
        columns["rul"] = ends - columns["cycle"]
        hints = Hints(target=("rul",), time="cycle", group="engine", task="regress")
    return Table(columns, path.name, first_row=1, hints=hints, notes=(note, *notes))


def _numbers(text: str, width: int, where: str) -> _Float:
    """``(N, width)`` numbers between blanks."""
    found: list[_Float] = []
    for number, line in enumerate(io.StringIO(text), start=1):
        cells = line.split()
        if not cells:
            continue
        place = f"{where}, line {number}"
        if len(cells) != width:
            raise DataError(f"this line has {len(cells)} numbers, not {width}", where=place)
        found.append(floats(cells, place))
        if not np.isfinite(found[-1]).all():
            raise DataError("a value is missing or infinite", where=place)
    if not found:
        raise DataError("the file is empty", where=where)
    return np.stack(found)


def _check(columns: dict[str, _Float], first: npt.NDArray[np.intp], where: str) -> None:
    engines, cycle = columns["engine"], columns["cycle"]
    if len(set(engines[first])) != len(first):
        raise DataError("the rows of an engine do not stand together", where=where)
    step = np.diff(cycle)
    step[first[1:] - 1] = 1
    if (step != 1).any():
        row = int(np.argmax(step != 1)) + 1
        raise DataError(
            f"cycle {cycle[row]:g} of engine {engines[row]:g} follows cycle {cycle[row - 1]:g}",
            where=f"{where}, row {row + 1}",
            mend="give every cycle of an engine once, in order",
        )


def _beyond(path: Path, engines: int, options: ReadOptions) -> tuple[_Float | None, tuple[Note, ...]]:
    """``(E,)`` cycles that remain after the last row of each engine, where they are known."""
    match = _FILE.fullmatch(path.name)
    if match is None or match.group(1).lower() == "train":
        return np.zeros(engines), ()
    name = f"RUL{match.group(2)}"
    beside = next((path.with_name(name + end) for end in ("", ".gz") if path.with_name(name + end).exists()), None)
    if beside is None:
        return None, (say("no_rul_file", name=name),)
    text, _ = decode(load(beside, options.limit), beside.name, options.encoding)
    lives = _numbers(text, 1, beside.name)[:, 0]
    if len(lives) != engines:
        raise DataError(
            f"{len(lives)} lives for {engines} engines", where=beside.name, mend=f"it must belong to {path.name}"
        )
    return lives, ()
