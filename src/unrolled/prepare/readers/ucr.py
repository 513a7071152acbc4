"""The ``.tsv`` format of the UCR archive of 2018: one series a row, its label first; NaN at the end pads.

Letters: S series, T steps.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare.encoding import decode
from unrolled.prepare.readers.content import load
from unrolled.prepare.readers.numbers import floats
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.sequences import sequences
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Table


def claims(path: Path, head: bytes) -> bool:
    """Whether the first line is a label, a whole number, and at least two values between tabs."""
    cells = [cell.strip() for cell in head.partition(b"\n")[0].decode("latin-1").split("\t")]
    try:
        label, *values = floats(cells, path.name)
    except DataError:
        return False
    return label.is_integer() and len(values) > 1 and not np.isnan(values[:2]).any()


def read(path: Path, options: ReadOptions) -> Table:
    """Read a UCR file; labels stay text, in ``label``, the series is ``value``.

    Raises:
        DataError: naming the line: a value is not a number, or the label stands alone.
    """
    text, note = decode(load(path, options.limit), path.name, options.encoding)
    cases: list[npt.NDArray[np.float64]] = []
    labels: list[str] = []
    padded = 0
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        label, *cells = line.rstrip("\r\n").split("\t" if "\t" in line else None)
        case = floats(cells, f"{path.name}, line {number}")
        known = np.flatnonzero(~np.isnan(case))
        length = int(known[-1]) + 1 if len(known) else 0
        if not length:
            raise DataError("there is no value after the label", where=f"{path.name}, line {number}")
        padded += length < len(case)
        cases.append(case[:length, None])
        labels.append(label.strip())
    if not cases:
        raise DataError("the file is empty", where=path.name)
    notes = [note, say("ucr_layout")]
    if padded:
        notes.append(say("padding", count=padded))
    return sequences(cases, path.name, labels={"label": labels}, notes=tuple(notes))
