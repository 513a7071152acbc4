"""Rolling-origin backtest: forecasts from several moments of the past, each judged on what followed.

Letters: n samples, S steps, M targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unrolled.core.errors import DataError
from unrolled.core.records import Metric, Record, Scores
from unrolled.evaluate.baselines import baselines
from unrolled.evaluate.contest import Contest
from unrolled.evaluate.evaluation import first
from unrolled.evaluate.part import Part
from unrolled.evaluate.scales import scales
from unrolled.evaluate.season import season_of
from unrolled.prepare.answer import Answer
from unrolled.prepare.series import Series
from unrolled.tasks.forecast import Forecast
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.windows import Span


@dataclass(frozen=True)
class Fold:
    """One origin: what is known then, and the rows that are forecast.

    Attributes:
        origin: time stamp (or row number) of the first forecast row of the longest sequence.
        train: spans before the origin.
        test: spans of one horizon from the origin on.
    """

    origin: str
    train: tuple[Span, ...]
    test: tuple[Span, ...]


class OriginScores(Record):
    """Figures of the forecasts from one origin; ``baselines`` beside the model."""

    origin: str
    count: int
    model: Scores
    baselines: tuple[Scores, ...] = ()


class Spread(Record):
    """A figure over all origins."""

    name: str
    mean: float
    deviation: float  # standard deviation between origins, 0 for a single one
    lowest: float
    highest: float


class Backtest(Record):
    """All origins, and their summary by model and baseline name."""

    origins: tuple[OriginScores, ...]
    summary: dict[str, tuple[Spread, ...]]


Run = Callable[[Fold], tuple[Part, Answer]]
"""Forecasts of a fold's test spans: by a model fitted to its train spans, or by one fixed model rolled forward."""


def folds(series: Series, *, horizon: int, count: int, step: int | None = None) -> tuple[Fold, ...]:
    """``count`` origins, ``step`` rows apart (a horizon by default), the last one a horizon before the end.

    Every sequence is cut at the same distance from its end; those too short for an origin are left out of it.

    Raises:
        DataError: no sequence reaches back to the first origin.
    """
    step = step or horizon
    longest = int(np.argmax(series.lengths))
    found = []
    for number in range(count):
        back = horizon + (count - 1 - number) * step
        rows = [
            (sequence, int(begin), int(end))
            for sequence, (begin, end) in enumerate(zip(series.starts[:-1], series.starts[1:], strict=True))
            if end - back > begin
        ]
        if not rows:
            raise DataError(
                f"{count} origins, {step} rows apart, need more than {back} rows; the longest sequence has "
                f"{int(series.lengths.max(initial=0))}",
                where=series.source,
                mend="ask for fewer origins or a smaller step",
            )
        row = int(series.starts[longest + 1]) - back
        origin = str(row - int(series.starts[longest]) + 1) if series.time is None else _when(series.time[row])
        train = tuple((sequence, begin, end - back) for sequence, begin, end in rows)
        test = tuple((sequence, end - back, end - back + horizon) for sequence, _, end in rows)
        found.append(Fold(origin, train, test))
    return tuple(found)


def _when(time: np.datetime64 | np.float64) -> str:
    """A date, or date and time to the second; a plain number as it is."""
    if isinstance(time, np.datetime64):
        return str(time.astype("datetime64[s]")).removesuffix("T00:00:00")
    return f"{time:g}"


def backtest(task: Forecast, origins: tuple[Fold, ...], run: Run, *, train: Part | None = None) -> Backtest:
    """Forecast from every origin and gather the figures.

    Args:
        task: the forecast.
        origins: as ``folds`` gives them.
        run: forecasts one fold.
        train: for baselines that must be trained, and standardised figures; it must lie before the first origin.
    """
    judged = []
    for fold in origins:
        part, answer = run(fold)
        season = task.settings.season or season_of(part.series)
        measures = scales(part, train, season)
        rivals = baselines(Contest(task, part, train, answer.targets, season=season))
        main = task.headline(answer, measures)
        judged.append(
            OriginScores(
                origin=fold.origin,
                count=len(part),
                model=_scores("model", first(main, task.metrics(part.truth, answer, measures))),
                baselines=tuple(
                    _scores(name, first(main, task.metrics(part.truth, theirs, measures)))
                    for name, theirs in rivals.items()
                ),
            )
        )
    return Backtest(origins=tuple(judged), summary=_summary(judged))


def _scores(name: str, statistics: tuple[Statistic, ...]) -> Scores:
    return Scores(name=name, metrics=tuple(Metric(name=s.name, value=s.value, better=s.better) for s in statistics))


def _summary(judged: list[OriginScores]) -> dict[str, tuple[Spread, ...]]:
    values: dict[str, dict[str, list[float]]] = {}
    for origin in judged:
        for scores in (origin.model, *origin.baselines):
            for metric in scores.metrics:
                values.setdefault(scores.name, {}).setdefault(metric.name, []).append(metric.value)
    return {
        name: tuple(
            Spread(
                name=metric,
                mean=float(np.mean(found)),
                deviation=float(np.std(found, ddof=1)) if len(found) > 1 else 0.0,
                lowest=min(found),
                highest=max(found),
            )
            for metric, found in metrics.items()
        )
        for name, metrics in values.items()
    }
