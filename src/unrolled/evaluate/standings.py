"""Several answers to the same samples, compared in pairs: who is better, by how much, how surely.

Letters: R draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unrolled.core.records import Metric
from unrolled.evaluate.bootstrap import Resampler, clusters
from unrolled.evaluate.part import Part
from unrolled.evaluate.scales import scales
from unrolled.evaluate.season import season_of
from unrolled.prepare.answer import Answer
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.task import Scales, Task


@dataclass(frozen=True)
class Standings:
    """The task's headline figure of each answer, all drawn on the same samples."""

    statistics: Mapping[str, Statistic]
    resampler: Resampler

    @classmethod
    def of(
        cls,
        task: Task,
        part: Part,
        answers: Mapping[str, Answer],
        *,
        train: Part | None = None,
        groups: npt.NDArray[np.int64] | None = None,
        resamples: int = 1000,
    ) -> Standings:
        """Compare answers to one part.

        Args:
            task: what was asked.
            part: the samples and their truth.
            answers: by name, in original units.
            train: the training part, for the scales of a forecast.
            groups: ``(n,)`` what is drawn as a whole; None finds it.
            resamples: R.
        """
        measures, reach = Scales(), getattr(task.settings, "horizon", 1)
        if task.name == "forecast":
            measures = scales(part, train, getattr(task.settings, "season", None) or season_of(part.series))
        found = {}
        for name, answer in answers.items():
            headline = task.headline(answer, measures)
            own = {statistic.name: statistic for statistic in task.metrics(part.truth, answer, measures)}
            if own:
                found[name] = own.get(headline, next(iter(own.values())))
        return cls(found, Resampler(clusters(part.samples, reach) if groups is None else groups, resamples=resamples))

    def metric(self, name: str) -> Metric:
        """The figure of one answer, with its interval."""
        return self.resampler.metric(self.statistics[name])

    def gain(self, name: str, other: str) -> tuple[float, float | None, float | None]:
        """By how much ``name`` is better than ``other``, in units of the figure, with its paired interval."""
        own, theirs = self.statistics[name], self.statistics[other]
        sign = 1.0 if own.better == "higher" else -1.0
        draws = sign * (self.resampler.draws(own) - self.resampler.draws(theirs))
        low, high = self.resampler.interval(draws) or (None, None)
        return float(draws[0]), low, high
