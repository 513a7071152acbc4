"""A bundle judged on data with the truth in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError
from unrolled.core.records import Evaluation
from unrolled.data import whole
from unrolled.evaluate import Backtest, Fold, Part, assess, backtest, folds, training_part
from unrolled.prepare.answer import Answer
from unrolled.prepare.decode import decode
from unrolled.prepare.series import Series
from unrolled.tasks import Forecast
from unrolled.tasks.windows import sliding
from unrolled.workflow.model import Model


def evaluate_bundle(
    bundle: Bundle | Path | str, data: Any, *, net: nn.Module | None = None, **options: Any
) -> Evaluation:
    """Figures with intervals, baselines and a verdict, on every window of ``data``.

    Args:
        bundle: file, folder of a run, or a bundle in memory.
        data: file, folder, frame or array with the truth in it.
        net: computes in the place of the bundle's plan; a bundle of a user's own module needs it.
        options: of the reader.

    Raises:
        UnrolledError: bundle and data do not fit, or there is no truth.
    """
    model = Model.of(bundle, net)
    given = model.predictor.series(data, **options)
    derived = model.task.derive(given)
    samples = model.task.samples(derived, whole(derived), window=model.window)
    return assess(model, derived, samples, name=given.source)


def backtest_bundle(
    bundle: Bundle | Path | str, data: Any, *, count: int, step: int | None = None, **options: Any
) -> Backtest:
    """Roll a forecast over ``count`` origins at the end of ``data``, ``step`` rows apart (a horizon by default).

    The baselines learn from the rows before the first origin.

    Raises:
        ConfigError: the bundle is not a forecast.
        DataError: the data does not reach back far enough.
    """
    model = Model.of(bundle)
    task = model.task
    if not isinstance(task, Forecast):
        raise ConfigError(f"a backtest is for forecasts, this bundle is for {task.name!r}", where="--backtest")
    series = model.predictor.series(data, **options)

    def forecast(fold: Fold) -> tuple[Part, Answer]:
        samples = task.samples(series, fold.test, window=model.window)
        answer = decode(
            model.output(series, samples), model.decoding, lambda values: model.invert(values, series, samples)
        )
        return Part(series, samples, model.truth(series, samples)), answer

    origins = folds(series, horizon=task.settings.horizon, count=count, step=step)
    return backtest(task, origins, forecast, train=_before(model, task, series, origins[0]))


def _before(model: Model, task: Forecast, series: Series, first: Fold) -> Part | None:
    """What baselines learn from: all windows before the first origin; None where there is none."""
    samples = sliding(series, first.train, window=model.window or 1, ahead=task.settings.horizon)
    return training_part(model, series, samples) if len(samples) else None
