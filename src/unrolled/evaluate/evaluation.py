"""A model measured on one part of the data, beside simple methods, with intervals, a verdict and pictures.

Letters: n samples, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError, DivergedError
from unrolled.core.records import Evaluation, Note
from unrolled.evaluate import notes as told
from unrolled.evaluate.baselines import baselines, spread
from unrolled.evaluate.bootstrap import Resampler, clusters
from unrolled.evaluate.contest import Contest
from unrolled.evaluate.copycat import copying
from unrolled.evaluate.part import Part
from unrolled.evaluate.pictures import pictures
from unrolled.evaluate.scales import scales
from unrolled.evaluate.season import season_of
from unrolled.evaluate.verdict import verdict
from unrolled.prepare.answer import Answer, joined
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import Decoding, each_row, every
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.task import Scales, Task, Values

_CHUNK = 512  # samples whose outputs are held at once


class Fitted(Protocol):
    """What ``assess`` asks of a trained model."""

    @property
    def task(self) -> Task: ...

    @property
    def decoding(self) -> Decoding: ...

    def output(self, series: Series, samples: Samples) -> Values:
        """``(n, S, M, V)`` in model scale, rolled out to the horizon."""

    def invert(self, values: Values, series: Series, samples: Samples) -> Values:
        """Model scale to original units; takes and returns the shape of the truth, or that with an axis of Q."""

    def truth(self, series: Series, samples: Samples) -> Values:
        """Truth in original units, class codes, or 0 and 1: ``(n, S, M)`` in a forecast, ``(n, M)`` otherwise."""


def assess(
    fitted: Fitted,
    series: Series,
    samples: Samples,
    *,
    train: tuple[Series, Samples] | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    name: str = "test",
    resamples: int = 1000,
) -> Evaluation:
    """Let a trained model predict and ``evaluate`` it; series are as the task derives them."""
    part = part_of(fitted, series, samples)
    pieces = [samples[slice(at, at + _CHUNK)] for at in range(0, max(1, len(samples)), _CHUNK)]
    answer = joined([_decoded(fitted, series, piece) for piece in pieces])
    if groups is not None and each_row(fitted.decoding):
        groups = np.repeat(groups, samples.counts)
    learnt = None
    if train is not None:
        learnt = part if train[0] is series and train[1] is samples else training_part(fitted, *train)
    return evaluate(
        fitted.task, part, answer, train=learnt, decoding=fitted.decoding, groups=groups, name=name, resamples=resamples
    )


def _decoded(fitted: Fitted, series: Series, samples: Samples) -> Answer:
    output = fitted.output(series, samples)
    counts = samples.counts if every(fitted.decoding) else None
    return decode(output, fitted.decoding, lambda values: fitted.invert(values, series, samples), counts=counts)


def evaluate(
    task: Task,
    part: Part,
    answer: Answer,
    *,
    train: Part | None = None,
    decoding: Decoding | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    name: str = "test",
    resamples: int = 1000,
) -> Evaluation:
    """Figures with intervals, baselines, verdict, notes and pictures of an answer.

    Args:
        task: what was asked.
        part: the samples and their truth.
        answer: the predictions, in original units.
        train: the training part, for the baselines and scales.
        decoding: as fitted, to check what its intervals promise.
        groups: ``(n,)`` label of what is resampled as a whole (patient, engine); None finds it, see ``clusters``.
        name: of the part.
        resamples: bootstrap draws.

    Raises:
        DataError: no sample has a truth.
        DivergedError: an answer is not a finite number.
    """
    _refuse(part, answer)
    found = _trained_on(train, part)
    reach, season, measures = getattr(task.settings, "horizon", 1), 1, Scales()
    if answer.task == "forecast":
        season = getattr(task.settings, "season", None) or season_of(part.series)
        measures = scales(part, train, season)
        found += [told.season_used(season)] if season > 1 else []
    if decoding is not None and each_row(decoding):
        measures = replace(measures, fresh=part.fresh())
    resampler = Resampler(clusters(part.samples, reach) if groups is None else groups, resamples=resamples)
    headline = task.headline(answer, measures)

    def figures(given: Answer) -> tuple[Statistic, ...]:
        return first(headline, task.metrics(part.truth, given, measures))

    own, contest = figures(answer), Contest(task, part, train, answer.targets, answer.classes, season)
    judged = np.isfinite(part.truth).any()  # without labels, anomalies have no figure to compare
    rivals = {rival: figures(theirs) for rival, theirs in (baselines(contest) if judged else {}).items()}
    copies = answer.task == "forecast" and copying(part, answer.value, resampler).copies
    scores = resampler.scores("model", own)
    return Evaluation(
        task=task.name,
        part=name,
        count=len(part),
        model=scores,
        baselines=tuple(resampler.scores(rival, statistics) for rival, statistics in rivals.items()),
        verdict=verdict(task.name, headline, own, rivals, resampler, copies=copies),
        notes=(*found, *told.notes(part, answer, decoding, scores, resampler.groups)),
        pictures=pictures(part, answer),
    )


def part_of(fitted: Fitted, series: Series, samples: Samples) -> Part:
    """The part with its truth; each row is a sample of its own where it has its own answer."""
    truth = fitted.truth(series, samples)
    return Part(series, samples.rows() if each_row(fitted.decoding) else samples, truth)


def training_part(fitted: Fitted, series: Series, samples: Samples) -> Part:
    """The training part; of a forecast's truth only what its baselines are trained on."""
    if fitted.task.name != "forecast":
        return part_of(fitted, series, samples)
    drawn = samples[spread(len(samples))]
    return Part(series, drawn, fitted.truth(series, drawn), samples)


def _trained_on(train: Part | None, part: Part) -> list[Note]:
    """What to say of the training part."""
    if train is None:
        return [told.without_training()]
    return [told.on_training()] if part.samples is train.samples else []


def _refuse(part: Part, answer: Answer) -> None:
    if answer.task != "anomaly" and not np.isfinite(part.truth).any():
        raise DataError("there is no truth to compare with", where=part.series.source, mend="give the target column")
    given = next(part for part in (answer.probability, answer.score, answer.value) if part is not None)
    sound = int(np.isfinite(given.reshape(len(given), -1)).all(axis=1).sum())
    if sound < len(given):
        raise DivergedError(
            f"the model's answer is not a finite number for {len(given) - sound} of {len(given)} samples",
            where=part.series.source,
            mend="look for extreme values in the data, or train again with a smaller learning rate",
        )


def first(name: str, statistics: tuple[Statistic, ...]) -> tuple[Statistic, ...]:
    """The figure of that name before all others."""
    return tuple(sorted(statistics, key=lambda statistic: statistic.name != name))
