"""How sure a figure is: resampling of groups of samples that belong together.

Letters: n samples, G groups, R draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unrolled.core.records import Metric, Scores
from unrolled.prepare.samples import Samples
from unrolled.tasks.statistic import Float, Index, Statistic

_MOST_GROUPS = 2000  # more are merged at random, which keeps the variance of what is resampled
_ENOUGH_SEQUENCES = 20  # from here on, sequences are the groups


class Resampler:
    """Percentile intervals from a cluster bootstrap (Davison & Hinkley 1997, section 3.8).

    All statistics see the same draws, so that differences of two models are paired.

    Args:
        groups: ``(n,)`` label of each sample's group; groups are drawn whole, with replacement.
        resamples: R.
        level: of the intervals.
        seed: of the draws.
    """

    def __init__(self, groups: npt.NDArray[np.int64], *, resamples: int = 1000, level: float = 0.95, seed: int = 0):
        random = np.random.default_rng(seed)
        names, member = np.unique(groups, return_inverse=True)
        if len(names) > _MOST_GROUPS:
            member = (random.permutation(len(names)) % _MOST_GROUPS)[member]
        self._member: Index = member.astype(np.int64)
        self.groups = min(len(names), _MOST_GROUPS)
        drawn = (
            random.integers(self.groups, size=(resamples, self.groups)) + self.groups * np.arange(resamples)[:, None]
        )
        counts = np.bincount(drawn.ravel(), minlength=resamples * self.groups).reshape(resamples, self.groups)
        self._weights: Float = np.concatenate([np.ones((1, self.groups)), counts])
        self._tails = (50 * (1 - level), 50 * (1 + level))

    def draws(self, statistic: Statistic) -> Float:
        """``(1 + R,)``: the value on the samples themselves, then on each draw."""
        return statistic.draws(self._weights, self._member)

    def interval(self, draws: Float) -> tuple[float, float] | None:
        """Percentile interval of ``(1 + R,)`` draws; None with fewer than two groups or many undefined draws."""
        drawn = draws[1:][np.isfinite(draws[1:])]
        if self.groups < 2 or len(drawn) < 0.9 * (len(draws) - 1) or not len(drawn):
            return None
        low, high = np.percentile(drawn, self._tails)
        return float(low), float(high)

    def metric(self, statistic: Statistic) -> Metric:
        """The value with its interval."""
        low, high = self.interval(self.draws(statistic)) or (None, None)
        return Metric(name=statistic.name, value=statistic.value, low=low, high=high, better=statistic.better)

    def scores(self, name: str, statistics: tuple[Statistic, ...]) -> Scores:
        """All figures of one model or baseline."""
        return Scores(name=name, metrics=tuple(self.metric(statistic) for statistic in statistics))


def clusters(samples: Samples, reach: int) -> npt.NDArray[np.int64]:
    """``(n,)`` groups of samples that are not independent of each other.

    With many sequences each is a group. With few, the samples of each are cut into blocks of consecutive ends
    (Carlstein 1986), at least ``reach`` rows long, because windows that overlap share their errors.

    Args:
        samples: the windows.
        reach: rows over which the truths of two samples overlap (a forecast's horizon, a failure's).
    """
    names, sequence = np.unique(samples.series, return_inverse=True)
    if len(names) >= _ENOUGH_SEQUENCES or len(names) == len(samples):
        return sequence.astype(np.int64)
    first = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first, sequence, samples.end)
    row = samples.end - first[sequence]
    span = max(reach, round(len(samples) ** (1 / 3)))
    block = row // span
    result: npt.NDArray[np.int64] = sequence * (int(block.max(initial=0)) + 1) + block
    return result
