"""What is reached without a net: the last value, the majority class and the other simple methods of the task."""

from __future__ import annotations

import numpy as np

from unrolled.advise.profile.material import Material
from unrolled.core.records import Scores
from unrolled.evaluate import Contest, Part, Resampler, baselines, clusters, season_of
from unrolled.evaluate.baselines import spread
from unrolled.evaluate.evaluation import first
from unrolled.evaluate.scales import scales
from unrolled.tasks.task import Scales


def guesses(material: Material, held: Material) -> tuple[Scores, ...]:
    """Figures of every simple method on ``held``, the headline first, the best method first.

    Args:
        material: the training part, which the methods are fitted to.
        held: the part that they are judged on.
    """
    task = material.task
    part, train = part_of(held), part_of(material)
    if not np.isfinite(part.truth).any():
        return ()
    season, measures, reach = 1, Scales(), getattr(task.settings, "horizon", 1)
    if material.schema.forecast:
        season = getattr(task.settings, "season", None) or season_of(part.series)
        measures = scales(part, train, season)
    names = tuple(column.name for column in material.preprocessor.layout.targets)
    resampler = Resampler(clusters(part.samples, reach), resamples=400)
    answers = baselines(Contest(task, part, train, names, material.preprocessor.classes, season))
    found = [
        resampler.scores(name, first(task.headline(answer, measures), task.metrics(part.truth, answer, measures)))
        for name, answer in answers.items()
    ]
    found = [scores for scores in found if scores.metrics]
    return tuple(sorted(found, key=lambda scores: _cost(scores)))


def part_of(material: Material) -> Part:
    """The part with its truth, of a large forecast evenly thinned out."""
    samples = material.samples
    if material.schema.forecast:
        drawn = samples[spread(len(samples))]
        return Part(material.series, drawn, material.preprocessor.truth(material.series, drawn), samples)
    truth = material.preprocessor.truth(material.series, samples)[:, 0]
    return Part(material.series, samples.rows() if material.schema.by_row else samples, truth)


def _cost(scores: Scores) -> float:
    metric = scores.metrics[0]
    return -metric.value if metric.better == "higher" else metric.value
