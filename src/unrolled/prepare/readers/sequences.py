"""Tables whose source says itself where sequences begin.

Letters: S sequences, N rows, T steps, D channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.records import Note
from unrolled.prepare.table import Array, Hints, Table

Labels = Mapping[str, Sequence[Any] | Array]


def sequences(
    cases: Sequence[npt.NDArray[np.float64]],
    source: str,
    *,
    labels: Labels,
    hints: Hints | None = None,
    notes: tuple[Note, ...] = (),
) -> Table:
    """A table of ``S`` arrays ``(T, D)`` with one value of each label a sequence.

    The channel is called ``value`` where there is one, else ``dim_0``, ``dim_1``, ...
    """
    values = np.concatenate(cases)
    names = ["value"] if values.shape[1] == 1 else [f"dim_{channel}" for channel in range(values.shape[1])]
    truth = {name: as_column(column) for name, column in labels.items()}
    return Table(
        {name: np.ascontiguousarray(values[:, at]) for at, name in enumerate(names)},
        source,
        starts=np.concatenate([[0], np.cumsum([len(case) for case in cases])]).astype(np.int64),
        case_columns=truth,
        case_ids=tuple(str(number) for number in range(1, len(cases) + 1)),
        hints=hints or target_hints(truth),
        notes=notes,
    )


def target_hints(labels: Mapping[str, Array]) -> Hints:
    """Text labels are for classification, numbers for regression."""
    if not labels:
        return Hints()
    text = all(column.dtype == object for column in labels.values())
    return Hints(target=tuple(labels), task="classify" if text else "regress")


def as_column(values: Sequence[Any] | Array) -> Array:
    """``(S,)`` float64 where all are numbers, else objects (``str | None``)."""
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    column = np.empty(len(array), dtype=object)
    column[:] = [None if value is None else str(value) for value in array.tolist()]
    return column
