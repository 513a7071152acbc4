"""Rows brought to an even step.

Letters: N rows before, M rows after, C columns, S sequences.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare.stamps import Time

_TOO_MANY = 50  # rows made of one row: beyond that the step is a slip of the pen, not a wish


def resample(
    values: npt.NDArray[np.float32],
    time: Time,
    starts: npt.NDArray[np.int64],
    *,
    step: float,
    how: Literal["mean", "last"],
    codes: npt.NDArray[np.bool_],
    source: str,
) -> tuple[npt.NDArray[np.float32], Time, npt.NDArray[np.int64]]:
    """One row every ``step``; a row gathers what was seen from its time stamp up to the next one.

    Args:
        values: ``(N, C)``.
        time: ``(N,)``, in order inside each sequence; repeats are welcome.
        starts: ``(S + 1,)``.
        step: seconds, or units of a plain numeric time.
        how: the mean of a row's values, or the last one.
        codes: ``(C,)`` which columns are categories: of these the last is taken.
        source: the file, for messages.

    Returns:
        ``(M, C)`` values (NaN where nothing was seen), ``(M,)`` time, ``(S + 1,)`` starts.

    Raises:
        DataError: the step is so small that nearly all rows would be empty.
    """
    stamps = bool(np.issubdtype(time.dtype, np.datetime64))
    plain: npt.NDArray[Any] = time.view(np.int64) if stamps else time
    width = round(step * 1e9) if stamps else step
    place, first, counts = _grid(plain, starts, width, whole=stamps and step <= 86400)
    total = int(counts.sum())
    if total > _TOO_MANY * max(len(plain), 1000):
        raise DataError(
            f"one row every {step:g} would make {total} rows of {len(plain)}, nearly all of them empty",
            where=source,
            mend="choose a longer step with --frequency",
        )
    after = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    place += np.repeat(after[:-1], np.diff(starts))
    heads = np.flatnonzero(np.diff(place, prepend=-1))
    made = np.full((total, values.shape[1]), np.nan, dtype=np.float32)
    made[place[heads]] = _gathered(values, heads, how, codes)
    owner = np.repeat(np.arange(len(counts)), counts)
    grid = first[owner] + (np.arange(total) - after[owner]) * width
    return made, grid.view("datetime64[ns]") if stamps else grid, after


def _grid(
    plain: npt.NDArray[Any], starts: npt.NDArray[np.int64], width: float, *, whole: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Step of its own sequence into which each row falls, the time of each sequence's first step, and how many it has.

    ``whole``: steps begin at multiples of ``width`` (whole hours, minutes, days).
    """
    filled = np.diff(starts) > 0
    first = np.zeros(len(filled), dtype=plain.dtype)
    first[filled] = plain[starts[:-1][filled]]
    if whole:
        first -= first % width
    since = plain - np.repeat(first, np.diff(starts))
    # A hair's breadth keeps 0.3 / 0.1 in step 3; time stamps are whole numbers and need none.
    exact = np.issubdtype(plain.dtype, np.integer)
    place = since // width if exact else np.floor(since / width + 1e-9).astype(np.int64)
    counts = np.zeros(len(filled), dtype=np.int64)
    counts[filled] = place[starts[1:][filled] - 1] + 1
    return place, first, counts


def _gathered(
    values: npt.NDArray[np.float32], heads: npt.NDArray[np.int64], how: str, codes: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """One row for each stretch of rows that begins at ``heads``."""
    tails = np.append(heads[1:], len(values)) - 1
    last: npt.NDArray[np.float32] = values[tails]
    if how == "last":
        return last
    known = ~np.isnan(values)
    count = np.add.reduceat(known, heads, axis=0, dtype=np.int64)
    total = np.add.reduceat(np.where(known, values, 0), heads, axis=0, dtype=np.float64)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return np.where(codes, last, mean)
