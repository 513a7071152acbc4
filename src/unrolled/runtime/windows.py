"""Which rows of new data a prediction is made from.

Letters: n samples, N rows.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Note
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Series
from unrolled.prepare.tiles import tiles

Which = Literal["last", "all"]
_Rows = npt.NDArray[np.int64]


def to_predict(
    series: Series, schema: Schema, *, window: int | None, horizon: int, which: Which | None, stride: int
) -> tuple[Samples, tuple[Note, ...]]:
    """The windows to predict.

    Args:
        series: new data.
        schema: what its columns mean.
        window: rows that a prediction looks back on; None takes whole sequences.
        horizon: steps ahead of a forecast.
        which: "last" makes one prediction a sequence, "all" one every ``stride`` rows; None means "all" where the
            target changes along the sequence and is neither forecast nor the item of a session, "last" otherwise.
        stride: rows between two windows.

    Raises:
        DataError: every series is shorter than the window of a forecast.
        ConfigError: the stride is below 1, or stands between predictions that are none or one a row.
    """
    if stride < 1:
        raise ConfigError(f"must be at least 1, it is {stride}", where="option stride")
    starts, stops = series.starts[:-1], series.starts[1:]
    if schema.by_row:
        if which == "last" or stride > 1:
            raise ConfigError(
                f"a model for {schema.task} answers every row",
                where="option which",
                mend="leave --last and --stride out",
            )
        spans = list(zip(range(len(starts)), starts.tolist(), stops.tolist(), strict=True))
        return tiles(series, spans, window=window), ()
    if schema.forecast:
        stops = _present(series, schema, horizon if which == "all" else 0)
    fixed = not schema.forecast and all(column.level == "case" for column in schema.of_role("target"))
    every = not fixed and window is not None and _every(which, schema)
    if stride > 1 and not every:
        raise ConfigError(
            f"each sequence gets one prediction here, and a stride of {stride} is between several",
            where="option stride",
            mend="leave it out" if fixed or window is None else "ask for all of them (--all)",
        )
    if fixed or window is None:
        begins = starts if window is None else np.maximum(starts, stops - window)
        found = stops > starts
        return Samples(begins[found], stops[found], np.flatnonzero(found)), ()
    room = stops - starts
    least = np.full_like(room, window) if schema.forecast else np.clip(room, 1, 1 if schema.session else window)
    fits = np.flatnonzero(room >= least)
    ends = [np.arange(starts[s] + least[s], stops[s] + 1, stride) if every else stops[s : s + 1] for s in fits.tolist()]
    sequence = np.repeat(fits, [len(some) for some in ends])
    end = np.concatenate([*ends, np.empty(0, np.int64)]).astype(np.int64)
    notes = _short(series, room, window, fits) if schema.forecast else ()
    return Samples(np.maximum(starts[sequence], end - window), end, sequence.astype(np.int64)), notes


def _every(which: Which | None, schema: Schema) -> bool:
    return which == "all" or (which is None and not (schema.forecast or schema.session))


def _present(series: Series, schema: Schema, ahead: int) -> _Rows:
    """``(S,)`` end of each series' known past; behind it may stand rows that only say what is known in advance."""
    stops = series.starts[1:].copy()
    if not schema.of_role("known"):
        return stops
    targets = [series.index(column) for column in series.of_role("target")]
    for s, (begin, stop) in enumerate(zip(series.starts[:-1].tolist(), stops.tolist(), strict=True)):
        seen = np.flatnonzero(np.isfinite(series.values[begin:stop, targets]).any(axis=1))
        stops[s] = min(begin + (seen[-1] + 1 if len(seen) else 0), stop - ahead)
    return stops


def _short(series: Series, room: _Rows, window: int, fits: _Rows) -> tuple[Note, ...]:
    """What is said of series that are shorter than the window."""
    missing = len(room) - len(fits)
    if not len(fits):
        longest = int(room.max(initial=0))
        raise DataError(
            f"the model looks back on {window} rows, and the longest series has {longest}",
            where=series.source,
            mend="give a longer history",
        )
    if not missing:
        return ()
    example = series.ids[int(np.flatnonzero(room < window)[0])]
    return (
        Note(
            code="series_too_short",
            en=f"{missing} series with less than {window} rows were left out, {example!r} among them.",
            zh=f"有 {missing} 个序列不足 {window} 行，未作预测，例如 {example!r}。",
            level="warning",
        ),
    )
