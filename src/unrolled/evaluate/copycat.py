"""Finds the forecast that merely repeats the last value, which looks good in a picture and says nothing.

Letters: n samples, S steps, M targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrolled.evaluate.bootstrap import Resampler
from unrolled.evaluate.part import Part
from unrolled.tasks.numbers import root_mean_square
from unrolled.tasks.statistic import Float
from unrolled.tasks.task import Values

_STILL = 0.25  # a forecast that moves less than this share of the truth's moves stands still
_FOLLOWS = 0.6  # correlation from which on a forecast follows the past
_AHEAD = 0.2  # by which it must follow the past more closely than the truth


@dataclass(frozen=True)
class Copying:
    """How a forecast relates to the last known value.

    Attributes:
        moves: root mean square of (forecast - last value), over that of (truth - last value).
        follows_past: correlation of the forecast's change from one origin to the next with the change of the
            last value: 1 for a copy. NaN without neighbouring origins.
        follows_truth: its correlation with the change of the truth.
        skill: 1 - MSE / MSE of persistence.
        skill_low: lower end of its interval, or the skill itself where there is none.
    """

    moves: float
    follows_past: float
    follows_truth: float
    skill: float
    skill_low: float

    @property
    def copies(self) -> bool:
        """Not reliably better than the last value, and standing still or running after it."""
        lags = self.follows_past > _FOLLOWS and self.follows_past > self.follows_truth + _AHEAD
        return self.skill_low <= 0 and (self.moves < _STILL or lags)


def copying(part: Part, forecast: Values, resampler: Resampler) -> Copying:
    """Compare ``forecast`` ``(n, S, M)`` with the last value; targets are put on one scale first."""
    last = part.last()[:, None].astype(np.float64)
    real, made = part.truth - last, forecast - last
    size = np.sqrt(np.nanmean(real**2, axis=(0, 1)))
    size = np.where(size > 0, size, 1.0)
    error, naive = (made - real) / size, real / size
    persistence = resampler.draws(root_mean_square("persistence", naive)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = 1 - resampler.draws(root_mean_square("forecast", error)) ** 2 / persistence
        moves = np.sqrt(np.nanmean((made / size) ** 2) / np.nanmean(naive**2))
    low, _ = resampler.interval(skill) or (float(skill[0]), None)
    pairs = _neighbours(part)
    change_made, change_real, change_last = (
        (values[pairs + 1] - values[pairs]) / size
        for values in (forecast, part.truth, np.broadcast_to(last, real.shape))
    )
    past, truth = _correlation(change_made, change_last), _correlation(change_made, change_real)
    return Copying(float(moves), past, truth, float(skill[0]), low)


def _neighbours(part: Part) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Samples whose next one ends one to three rows later in the same sequence; over more, past and truth agree."""
    step = np.diff(part.samples.end)
    return np.flatnonzero((step >= 1) & (step <= 3) & (np.diff(part.samples.series) == 0))


def _correlation(a: Float, b: Float) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3:
        return float("nan")
    left, right = a[known], b[known]
    if left.std() == 0 or right.std() == 0:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])
