"""Gathered windows put together to what a net reads, in the order that ``Arrays`` promises.

Letters: B batch, T time, D inputs, H horizon, F known inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare import calendar
from unrolled.prepare.binding import Binding, Float, Windows
from unrolled.prepare.samples import Samples


def inputs(bound: Binding, samples: Samples, windows: Windows, *, ragged: bool) -> Float:
    """``(B, T, D)`` with holes filled by the training mean, and zero in the padding."""
    x, fill = windows.x, bound.fitted.scaling.fill
    holes = np.isnan(x[..., : len(fill)])
    if holes.any():
        x[..., : len(fill)] = np.where(holes, fill, x[..., : len(fill)])
    if ragged:
        x[np.arange(x.shape[1]) >= samples.lengths[:, None]] = 0
    return x


def known(bound: Binding, samples: Samples, windows: Windows, horizon: int) -> Float | None:
    """``(B, H, F)`` covariates ahead: numbers, calendar, codes; None where there are none."""
    layout = bound.fitted.layout
    parts: list[Float] = []
    if layout.known_numbers:
        places = [layout.numbers.index(column) for column in layout.known_numbers]
        numbers = windows.later_numbers[..., places]
        parts.append(np.where(np.isnan(numbers), bound.fitted.scaling.fill[places], numbers))
    if layout.calendar:
        stamps = times(bound, samples, horizon)
        part = np.empty((*stamps.shape, len(layout.calendar)), dtype=np.float32)
        calendar.fill(part, stamps, bound.fitted.schema.calendar)
        parts.append(part)
    if layout.known_codes:
        parts.append(windows.later_codes[..., [layout.codes.index(column) for column in layout.known_codes]])
    return np.concatenate(parts, axis=-1, dtype=np.float32) if parts else None


def times(bound: Binding, samples: Samples, horizon: int) -> npt.NDArray[Any]:
    """``(B, H)`` times of the steps ahead.

    Where covariates are known in advance the rows ahead exist, and their times are read; otherwise the schema's
    rhythm goes on from the last row of the window, in training as in prediction.

    Raises:
        DataError: no time column, or no rhythm to go on with.
    """
    time, rhythm = bound.time, bound.fitted.schema.rhythm
    if bound.fitted.layout.knows_ahead:
        return np.asarray(time[samples.end[:, None] + np.arange(horizon)])
    if rhythm is None:
        where = bound.series.source
        raise DataError("the step between rows is unknown", where=where, mend="state it with --frequency")
    return rhythm.after(time[samples.end - 1], horizon)


def refuse_short(bound: Binding, samples: Samples, horizon: int) -> None:
    """Covariates known in advance must be there over the whole horizon.

    Raises:
        DataError: a series ends before.
    """
    series = bound.series
    lacking = samples.end + horizon - series.starts[samples.series + 1]
    if not len(lacking) or lacking.max() <= 0:
        return
    worst = int(np.argmax(lacking))
    rows, name = int(lacking[worst]), series.ids[int(samples.series[worst])]
    raise DataError(
        f"{rows} rows are missing at the end of series {name!r}: columns known in advance must cover the horizon",
        where=series.source,
        mend=f"add {rows} rows with these columns, and leave the target empty there",
    )
