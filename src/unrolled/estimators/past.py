"""What a forecast starts from and looks like: series in any form, and the end of them that is kept for later.

Letters: S series, T steps, M targets, N rows, H horizon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from unrolled.core.errors import ConfigError, DataError
from unrolled.estimators.forms import is_ragged
from unrolled.prepare.read import read
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.prepare.table import Array, Table


@dataclass(frozen=True)
class Past:
    """Series that were given as arrays.

    Attributes:
        table: as read; its columns are those of the arrays.
        several: they hold an axis of series.
        wide: they hold an axis of columns.
    """

    table: Table
    several: bool
    wide: bool

    @classmethod
    def of(cls, X: Any) -> Past:
        """Read ``(T,)``, ``(T, M)``, ``(S, T, M)``, or a list of arrays ``(T_i,)`` or ``(T_i, M)``.

        Raises:
            ValueError: it is none of these.
        """
        if is_ragged(X):
            return cls(read(X), several=True, wide=X[0].ndim == 2)
        given = check_array(
            X, ensure_2d=False, allow_nd=True, dtype="numeric", ensure_all_finite="allow-nan", input_name="X"
        )
        if given.ndim > 3:
            raise DataError(f"an array of {given.ndim} axes is not (T,), (T, M) or (S, T, M)", where="X")
        table = read(list(given) if given.ndim == 3 else [given])
        return cls(table, several=given.ndim == 3, wide=given.ndim > 1)


@dataclass(frozen=True)
class Shape:
    """Which axes an answer has.

    Attributes:
        ids: the series that were given.
        several: an axis of series.
        wide: an axis of targets.
    """

    ids: tuple[str, ...]
    several: bool
    wide: bool

    def of(self, values: Array, horizon: int | None) -> Array:
        """The first ``horizon`` steps of ``(S, H, M)`` values.

        Raises:
            ConfigError: the model does not forecast that far.
            DataError: a series is missing among the values.
        """
        longest = values.shape[1]
        if horizon is not None and not 1 <= horizon <= longest:
            raise ConfigError(f"the model forecasts 1 to {longest} steps, not {horizon}", where="horizon")
        if len(values) < len(self.ids):
            raise DataError(
                f"{len(self.ids) - len(values)} of {len(self.ids)} series are shorter than the window",
                where="X",
                mend="leave them out, or ask predict_table",
            )
        answer: Array = values.astype(np.float64)[:, :horizon]
        answer = answer if self.wide else answer[..., 0]
        return answer if self.several else answer[0]


def end_of(series: Series, samples: Samples, horizon: int) -> Series:
    """The rows of the windows in ``samples`` (one a series), and what is known of the H rows behind them."""
    stops = np.minimum(samples.end + horizon, series.starts[samples.series + 1])
    lengths = stops - samples.begin
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = np.repeat(samples.begin - starts[:-1], lengths) + np.arange(starts[-1])
    return replace(
        series,
        values=np.ascontiguousarray(series.values[rows]),
        cases=series.cases[samples.series],
        starts=starts,
        ids=tuple(series.ids[at] for at in samples.series),
        time=None if series.time is None else series.time[rows],
    )
