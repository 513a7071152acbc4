"""MIT-BIH records prepared as ``.npz``: one lead in ADC units, with its annotations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from unrolled.core.errors import DataError
from unrolled.prepare.readers import beats
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.table import Array, Hints, Table

RATE = 360.0
"""Samples a second of every record of the database."""

_ZERO, _GAIN = 1024, 200  # ADC units at 0 mV, and a millivolt


def table(found: Mapping[str, Array], path: Path, options: ReadOptions) -> Table:
    """The beats of arrays ``signal`` ``(N,)``, ``ann_sample`` and ``ann_symbol`` ``(A,)``.

    Raises:
        DataError: the arrays do not fit, or there is no beat.
    """
    signal, samples, symbols = found["signal"], found["ann_sample"], found["ann_symbol"]
    whole = signal.dtype.kind in "iuf" and samples.dtype.kind in "iu" and symbols.dtype.kind == "U"
    if not whole or signal.ndim != 1 or samples.ndim != 1 or samples.shape != symbols.shape:
        raise DataError("signal, ann_sample and ann_symbol do not fit each other", where=path.name)
    millivolt = (signal.astype(np.float64) - _ZERO) / _GAIN
    if options.beats is False:
        time = np.arange(len(millivolt)) / RATE
        return Table({"time": time, "ecg": millivolt}, path.name, hints=Hints(time="time"))
    record = beats.Record(path.stem, millivolt, RATE, samples.astype(np.int64), symbols.tolist())
    return beats.cut(record, options)
