"""Inputs of single rows as they arrive, prepared as those of a file.

Letters: B streams, C numeric inputs, D inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.binding import Fitted, Float
from unrolled.prepare.labels import name_of
from unrolled.program.shapes import Inputs

RowScaler = Callable[[npt.NDArray[Any]], Float]


class LiveInputs:
    """Turns rows into inputs one at a time.

    Args:
        fitted: what the preprocessor learnt.

    Raises:
        ConfigError: the inputs of a row depend on other rows, on its time, or on values of the whole sequence.
    """

    def __init__(self, fitted: Fitted) -> None:
        layout, schema, scaling = fitted.layout, fitted.schema, fitted.scaling
        obstacles = {
            "a transform looks at the rows around": scaling.local or scaling.lag > 0,
            "each series has a scale of its own": scaling.per_series,
            f"missing values are handled by {schema.missing!r}": schema.missing in ("fill_forward", "interpolate"),
            "time gives inputs (calendar or time since the previous row)": layout.from_time > 0,
            "static columns have one value a sequence": bool(layout.static_numbers or layout.static_codes),
        }
        for reason, holds in obstacles.items():
            if holds:
                raise ConfigError(
                    f"it cannot answer row by row: {reason}", where="live", mend="train the model without that"
                )
        self._fitted = fitted
        self._codes = [{label: at for at, label in enumerate(column.categories)} for column in layout.codes]

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Float, Float]:
        """``(B, D)`` inputs, and their ``(B, C)`` numbers in model scale with NaN where one is missing.

        Raises:
            DataError: a column is absent, or holds something that is no number.
        """
        layout, masked = self._fitted.layout, list(self._fitted.masked)
        raw = np.array([[_number(row, column.name) for column in layout.numbers] for row in rows], dtype=np.float32)
        raw = raw.reshape(len(rows), len(layout.numbers))
        holes = np.isnan(raw)
        if self._fitted.schema.missing == "error" and holes.any():
            name = layout.numbers[int(np.flatnonzero(holes.any(axis=0))[0])].name
            raise DataError("a value is missing", where=f"column {name!r}", mend="train with --missing mask")
        scaled = self._fitted.scaling.rows(raw, np.zeros(len(rows), dtype=np.int64))
        parts = [np.where(holes, self._fitted.scaling.fill, scaled), holes[:, masked], self._coded(rows)]
        return np.concatenate(parts, axis=1, dtype=np.float32), scaled

    def _coded(self, rows: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float32]:
        columns = self._fitted.layout.codes
        out = np.empty((len(rows), len(columns)), dtype=np.float32)
        for at, (column, codes) in enumerate(zip(columns, self._codes, strict=True)):
            out[:, at] = [codes.get(name_of(_cell(row, column.name)), len(codes)) for row in rows]
        return out


def _cell(row: Mapping[str, Any], name: str) -> Any:
    if name not in row:
        raise DataError(f"it has no column {name!r}", where="row", mend=f"it has {', '.join(map(repr, row))}")
    return row[name]


def _number(row: Mapping[str, Any], name: str) -> float:
    value = _cell(row, name)
    try:
        return np.nan if value is None else float(value)
    except (TypeError, ValueError):
        raise DataError(f"{value!r} is not a number", where=f"row, column {name!r}") from None


def row_scaler(fitted: Fitted, *, alone: bool) -> RowScaler:
    """What takes ``(T, C)`` rows of the numeric inputs to ``(T, D)`` in model scale, without a question for each.

    Args:
        fitted: what the preprocessor learnt.
        alone: nothing in the schema keeps rows from being prepared as they arrive.

    Raises:
        ConfigError: rows cannot be prepared one by one, or other inputs belong to them.
    """
    layout, scaling = fitted.layout, fitted.scaling
    inputs = layout.inputs(fitted.masked, None, forecast=fitted.schema.forecast)
    if not alone or scaling.local or scaling.lag or inputs.sizes != Inputs(numbers=len(layout.numbers)):
        raise ConfigError(
            "a row alone does not say what the net reads: time, categories or other rows belong to it",
            where="the preprocessing",
            mend="train on numeric columns alone, with one of the scales standard, minmax, robust, none",
        )
    if (affine := scaling.affine) is not None:
        center, scale = affine
        return lambda values: (np.asarray(values, np.float32) - center) / scale
    one = np.zeros(1, dtype=np.int64)
    return lambda values: scaling.past(np.asarray(values, np.float32)[None], one)[0][0]
