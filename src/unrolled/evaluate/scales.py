"""What forecast errors are divided by so that they compare: a deviation, a naive forecast's error.

Letters: n samples, M targets.
"""

from __future__ import annotations

import numpy as np

from unrolled.evaluate.part import Part
from unrolled.prepare.pages import Pages
from unrolled.prepare.training import stream_rows
from unrolled.prepare.transforms.affine import moments
from unrolled.tasks.statistic import Float
from unrolled.tasks.task import Scales

_CHUNK = 1 << 18  # rows at once


def scales(part: Part, train: Part | None, season: int) -> Scales:
    """Scales of a forecast's figures.

    Args:
        part: what is judged.
        train: gives the deviation; without it there are no standardised figures.
        season: rows in a season, for MASE.
    """
    return Scales(
        deviation=None if train is None else _deviation(train),
        naive=_naive_errors(part, season),
    )


def _deviation(train: Part) -> Float:
    """``(M,)`` standard deviation over the training rows."""
    one_group = np.zeros(len(train.series.ids), dtype=np.int64)
    stream = stream_rows(train.series.values, train.targets, train.rows(), one_group, 1)
    result: Float = moments(stream)[1][0]
    return result


def _naive_errors(part: Part, season: int) -> Float:
    """``(n, M)`` mean absolute seasonal difference before the first judged window of each sample's series."""
    names, sequence = np.unique(part.samples.series, return_inverse=True)
    first = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first, sequence, part.samples.end)
    begins = part.series.starts[names]
    found = [_naive_error(part, int(begin), int(end), season) for begin, end in zip(begins, first, strict=True)]
    result: Float = np.stack(found)[sequence]
    return result


def _naive_error(part: Part, begin: int, end: int, season: int) -> Float:
    """``(M,)`` mean absolute difference of rows ``season`` apart; NaN where there is none."""
    values, columns = part.series.values, part.targets
    pages = Pages(values)
    total, count = np.zeros(len(columns)), np.zeros(len(columns))
    for at in range(begin, end - season, _CHUNK):
        rows = values[at : min(at + _CHUNK + season, end)][:, columns].astype(np.float64)
        steps = np.abs(rows[season:] - rows[:-season])
        known = np.isfinite(steps)
        total += np.where(known, steps, 0).sum(0)
        count += known.sum(0)
        pages.touched(1, len(rows) * values.shape[1] * values.itemsize)
    with np.errstate(invalid="ignore"):
        result: Float = total / count
    return result
